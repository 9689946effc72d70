package org.ascus.polyglot;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;

/** Processor time of this process by what its threads are for, as Linux tells it in {@code /proc} (proc(5)). */
final class HostThreads {
  /** What a thread is for. */
  enum Purpose {
    GUEST("guest CPUs"),
    HOTSPOT("compiling by HotSpot"),
    GRAAL("compiling by Graal"),
    REGIONS("making regions"),
    COLLECTOR("garbage collection"),
    DEVICES("clock, devices and monitor"),
    OTHER("starting and everything else");

    private final String title;

    Purpose(String title) {
      this.title = title;
    }

    String title() {
      return title;
    }
  }

  /** The unit of times there, the same on every Linux that a JDK runs on. */
  private static final double TICKS_PER_SECOND = 100;

  /** User and system time, counted from the field after the name, which is in parentheses. */
  private static final int UTIME = 11;

  private static final int STIME = 12;
  private static final Path SELF = Path.of("/proc/self");

  private HostThreads() {}

  /** Seconds by purpose, threads that have ended with {@link Purpose#OTHER}; empty if the host does not tell. */
  static Optional<Map<Purpose, Double>> seconds() {
    Map<Purpose, Double> seconds = new EnumMap<>(Purpose.class);
    double living = 0;
    try (DirectoryStream<Path> tasks = Files.newDirectoryStream(SELF.resolve("task"))) {
      for (Path task : tasks) {
        String stat = stat(task);
        if (!stat.isEmpty()) {
          living += seconds(stat);
          seconds.merge(purpose(stat), seconds(stat), Double::sum);
        }
      }
      double all = seconds(Files.readString(SELF.resolve("stat")));
      seconds.merge(Purpose.OTHER, Math.max(0, all - living), Double::sum);
      return Optional.of(seconds);
    } catch (IOException | IllegalArgumentException e) {
      return Optional.empty();
    }
  }

  /** Empty for a thread that has ended meanwhile. */
  private static String stat(Path task) {
    try {
      return Files.readString(task.resolve("stat"));
    } catch (IOException e) {
      return "";
    }
  }

  static double seconds(String stat) {
    String[] fields = stat.substring(stat.lastIndexOf(')') + 1).trim().split(" ");
    return (Long.parseLong(fields[UTIME]) + Long.parseLong(fields[STIME])) / TICKS_PER_SECOND;
  }

  /** By the first 15 characters of the thread's name. */
  static Purpose purpose(String stat) {
    String name = stat.substring(stat.indexOf('(') + 1, stat.lastIndexOf(')'));
    if (name.startsWith("ascus-cpu")) {
      return Purpose.GUEST;
    }
    if (name.startsWith("ascus-bytecode") || name.startsWith("ascus-late")) {
      return Purpose.REGIONS;
    }
    if (name.startsWith("ascus-") && !name.startsWith("ascus-pr")) {
      return Purpose.DEVICES;
    }
    if (name.startsWith("C1 ") || name.startsWith("C2 ")) {
      return Purpose.HOTSPOT;
    }
    if (name.startsWith("TruffleCompiler") || name.startsWith("JVMCI")) {
      return Purpose.GRAAL;
    }
    return name.equals("VM Thread") || name.startsWith("G1 ") || name.startsWith("GC ")
        ? Purpose.COLLECTOR
        : Purpose.OTHER;
  }
}
