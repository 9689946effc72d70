package org.ascus.launcher.options;

/** A wrong argument; one line for the user. */
public final class OptionException extends Exception {
  private static final long serialVersionUID = 1L;

  public OptionException(String message) {
    super(message);
  }

  /** The same, with the option and its value in front. */
  OptionException in(String option, String value) {
    String where = value.isEmpty() ? option : option + " " + value;
    return new OptionException(where + ": " + getMessage());
  }
}
