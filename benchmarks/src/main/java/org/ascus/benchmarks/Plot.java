package org.ascus.benchmarks;

import java.util.List;
import java.util.Locale;

/** Draws ratios as horizontal bars on a logarithmic scale, from the line of 1 to either side. */
final class Plot {
  private static final int LABEL_WIDTH = 170;
  private static final int WIDTH = 560;
  private static final int VALUE_WIDTH = 60;
  private static final int ROW = 22;
  private static final int TOP = 56;
  private static final double[] TICKS = {0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100};

  private Plot() {}

  /**
   * One ratio.
   *
   * @param ratio Ascus over QEMU; NaN draws no bar
   * @param host the same for this machine without an emulator; NaN draws no mark
   */
  record Bar(String label, double ratio, double host) {}

  /** A picture as the text of an SVG file. */
  static String svg(String title, List<Bar> bars) {
    double low = 0.5;
    double high = 2;
    for (Bar bar : bars) {
      for (double ratio : new double[] {bar.ratio(), bar.host()}) {
        if (Double.isFinite(ratio) && ratio > 0) {
          low = Math.max(0.01, Math.min(low, ratio / 1.1));
          high = Math.min(100, Math.max(high, ratio * 1.1));
        }
      }
    }
    int bottom = TOP + ROW * bars.size();
    int width = LABEL_WIDTH + WIDTH + VALUE_WIDTH;
    var text = new StringBuilder();
    add(text, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" font-family=\"sans-serif\" "
        + "font-size=\"12\">\n", width, bottom + 44);
    add(text, "<rect width=\"%d\" height=\"%d\" fill=\"#ffffff\"/>\n", width, bottom + 44);
    add(text, "<text x=\"10\" y=\"22\" font-size=\"15\">%s</text>\n", escape(title));
    for (double tick : TICKS) {
      if (tick >= low && tick <= high) {
        double x = x(tick, low, high);
        add(text, "<line x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%d\" stroke=\"%s\"/>\n", x, TOP - 6, x, bottom,
            tick == 1 ? "#000000" : "#dddddd");
        add(text, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%s</text>\n", x, TOP - 12,
            tick < 1 ? Double.toString(tick) : Integer.toString((int) tick));
      }
    }
    for (int i = 0; i < bars.size(); i++) {
      addBar(text, bars.get(i), TOP + ROW * i, low, high);
    }
    add(text, "<text x=\"10\" y=\"%d\" fill=\"#555555\">left of 1: Ascus needs less than QEMU; "
        + "diamond: this machine without an emulator</text>\n", bottom + 26);
    return text.append("</svg>\n").toString();
  }

  private static void addBar(StringBuilder text, Bar bar, int y, double low, double high) {
    add(text, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%s</text>\n", LABEL_WIDTH - 8, y + 15, escape(bar.label()));
    double one = x(1, low, high);
    if (Double.isFinite(bar.ratio()) && bar.ratio() > 0) {
      double end = x(bar.ratio(), low, high);
      add(text, "<rect x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%d\" fill=\"%s\"/>\n", Math.min(one, end), y + 3,
          Math.abs(end - one), ROW - 6, bar.ratio() <= 1 ? "#2a7f62" : "#c1553b");
      add(text, "<text x=\"%d\" y=\"%d\">%s</text>\n", LABEL_WIDTH + WIDTH + 8, y + 15, Report.number(bar.ratio()));
    }
    if (Double.isFinite(bar.host()) && bar.host() > 0) {
      double x = x(bar.host(), low, high);
      add(text, "<path d=\"M%.1f %d l5 5 l-5 5 l-5 -5 z\" fill=\"#333333\"/>\n", x, y + ROW / 2 - 5);
    }
  }

  private static double x(double ratio, double low, double high) {
    double clipped = Math.max(low, Math.min(high, ratio));
    return LABEL_WIDTH + WIDTH * Math.log(clipped / low) / Math.log(high / low);
  }

  private static void add(StringBuilder text, String format, Object... values) {
    text.append(String.format(Locale.ROOT, format, values));
  }

  private static String escape(String text) {
    return text.replace("&", "&amp;").replace("<", "&lt;");
  }
}
