package org.ascus.benchmarks;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * The runs of one workload on both emulators, and what follows from them.
 *
 * @param workload name
 * @param ascus the good runs on Ascus
 * @param qemu the good runs on QEMU
 * @param problems runs that failed, and results that differ
 */
record Comparison(String workload, List<Run> ascus, List<Run> qemu, List<String> problems) {

  /** Sorts runs into good ones and problems. */
  static Comparison of(String workload, List<Run> ascus, List<Run> qemu) {
    var problems = new ArrayList<String>();
    reportFailures("Ascus", ascus, problems);
    reportFailures("QEMU", qemu, problems);
    Set<String> results = new TreeSet<>();
    for (var runs : List.of(ascus, qemu)) {
      runs.stream().filter(Run::good).map(Run::result).forEach(results::add);
    }
    if (results.size() > 1) {
      problems.add("results differ: " + String.join(", ", results));
    }
    return new Comparison(
        workload, ascus.stream().filter(Run::good).toList(), qemu.stream().filter(Run::good).toList(), problems);
  }

  private static void reportFailures(String side, List<Run> runs, List<String> problems) {
    for (Run run : runs) {
      if (!run.good()) {
        var tail = run.console().subList(Math.max(0, run.console().size() - 3), run.console().size());
        problems.add(side + ": a run failed; it ended with: " + String.join(" / ", tail));
      }
    }
  }

  /** The middle value, or the mean of the two middle ones; NaN of none. */
  static double median(List<Double> values) {
    if (values.isEmpty()) {
      return Double.NaN;
    }
    var sorted = values.stream().sorted().toList();
    int middle = sorted.size() / 2;
    return sorted.size() % 2 == 1 ? sorted.get(middle) : (sorted.get(middle - 1) + sorted.get(middle)) / 2;
  }

  private static List<Double> values(List<Run> runs, String figure) {
    return runs.stream().map(Run::figures).filter(all -> all.containsKey(figure)).map(all -> all.get(figure)).toList();
  }

  private Set<String> figures() {
    var names = new LinkedHashSet<String>();
    qemu.forEach(run -> names.addAll(run.figures().keySet()));
    ascus.forEach(run -> names.addAll(run.figures().keySet()));
    return names;
  }

  /** Median of Ascus over median of QEMU: below 1, Ascus needs less. NaN if either is missing. */
  double ratio(String figure) {
    return median(values(ascus, figure)) / median(values(qemu, figure));
  }

  /** Rows of a Markdown table with the columns of {@link #TABLE_HEAD}. */
  String tableRows() {
    return figures().stream()
        .map(
            figure ->
                String.format(
                    Locale.ROOT,
                    "| %s | %s | %s | %s | %s |%n",
                    workload,
                    figure,
                    cell(values(ascus, figure)),
                    cell(values(qemu, figure)),
                    Double.isNaN(ratio(figure)) ? "" : String.format(Locale.ROOT, "%.2f", ratio(figure))))
        .collect(Collectors.joining());
  }

  static final String TABLE_HEAD =
      String.format("| workload | figure | Ascus | QEMU | Ascus / QEMU |%n| --- | --- | --- | --- | --- |%n");

  private static String cell(List<Double> values) {
    if (values.isEmpty()) {
      return "";
    }
    double low = values.stream().mapToDouble(Double::doubleValue).min().orElseThrow();
    double high = values.stream().mapToDouble(Double::doubleValue).max().orElseThrow();
    String middle = number(median(values));
    return values.size() == 1 ? middle : middle + " (" + number(low) + " .. " + number(high) + ")";
  }

  private static String number(double value) {
    return String.format(Locale.ROOT, value < 10 ? "%.3f" : "%.1f", value);
  }

  /** This comparison as a JSON object with every single figure. */
  String json() {
    String figures =
        figures().stream()
            .map(
                figure ->
                    String.format(
                        Locale.ROOT,
                        "%s:{\"ascus\":%s,\"qemu\":%s,\"ratio\":%s}",
                        quote(figure),
                        values(ascus, figure),
                        values(qemu, figure),
                        Double.isFinite(ratio(figure)) ? ratio(figure) : "null"))
            .collect(Collectors.joining(","));
    String troubles = problems.stream().map(Comparison::quote).collect(Collectors.joining(","));
    return "{\"workload\":" + quote(workload) + ",\"figures\":{" + figures + "},\"problems\":[" + troubles + "]}";
  }

  static String quote(String text) {
    var quoted = new StringBuilder("\"");
    for (char c : text.toCharArray()) {
      if (c == '"' || c == '\\') {
        quoted.append('\\').append(c);
      } else if (c < ' ' || c > '~') {
        quoted.append(String.format("\\u%04x", (int) c));
      } else {
        quoted.append(c);
      }
    }
    return quoted.append('"').toString();
  }
}
