package org.ascus.launcher.img;

/** A command that cannot be done; the message is for the user. */
final class ImgException extends Exception {
  private static final long serialVersionUID = 1L;

  ImgException(String message) {
    super(message);
  }
}
