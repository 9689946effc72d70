package org.ascus.benchmarks;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import java.util.regex.Pattern;

/**
 * A guest to run, and what to look for on its console.
 *
 * @param name of the workload in reports
 * @param arguments the emulator's command line after the program's name; QEMU's options, the same for both sides
 * @param marks texts that the guest prints; the time to the first line that has one is measured
 * @param iteration matches one line per iteration of the guest's work, for the steady state; may match nothing
 * @param done matches the line that ends a good run; its group {@code result} must be the same on both sides
 */
record Workload(String name, List<String> arguments, List<String> marks, Pattern iteration, Pattern done) {

  /** A program of {@code src/guest}: bare metal, one checksum line per iteration. */
  static Workload compute(String program, String elf) {
    return new Workload(
        program,
        List.of("-M", "virt", "-m", "128M", "-nographic", "-bios", "none", "-kernel", elf),
        List.of(),
        Pattern.compile("BENCH-ITER n=\\d+ "),
        Pattern.compile("BENCH-DONE .*(?<result>checksum=\\w+)"));
  }

  /** A boot of the test guest in {@code folder}, as {@code tests/guests/make-guest.sh} makes it, to power-off. */
  static Workload linuxBoot(String name, String folder, String words) {
    return new Workload(
        name,
        List.of(
            "-M", "virt", "-m", "512M", "-smp", "1", "-nographic", "-no-reboot",
            "-bios", folder + "/fw/fw_dynamic.bin",
            "-kernel", folder + "/Image",
            "-initrd", folder + "/initramfs.cpio.gz",
            "-append", "console=ttyS0 " + words),
        List.of("Linux version", "GUEST-READY"),
        Pattern.compile("(?!)"),
        Pattern.compile("GUEST-DONE (?<result>rc=\\d+)"));
  }

  /**
   * Seconds that an iteration takes once the emulator is warm: the mean over the last quarter of the iterations, at
   * least two; empty where there are fewer than four.
   *
   * @param ends seconds from the start of the process to the end of each iteration
   */
  static OptionalDouble steadyState(List<Double> ends) {
    if (ends.size() < 4) {
      return OptionalDouble.empty();
    }
    int last = ends.size() - 1;
    int first = last - Math.max(2, ends.size() / 4);
    return OptionalDouble.of((ends.get(last) - ends.get(Math.max(0, first))) / (last - Math.max(0, first)));
  }

  /** The whole command line for the emulator whose own command is given. */
  List<String> command(List<String> emulator) {
    var command = new ArrayList<>(emulator);
    command.addAll(arguments);
    return command;
  }
}
