package org.ascus.benchmarks;

import java.util.List;

/**
 * Workloads that share a report.
 *
 * @param name on the command line, and of the report's files
 * @param title of the report
 * @param explanation what its figures are, in Markdown
 * @param meanAim the most that the geometric mean of the headlines' ratios should be; NaN: no aim
 */
record Selection(String name, String title, String explanation, double meanAim, List<Workload> workloads) {}
