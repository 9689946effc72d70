package org.ascus.polyglot;

/** A machine that cannot be made or used as asked; one line that names the option, file or address. */
public final class VmException extends Exception {
  private static final long serialVersionUID = 1L;

  public VmException(String message) {
    super(message);
  }

  public VmException(String message, Throwable cause) {
    super(message, cause);
  }
}
