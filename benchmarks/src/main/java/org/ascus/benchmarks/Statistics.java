package org.ascus.benchmarks;

import java.util.List;

/** What becomes of several figures. */
final class Statistics {
  private Statistics() {}

  /** The middle value, or the mean of the two middle ones; NaN of none. */
  static double median(List<Double> values) {
    if (values.isEmpty()) {
      return Double.NaN;
    }
    var sorted = values.stream().sorted().toList();
    int middle = sorted.size() / 2;
    return sorted.size() % 2 == 1 ? sorted.get(middle) : (sorted.get(middle - 1) + sorted.get(middle)) / 2;
  }

  /** The root of the product; NaN of none. */
  static double geometricMean(List<Double> values) {
    return Math.exp(values.stream().mapToDouble(Math::log).average().orElse(Double.NaN));
  }

  /**
   * Seconds that an iteration takes once the emulator is warm: the mean over the last quarter of the iterations, at
   * least two; NaN where there are fewer than four.
   *
   * @param ends seconds from the start of the process to the end of each iteration
   */
  static double steadyState(List<Double> ends) {
    if (ends.size() < 4) {
      return Double.NaN;
    }
    int last = ends.size() - 1;
    int first = last - Math.max(2, ends.size() / 4);
    return (ends.get(last) - ends.get(first)) / (last - first);
  }
}
