package org.ascus.devices.loader;

/** A file that cannot be loaded into the guest; one line that names option, file and problem. */
public final class LoadException extends Exception {
  private static final long serialVersionUID = 1L;

  public LoadException(String message) {
    super(message);
  }

  public LoadException(String message, Throwable cause) {
    super(message, cause);
  }
}
