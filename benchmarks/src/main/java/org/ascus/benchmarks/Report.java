package org.ascus.benchmarks;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * The comparisons of one selection, and how they are written down.
 *
 * @param conditions what was measured where and when: name to text, in order
 */
record Report(Selection selection, Map<String, String> conditions, List<Comparison> comparisons) {
  /** How many times as fast as one hart two of them should be. */
  private static final double SPEED_UP_AIM = 1.8;

  /** Geometric mean of the headlines' ratios; NaN if there is none. */
  double mean() {
    return Statistics.geometricMean(
        comparisons.stream()
            .flatMap(comparison -> comparison.workload().headlines().stream().map(comparison::ratio))
            .filter(Double::isFinite)
            .toList());
  }

  boolean good() {
    return comparisons.stream().allMatch(comparison -> comparison.problems().isEmpty());
  }

  /** The report as Markdown. */
  String markdown() {
    var text = new StringBuilder();
    text.append("# ").append(selection.title()).append("\n\n").append(selection.explanation()).append("\n\n");
    text.append("![ratios](").append(selection.name()).append(".svg)\n\n");
    text.append(table()).append('\n').append(summary()).append('\n');
    conditions.forEach((name, value) -> text.append("- ").append(name).append(": ").append(value).append('\n'));
    return text.toString();
  }

  /** The table of all figures, as Markdown. */
  String table() {
    var text = new StringBuilder("| workload | figure | Ascus | QEMU | host | Ascus / QEMU | aim |\n");
    text.append("| --- | --- | --- | --- | --- | --- | --- |\n");
    for (var comparison : comparisons) {
      for (String figure : comparison.figures()) {
        boolean headline = comparison.workload().headlines().contains(figure);
        String ratio = number(comparison.ratio(figure));
        text.append("| ").append(comparison.workload().name());
        text.append(" | ").append(headline ? "**" + figure + "**" : figure);
        for (Side side : Side.values()) {
          text.append(" | ").append(cell(comparison.values(side, figure)));
        }
        text.append(" | ").append(headline && !ratio.isEmpty() ? "**" + ratio + "**" : ratio);
        text.append(" | ").append(aim(comparison, figure)).append(" |\n");
      }
    }
    return text.toString();
  }

  private static String aim(Comparison comparison, String figure) {
    return comparison.workload().aims().stream()
        .filter(aim -> aim.figure().equals(figure))
        .map(aim -> aim.verdict(comparison.median(Side.ASCUS, figure), comparison.ratio(figure)))
        .findFirst()
        .orElse("");
  }

  /** The mean, the speed-ups and the problems, as a Markdown list; empty if there are none. */
  String summary() {
    var text = new StringBuilder();
    if (comparisons.size() > 1 && !Double.isNaN(mean())) {
      text.append("- Geometric mean of the bold ratios: ").append(number(mean()));
      if (!Double.isNaN(selection.meanAim())) {
        text.append(" (aim: at most ").append(number(selection.meanAim()));
        text.append(mean() <= selection.meanAim() ? ", met)" : ", missed)");
      }
      text.append('\n');
    }
    for (Side side : Side.values()) {
      for (int harts : new int[] {2, 4}) {
        double speedUp = speedUp(side, harts);
        if (!Double.isNaN(speedUp)) {
          text.append(String.format(Locale.ROOT, "- %s: %d harts are %.2f times as fast as one", side.title(), harts,
              speedUp));
          if (side == Side.ASCUS && harts == 2) {
            text.append(String.format(Locale.ROOT, " (aim: at least %.2f, %s)", SPEED_UP_AIM,
                speedUp >= SPEED_UP_AIM ? "met" : "missed"));
          }
          text.append('\n');
        }
      }
    }
    var runs = comparisons.stream().flatMap(comparison -> comparison.runs().values().stream()).flatMap(List::stream);
    var disturbed = runs.collect(Collectors.partitioningBy(Run::disturbed, Collectors.counting()));
    if (disturbed.get(true) > 0) {
      text.append(
          String.format(
              Locale.ROOT,
              "- **Something else ran on the machine during %d of %d runs: the figures are worth little**\n",
              disturbed.get(true),
              disturbed.get(true) + disturbed.get(false)));
    }
    for (var comparison : comparisons) {
      comparison.problems().forEach(
          problem -> text.append("- ").append(comparison.workload().name()).append(": ").append(problem).append('\n'));
    }
    return text.toString();
  }

  /** How many times faster so many harts are than one; NaN where that was not measured. */
  private double speedUp(Side side, int harts) {
    return workSeconds(side, 1) / workSeconds(side, harts);
  }

  private double workSeconds(Side side, int harts) {
    return comparisons.stream()
        .filter(comparison -> comparison.workload().name().equals("smp/scale-" + harts))
        .mapToDouble(comparison -> comparison.median(side, "work"))
        .findFirst()
        .orElse(Double.NaN);
  }

  /** Median, and the least and the greatest if there are more than one. */
  private static String cell(List<Double> values) {
    if (values.isEmpty()) {
      return "";
    }
    String middle = number(Statistics.median(values));
    double low = values.stream().mapToDouble(Double::doubleValue).min().orElseThrow();
    double high = values.stream().mapToDouble(Double::doubleValue).max().orElseThrow();
    return values.size() == 1 ? middle : middle + " (" + number(low) + " .. " + number(high) + ")";
  }

  /** Three digits that mean something; nothing for what is not a number. */
  static String number(double value) {
    if (!Double.isFinite(value) || value == 0) {
      return value == 0 ? "0" : "";
    }
    int whole = (int) Math.floor(Math.log10(Math.max(Math.abs(value), 0.001)));
    return String.format(Locale.ROOT, "%." + Math.max(0, 2 - whole) + "f", value);
  }

  /** The report as JSON with every single value. */
  String json() {
    var workloads =
        comparisons.stream()
            .map(
                comparison -> {
                  var figures = new LinkedHashMap<String, Object>();
                  for (String figure : comparison.figures()) {
                    var sides = new LinkedHashMap<String, Object>();
                    for (Side side : Side.values()) {
                      sides.put(side.name().toLowerCase(Locale.ROOT), comparison.values(side, figure));
                    }
                    sides.put("ratio", comparison.ratio(figure));
                    figures.put(figure, sides);
                  }
                  var object = new LinkedHashMap<String, Object>();
                  object.put("name", comparison.workload().name());
                  object.put("headlines", comparison.workload().headlines());
                  object.put("figures", figures);
                  object.put("problems", comparison.problems());
                  return object;
                })
            .toList();
    var all = new LinkedHashMap<String, Object>();
    all.put("selection", selection.name());
    all.put("conditions", conditions);
    all.put("geometricMean", mean());
    all.put("workloads", workloads);
    return Json.of(all) + "\n";
  }

  /** The headlines' ratios as a picture. */
  String svg() {
    var bars =
        comparisons.stream()
            .flatMap(
                comparison ->
                    comparison.workload().headlines().stream()
                        .map(
                            figure ->
                                new Plot.Bar(
                                    label(comparison.workload(), figure),
                                    comparison.ratio(figure),
                                    comparison.median(Side.HOST, figure) / comparison.median(Side.QEMU, figure))))
            .toList();
    return Plot.svg(selection.title() + ": Ascus / QEMU", bars);
  }

  private static String label(Workload workload, String figure) {
    String step = workload.name().substring(workload.name().indexOf('/') + 1);
    return workload.headlines().size() == 1 ? step : figure;
  }
}
