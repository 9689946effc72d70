package org.ascus.machine.state;

/** A state stream that cannot be loaded; the message names section and field. */
public final class StateException extends Exception {
  private static final long serialVersionUID = 1L;

  public StateException(String message) {
    super(message);
  }
}
