package org.ascus.devices.security;

/** An object that cannot be made as asked; the message is for the person who asked. */
public final class SecurityObjectException extends Exception {
  private static final long serialVersionUID = 1L;

  public SecurityObjectException(String message) {
    super(message);
  }

  public SecurityObjectException(String message, Throwable cause) {
    super(message, cause);
  }
}
