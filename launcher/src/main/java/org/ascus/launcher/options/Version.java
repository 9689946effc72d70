package org.ascus.launcher.options;

/** The emulator's version. */
public final class Version {
  /** The number alone. */
  public static final String NUMBER = "0.1.0";

  private Version() {}

  static String text(String program) {
    return "Ascus emulator version " + NUMBER + " (" + program + ")\n";
  }
}
