package org.ascus.benchmarks;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The command line of {@code compare}.
 *
 * @param names selections and workloads to run; empty: all
 * @param explicitOut the folder for reports, if the user named one
 * @param limit after which a run has failed
 */
record Options(
    Set<String> names,
    int runs,
    boolean quick,
    boolean list,
    boolean help,
    Duration limit,
    List<String> ascus,
    List<String> qemu,
    List<String> ascusImg,
    List<String> qemuImg,
    Path guest,
    Path root,
    Optional<Path> explicitOut) {

  static final String HELP =
      """
      usage: compare [OPTION...] [SELECTION | SELECTION/STEP]...
      Runs the same guests on Ascus and QEMU in turn, compares medians, and writes a table, JSON and a plot.
        SELECTION       compute          bare-metal programs, the whole process
                        compute-steady   the same, the rate once warm
                        micro            single costs: traps, page table walks, flushes, switches, MMIO, contention
                        boot             Linux to user space in variants, and a Debian disk to its login
                        guest-bench      openssl, python, gzip, gcc, sysbench, exec, system calls in that Debian
                        disk             fio in that Debian, on raw and qcow2 disks
                        tools            ascus-img beside qemu-img
                        smp              the same work on 1, 2 and 4 harts
                        memory           peak resident memory
                        startup          start of the process to the guest's first line
                        idle             host CPU at the guest's prompt
                        none named: all of them
        --list          print the names of all steps
        --runs N        runs on each side (3, or 1 with --quick)
        --quick         a tenth of the work and no slow steps that are not asked for, to see that everything works
        --out FOLDER    for the reports (docs/benchmarks, and there only from whole selections without --quick)
        --limit SECONDS a run that takes longer has failed (900)
        --ascus COMMAND (launcher/bin/ascus-system-riscv64)
        --qemu COMMAND  (qemu-system-riscv64)
        --ascus-img COMMAND, --qemu-img COMMAND  (launcher/bin/ascus-img, qemu-img)
        --guest FOLDER  the Linux guest ($ASCUS_GUESTS/riscv64, or .guests/riscv64), made by tests/guests/make-guest.sh
      Figures: seconds, but for cpu: seconds of processor time; rss: MiB of peak resident memory; load: processes that
      ran or waited on the machine just before; others: cores that something else took meanwhile; idle: per cent of a
      core; operation: nanoseconds. A ratio below 1: Ascus needs less. "host" is the same C program without an emulator.
      """;

  /** Reads the command line. */
  static Options parse(List<String> args, Path root, List<Selection> selections) throws UserException {
    var names = new LinkedHashSet<String>();
    var flags = new LinkedHashSet<String>();
    var values = new HashMap<String, String>();
    for (int i = 0; i < args.size(); i++) {
      String arg = args.get(i);
      switch (arg) {
        case "--help", "-h", "--list", "--quick" -> flags.add(arg);
        case "--runs", "--out", "--limit", "--ascus", "--qemu", "--ascus-img", "--qemu-img",
            "--guest" -> {
          if (++i == args.size()) {
            throw new UserException(arg + ": a value is missing");
          }
          values.put(arg, args.get(i));
        }
        default -> {
          if (selections.stream().noneMatch(selection -> has(selection, arg))) {
            throw new UserException(arg + ": no such option, selection or step (see --help and --list)");
          }
          names.add(arg);
        }
      }
    }
    boolean quick = flags.contains("--quick");
    String guests = System.getenv("ASCUS_GUESTS");
    Path guest = (guests == null ? root.resolve(".guests") : Path.of(guests)).resolve("riscv64");
    return new Options(
        names,
        number(values, "--runs", quick ? 1 : 3),
        quick,
        flags.contains("--list"),
        flags.contains("--help") || flags.contains("-h"),
        Duration.ofSeconds(number(values, "--limit", 900)),
        words(values.getOrDefault("--ascus", root.resolve("launcher/bin/ascus-system-riscv64").toString())),
        words(values.getOrDefault("--qemu", "qemu-system-riscv64")),
        words(values.getOrDefault("--ascus-img", root.resolve("launcher/bin/ascus-img").toString())),
        words(values.getOrDefault("--qemu-img", "qemu-img")),
        values.containsKey("--guest") ? Path.of(values.get("--guest")) : guest,
        root,
        Optional.ofNullable(values.get("--out")).map(Path::of));
  }

  private static boolean has(Selection selection, String name) {
    return selection.name().equals(name)
        || selection.workloads().stream().anyMatch(workload -> workload.name().equals(name));
  }

  private static List<String> words(String command) {
    return List.of(command.trim().split(" +"));
  }

  private static int number(Map<String, String> values, String option, int otherwise) throws UserException {
    String text = values.get(option);
    if (text == null) {
      return otherwise;
    }
    if (!text.matches("[1-9]\\d{0,6}")) {
      throw new UserException(option + " " + text + ": not a number from 1");
    }
    return Integer.parseInt(text);
  }

  /** The workloads of a selection that are to run. Who names a selection that has slow ones only means those. */
  List<Workload> chosen(Selection selection) {
    boolean named = names.contains(selection.name());
    boolean slowToo = !quick || named && selection.workloads().stream().allMatch(Workload::slow);
    var chosen = new ArrayList<Workload>();
    for (Workload workload : selection.workloads()) {
      boolean whole = names.isEmpty() || named;
      if (names.contains(workload.name()) || whole && (slowToo || !workload.slow())) {
        chosen.add(workload);
      }
    }
    return List.copyOf(chosen);
  }

  /** Where reports go. */
  Path out() {
    return explicitOut.orElse(root.resolve("docs/benchmarks"));
  }

  /** Whether a selection's report is written: parts and quick runs must not take the place of real figures. */
  boolean writes(Selection selection) {
    return explicitOut.isPresent() || !quick && chosen(selection).size() == selection.workloads().size();
  }
}
