package org.ascus.benchmarks;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/** What processes use of the machine, on Linux. */
final class Usage {
  private static final int RUSAGE_CHILDREN = -1;
  /** struct rusage begins with two struct timeval: user and system time, each in seconds and microseconds. */
  private static final long RUSAGE_SIZE = 256;

  /** The unit of {@code /proc/stat}, the same on every Linux that a JDK runs on. */
  private static final double TICKS_PER_SECOND = 100;

  private Usage() {}

  /** Seconds of processor time of all processes that this one started and that have ended, with theirs. */
  static double endedChildrenSeconds() {
    Linker linker = Linker.nativeLinker();
    MethodHandle getrusage =
        linker.downcallHandle(
            linker.defaultLookup().findOrThrow("getrusage"),
            FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.ADDRESS));
    try (var arena = Arena.ofConfined()) {
      MemorySegment usage = arena.allocate(RUSAGE_SIZE, 8);
      int failed = (int) getrusage.invokeExact(RUSAGE_CHILDREN, usage);
      if (failed != 0) {
        throw new IllegalStateException("getrusage failed");
      }
      double seconds = 0;
      for (int i = 0; i < 2; i++) {
        seconds += usage.getAtIndex(ValueLayout.JAVA_LONG, 2 * i);
        seconds += usage.getAtIndex(ValueLayout.JAVA_LONG, 2 * i + 1) / 1e6;
      }
      return seconds;
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException("getrusage", e);
    }
  }

  /** Seconds of processor time of a running process so far, to a hundredth; NaN if it has ended. */
  static double seconds(ProcessHandle process) {
    return process.info().totalCpuDuration().map(time -> time.toNanos() / 1e9).orElse(Double.NaN);
  }

  /** Seconds of processor time of this process and of those that it has running, such as {@link HostServers}. */
  static double ownSeconds() {
    ProcessHandle own = ProcessHandle.current();
    return Stream.concat(Stream.of(own), own.children())
        .mapToDouble(Usage::seconds)
        .filter(Double::isFinite)
        .sum();
  }

  /** MiB of the peak resident memory of a running process; 0 if it has ended. */
  static double peakMebibytes(ProcessHandle process) {
    try {
      return peakMebibytes(Files.readString(Path.of("/proc", Long.toString(process.pid()), "status")));
    } catch (IOException e) {
      return 0;
    }
  }

  /** MiB of the peak in the text of a {@code /proc/PID/status}; 0 if it is not there (a process that is ending). */
  static double peakMebibytes(String status) {
    return status
        .lines()
        .filter(line -> line.startsWith("VmHWM:"))
        .mapToDouble(line -> Long.parseLong(line.replaceAll("\\D", "")) / 1024.0)
        .findFirst()
        .orElse(0);
  }

  /** Seconds of processor time of the whole machine since it started, idle time left out; NaN if it is not told. */
  static double machineSeconds() {
    try {
      return machineSeconds(Files.readString(Path.of("/proc/stat")));
    } catch (IOException e) {
      return Double.NaN;
    }
  }

  /**
   * The same from the text of {@code /proc/stat}, whose first line has hundredths of seconds: user, nice, system, idle,
   * waiting, interrupts (two), and what a hypervisor gave to others. Later ones are in those already.
   */
  static double machineSeconds(String stat) {
    String[] fields = stat.lines().findFirst().orElse("").split(" +");
    double ticks = 0;
    for (int field : new int[] {1, 2, 3, 6, 7, 8}) {
      ticks += field < fields.length ? Long.parseLong(fields[field]) : Double.NaN;
    }
    return ticks / TICKS_PER_SECOND;
  }

  /** How many processes ran or waited for a processor, on average over the last minute. */
  static double load() {
    try {
      return Double.parseDouble(Files.readString(Path.of("/proc/loadavg")).split(" ")[0]);
    } catch (IOException e) {
      return Double.NaN;
    }
  }
}
