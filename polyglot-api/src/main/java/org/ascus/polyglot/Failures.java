package org.ascus.polyglot;

import java.io.PrintWriter;
import java.io.StringWriter;

/** Defects of the emulator, as text for a report. */
final class Failures {
  private Failures() {}

  static String describe(Throwable e) {
    StringWriter text = new StringWriter();
    e.printStackTrace(new PrintWriter(text));
    return text.toString();
  }
}
