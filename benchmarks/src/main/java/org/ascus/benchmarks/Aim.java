package org.ascus.benchmarks;

import java.util.Locale;

/**
 * What a figure should come to.
 *
 * @param figure of a workload
 * @param ofRatio whether the limit is of the ratio Ascus to QEMU or of Ascus's own figure
 * @param limit the most that is good
 */
record Aim(String figure, boolean ofRatio, double limit) {

  /** At most so many times what QEMU needs. */
  static Aim ratio(String figure, double limit) {
    return new Aim(figure, true, limit);
  }

  /** At most so much on Ascus. */
  static Aim value(String figure, double limit) {
    return new Aim(figure, false, limit);
  }

  /** The limit, and whether it is kept. */
  String verdict(double ascus, double ratio) {
    double actual = ofRatio ? ratio : ascus;
    String met = Double.isNaN(actual) ? "" : actual <= limit ? ", met" : ", missed";
    return String.format(Locale.ROOT, ofRatio ? "ratio ≤ %.2f%s" : "≤ %.1f%s", limit, met);
  }
}
