package org.ascus.benchmarks;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Runs the same guests on Ascus and on QEMU in turn and prints times, memory and ratios: {@code bin/compare --help}.
 */
public final class Compare {
  private static final List<String> PROGRAMS = List.of("sieve", "fib", "sort", "records", "matrix", "bytecode");
  private static final Map<String, String> BOOTS =
      Map.of(
          "boot", "guest.run=true",
          "boot-mmio", "quiet guest.mods=mmio guest.run=true",
          "boot-none", "quiet guest.mods=none guest.run=true");

  private static final String HELP =
      """
      usage: compare [OPTION...] [WORKLOAD...]
        WORKLOAD          sieve fib sort records matrix bytecode (default: these), or boot boot-mmio boot-none:
                          a Linux boot with all, some and no modules
        --runs N          runs on each emulator, in turn (3)
        --iterations N    iterations in a compute program; the last quarter of them are the steady state (20)
        --limit SECONDS   a run that takes longer has failed (120)
        --ascus COMMAND   (launcher/bin/ascus-system-riscv64)
        --qemu COMMAND    (qemu-system-riscv64)
        --guest FOLDER    the Linux guest (.guests/riscv64, made by tests/guests/make-guest.sh)
        --json FILE       write every figure there
      Figures: wall and marks: seconds to the end of the process and to a line on the console; steady: seconds an
      iteration; cpu: seconds of CPU time; rss: MiB of peak resident memory. A ratio below 1: Ascus needs less.
      """;

  private final Map<String, String> options = new LinkedHashMap<>();
  private final List<String> workloads = new ArrayList<>();

  private Compare(Path root) {
    options.put("--runs", "3");
    options.put("--iterations", "20");
    options.put("--limit", "120");
    options.put("--ascus", root.resolve("launcher/bin/ascus-system-riscv64").toString());
    options.put("--qemu", "qemu-system-riscv64");
    options.put("--guest", root.resolve(".guests/riscv64").toString());
    options.put("--json", "");
  }

  /**
   * Runs the comparison. The first argument is the project's top folder, the others are the user's.
   *
   * <p>Exits with 1 if a run failed or results differ, with 2 if the command line is wrong.
   */
  public static void main(String[] args) throws IOException, InterruptedException {
    Path root = Path.of(args[0]);
    var compare = new Compare(root);
    try {
      compare.parse(List.of(args).subList(1, args.length));
      System.exit(compare.run(root, System.out) ? 0 : 1);
    } catch (UsageException e) {
      System.err.println(e.getMessage());
      System.exit(2);
    }
  }

  private void parse(List<String> args) throws UsageException {
    for (int i = 0; i < args.size(); i++) {
      String arg = args.get(i);
      if (arg.equals("--help") || arg.equals("-h")) {
        throw new UsageException(HELP);
      } else if (options.containsKey(arg)) {
        if (++i == args.size()) {
          throw new UsageException("compare: " + arg + ": a value is missing");
        }
        options.put(arg, args.get(i));
      } else if (PROGRAMS.contains(arg) || BOOTS.containsKey(arg)) {
        workloads.add(arg);
      } else {
        throw new UsageException("compare: " + arg + ": no such option or workload (see --help)");
      }
    }
    if (workloads.isEmpty()) {
      workloads.addAll(PROGRAMS);
    }
  }

  private int number(String option) throws UsageException {
    try {
      return Integer.parseInt(options.get(option));
    } catch (NumberFormatException e) {
      throw new UsageException("compare: " + option + " " + options.get(option) + ": not a number");
    }
  }

  private boolean run(Path root, PrintStream out) throws IOException, InterruptedException, UsageException {
    int runs = number("--runs");
    int iterations = number("--iterations");
    Duration limit = Duration.ofSeconds(number("--limit"));
    List<String> ascus = List.of(options.get("--ascus").split(" +"));
    List<String> qemu = List.of(options.get("--qemu").split(" +"));
    Path elfs = root.resolve("benchmarks/target/guest-" + iterations);
    if (workloads.stream().anyMatch(PROGRAMS::contains)) {
      buildGuests(root, elfs, iterations);
    }
    var comparisons = new ArrayList<Comparison>();
    for (String name : workloads) {
      Workload workload =
          PROGRAMS.contains(name)
              ? Workload.compute(name, elfs.resolve(name + ".elf").toString())
              : Workload.linuxBoot(name, options.get("--guest"), BOOTS.get(name));
      var ofAscus = new ArrayList<Run>();
      var ofQemu = new ArrayList<Run>();
      for (int i = 0; i < runs; i++) {
        System.err.printf("%s: run %d of %d%n", name, i + 1, runs);
        // Who goes first changes, so that neither always finds the machine as the other left it.
        if (i % 2 == 0) {
          ofQemu.add(Run.measure(workload, qemu, limit));
          ofAscus.add(Run.measure(workload, ascus, limit));
        } else {
          ofAscus.add(Run.measure(workload, ascus, limit));
          ofQemu.add(Run.measure(workload, qemu, limit));
        }
      }
      comparisons.add(Comparison.of(name, ofAscus, ofQemu));
    }
    print(comparisons, out);
    if (!options.get("--json").isEmpty()) {
      String all = comparisons.stream().map(Comparison::json).collect(Collectors.joining(",\n ", "[", "]\n"));
      Files.writeString(Path.of(options.get("--json")), all);
    }
    return comparisons.stream().allMatch(comparison -> comparison.problems().isEmpty());
  }

  private static void print(List<Comparison> comparisons, PrintStream out) {
    out.print(Comparison.TABLE_HEAD);
    comparisons.forEach(comparison -> out.print(comparison.tableRows()));
    for (var comparison : comparisons) {
      comparison.problems().forEach(problem -> out.println(comparison.workload() + ": " + problem));
    }
  }

  private static void buildGuests(Path root, Path elfs, int iterations)
      throws IOException, InterruptedException, UsageException {
    String script = root.resolve("benchmarks/bin/build-guests").toString();
    Process build =
        new ProcessBuilder(script, elfs.toString(), Integer.toString(iterations))
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    if (build.waitFor() != 0) {
      throw new UsageException("compare: the guest programs could not be built");
    }
  }

  /** Something for the user to read; the program then ends. */
  private static final class UsageException extends Exception {
    UsageException(String message) {
      super(message);
    }
  }
}
