package org.ascus.launcher.img;

import java.io.PrintStream;
import java.util.Locale;

/** The line of {@code -p}. */
final class Progress {
  private final PrintStream out;
  private final boolean on;
  private double shown = -1;

  Progress(PrintStream out, boolean on) {
    this.out = out;
    this.on = on;
  }

  void at(long done, long total) {
    double percent = total == 0 ? 100 : 100.0 * done / total;
    if (on && (percent - shown >= 0.5 || shown < 0 || percent >= 100 && shown < 100)) {
      out.printf(Locale.ROOT, "    (%.2f/100%%)\r", percent);
      out.flush();
      shown = percent;
    }
  }

  void end() {
    at(1, 1);
    if (on) {
      out.println();
    }
  }
}
