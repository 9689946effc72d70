package org.ascus.benchmarks;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Runs the same guests on Ascus and on QEMU in turn and reports times, memory and ratios: {@code compare --help}. */
public final class Compare {
  /** A machine that does something else besides gives figures that are worth little. */
  private static final double BUSY = 0.5;

  private final Options options;
  private final Lab lab;
  private final PrintStream out;
  private final Map<String, String> conditions = new LinkedHashMap<>();

  private Compare(Options options, Path root, PrintStream out) {
    this.options = options;
    this.lab = new Lab(root, options.guest(), options.quick());
    this.out = out;
  }

  /**
   * Runs the comparison. The first argument is the project's top folder, the others are the user's.
   *
   * <p>Exits with 1 if a run failed or results differ, with 2 if the command line is wrong or something is missing.
   */
  public static void main(String[] args) throws IOException, InterruptedException {
    try {
      Path root = Path.of(args[0]);
      var selections = Catalogue.selections();
      var options = Options.parse(List.of(args).subList(1, args.length), root, selections);
      if (options.help()) {
        System.out.print(Options.HELP);
      } else if (options.list()) {
        selections.forEach(selection -> selection.workloads().forEach(workload -> System.out.println(workload.name())));
      } else {
        System.exit(new Compare(options, root, System.out).run(selections) ? 0 : 1);
      }
    } catch (UserException e) {
      System.err.println("compare: " + e.getMessage());
      System.exit(2);
    }
  }

  private boolean run(List<Selection> selections) throws IOException, InterruptedException, UserException {
    describeConditions();
    boolean good = true;
    for (Selection selection : selections) {
      var chosen = options.chosen(selection);
      if (!chosen.isEmpty()) {
        var comparisons = new ArrayList<Comparison>();
        for (Workload workload : chosen) {
          comparisons.add(compare(workload));
        }
        var report = new Report(selection, conditions, List.copyOf(comparisons));
        out.println(report.table());
        out.println(report.summary());
        if (options.writes(selection)) {
          write(report);
        }
        good &= report.good();
      }
    }
    return good;
  }

  private void write(Report report) throws IOException {
    Path folder = Files.createDirectories(options.out());
    Path file = folder.resolve(report.selection().name());
    Files.writeString(Path.of(file + ".md"), report.markdown());
    Files.writeString(Path.of(file + ".json"), report.json());
    Files.writeString(Path.of(file + ".svg"), report.svg());
    out.println("written: " + file + ".md, .json and .svg\n");
  }

  /** Asking for the versions also makes what the first start of Ascus makes. */
  private void describeConditions() throws IOException, InterruptedException, UserException {
    conditions.put("date", LocalDate.now().toString());
    conditions.put("runs on each side, in turn", options.runs() + (options.quick() ? ", a tenth of the work" : ""));
    conditions.put(
        "machine",
        "%d cores, %s, %s %s".formatted(Runtime.getRuntime().availableProcessors(), processor(),
            System.getProperty("os.name"), System.getProperty("os.version")));
    conditions.put("Ascus", version(options.ascus()));
    conditions.put("QEMU", version(options.qemu()));
    conditions.put("JDK", System.getProperty("java.vm.name") + " " + System.getProperty("java.vm.version"));
    if (Usage.load() > BUSY) {
      System.err.printf("compare: the machine is busy (load %.2f): figures will be worth little%n", Usage.load());
    }
  }

  private static String processor() throws IOException {
    Path info = Path.of("/proc/cpuinfo");
    if (!Files.exists(info)) {
      return System.getProperty("os.arch");
    }
    return Files.readString(info)
        .lines()
        .filter(line -> line.startsWith("model name"))
        .map(line -> line.substring(line.indexOf(':') + 2))
        .findFirst()
        .orElse(System.getProperty("os.arch"));
  }

  private static String version(List<String> emulator) throws IOException, InterruptedException, UserException {
    var command = new ArrayList<>(emulator);
    command.add("--version");
    try {
      Process process = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
      String first = new String(process.getInputStream().readAllBytes()).lines().findFirst().orElse("");
      if (process.waitFor() == 0) {
        return first;
      }
    } catch (IOException e) {
      throw new UserException(emulator.getFirst() + ": cannot be started: " + e.getMessage());
    }
    throw new UserException(emulator.getFirst() + " --version: failed");
  }

  /** A workload that lacks something is a problem of its own and does not end those before and after it. */
  private Comparison compare(Workload workload) throws IOException, InterruptedException {
    try {
      return compare(workload, workload.preparation().prepare(lab));
    } catch (UserException e) {
      System.err.println(workload.name() + ": " + e.getMessage());
      return new Comparison(workload, Map.of(), List.of("not run: " + e.getMessage()));
    }
  }

  private Comparison compare(Workload workload, Workload.Commands commands)
      throws IOException, InterruptedException, UserException {
    boolean emulator = commands.program() == Workload.Program.EMULATOR;
    var runs = new EnumMap<Side, List<Run>>(Side.class);
    for (int i = 0; i < options.runs(); i++) {
      // Who goes first changes, so that neither always finds the machine as the other left it.
      var order = i % 2 == 0 ? List.of(Side.QEMU, Side.ASCUS, Side.HOST) : List.of(Side.ASCUS, Side.QEMU, Side.HOST);
      for (Side side : order) {
        var command = new ArrayList<String>();
        switch (side) {
          case ASCUS -> command.addAll(emulator ? options.ascus() : options.ascusImg());
          case QEMU -> command.addAll(emulator ? options.qemu() : options.qemuImg());
          case HOST -> command.addAll(commands.host());
        }
        if (side != Side.HOST) {
          command.addAll(commands.arguments());
        }
        if (!command.isEmpty()) {
          Run run = once(command, workload, commands);
          if (i == 0 && commands.again()) {
            run = once(command, workload, commands);
          }
          runs.computeIfAbsent(side, key -> new ArrayList<>()).add(run);
          System.err.printf("%s: run %d of %d on %s: %s%n", workload.name(), i + 1, options.runs(), side.title(),
              run.good() ? headlines(workload, run) : "failed");
        }
      }
    }
    return Comparison.of(workload, runs);
  }

  private Run once(List<String> command, Workload workload, Workload.Commands commands)
      throws IOException, InterruptedException, UserException {
    renew(commands.before());
    if (!commands.again()) {
      lab.forgetRuns();
    }
    var environment = Map.of("XDG_CACHE_HOME", lab.cache().toString());
    return checked(Run.measure(command, workload.turns(), options.limit(), environment), commands.after());
  }

  private static void renew(List<List<String>> commands) throws IOException, InterruptedException, UserException {
    for (List<String> command : commands) {
      if (Lab.call(command) != 0) {
        throw new UserException("failed: " + String.join(" ", command));
      }
    }
  }

  private static Run checked(Run run, List<List<String>> commands) throws IOException, InterruptedException {
    for (List<String> command : run.good() ? commands : List.<List<String>>of()) {
      if (Lab.call(command) != 0) {
        return run.spoilt("failed: " + String.join(" ", command));
      }
    }
    return run;
  }

  private static String headlines(Workload workload, Run run) {
    var text = new ArrayList<String>();
    for (String figure : workload.headlines()) {
      if (run.figures().containsKey(figure)) {
        text.add(figure + " " + Report.number(run.figures().get(figure)));
      }
    }
    return String.join(", ", text);
  }
}
