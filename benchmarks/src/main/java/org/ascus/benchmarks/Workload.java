package org.ascus.benchmarks;

import java.io.IOException;
import java.util.List;

/**
 * Something to run on every side, with a name of its own: {@code SELECTION/STEP}.
 *
 * @param name of the workload on the command line and in reports
 * @param slow left out of quick runs, unless it is named
 * @param headlines the figures that are drawn and count in the selection's mean
 * @param aims what they should come to
 * @param turns how its console is followed; none: it is run to its end
 * @param preparation makes what it needs
 */
record Workload(
    String name, boolean slow, List<String> headlines, List<Aim> aims, List<Turn> turns, Preparation preparation) {

  /** Which of a side's programs is started. */
  enum Program { EMULATOR, IMAGE_TOOL }

  /**
   * What is started.
   *
   * @param arguments of the program, in QEMU's spelling, the same for both
   * @param host the command of the program's form for this machine; empty if it has none
   * @param before commands of this machine that make what each run needs anew
   * @param after commands of this machine that must succeed behind a run, or its result is no good
   * @param again whether an emulator finds what it has kept of a run before; if not each run is its first ever
   */
  record Commands(
      Program program,
      List<String> arguments,
      List<String> host,
      List<List<String>> before,
      List<List<String>> after,
      boolean again) {

    /** An emulator that needs nothing but its arguments. */
    Commands(List<String> arguments, List<String> host) {
      this(Program.EMULATOR, arguments, host, List.of(), List.of());
    }

    /** Each run is the first ever. */
    Commands(
        Program program, List<String> arguments, List<String> host, List<List<String>> before,
        List<List<String>> after) {
      this(program, arguments, host, before, after, false);
    }

    /** The same for an emulator that finds what it has kept. */
    Commands onceMore() {
      return new Commands(program, arguments, host, before, after, true);
    }
  }

  /** Makes what a workload needs, such as the program that is to run. */
  interface Preparation {
    Commands prepare(Lab lab) throws IOException, InterruptedException, UserException;
  }
}
