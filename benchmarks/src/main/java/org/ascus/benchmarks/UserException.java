package org.ascus.benchmarks;

/** Something that the user has to read; its message is all there is to say. */
final class UserException extends Exception {
  private static final long serialVersionUID = 1;

  UserException(String message) {
    super(message);
  }
}
