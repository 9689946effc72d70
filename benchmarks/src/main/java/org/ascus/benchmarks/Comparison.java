package org.ascus.benchmarks;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * The runs of one workload on every side, and what follows from them.
 *
 * @param runs the good runs
 * @param problems runs that failed, and results that differ
 */
record Comparison(Workload workload, Map<Side, List<Run>> runs, List<String> problems) {
  /** Figures that have no ratio. */
  private static final Set<String> OF_THE_MACHINE = Set.of("load", "others");

  /** Sorts runs into good ones and problems. */
  static Comparison of(Workload workload, Map<Side, List<Run>> all) {
    var problems = new ArrayList<String>();
    var good = new EnumMap<Side, List<Run>>(Side.class);
    Set<String> results = new TreeSet<>();
    all.forEach(
        (side, runs) -> {
          good.put(side, runs.stream().filter(Run::good).toList());
          good.get(side).forEach(run -> results.add(run.result()));
          runs.stream()
              .filter(run -> !run.good())
              .forEach(run -> problems.add(side.title() + ": a run failed; it ended with: " + run.tail()));
        });
    if (results.size() > 1) {
      problems.add("results differ: " + String.join(", ", results));
    }
    return new Comparison(workload, good, problems);
  }

  /** Every value of a figure on one side, in the order of runs. */
  List<Double> values(Side side, String figure) {
    return runs.getOrDefault(side, List.of()).stream()
        .map(run -> run.figures().get(figure))
        .filter(value -> value != null)
        .toList();
  }

  /** The median; NaN if there is no value. */
  double median(Side side, String figure) {
    return Statistics.median(values(side, figure));
  }

  /** The names of all figures. */
  Set<String> figures() {
    var names = new LinkedHashSet<String>(workload.headlines());
    runs.values().forEach(list -> list.forEach(run -> names.addAll(run.figures().keySet())));
    names.removeIf(name -> runs.keySet().stream().allMatch(side -> values(side, name).isEmpty()));
    return names;
  }

  /** Median of Ascus over median of QEMU: below 1, Ascus needs less. NaN if either is missing. */
  double ratio(String figure) {
    return OF_THE_MACHINE.contains(figure) ? Double.NaN : median(Side.ASCUS, figure) / median(Side.QEMU, figure);
  }
}
