package org.ascus.benchmarks;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * What one run of an emulator process showed.
 *
 * @param result the guest's own result, such as a checksum; empty if the run did not end well
 * @param figures name to value: {@code wall} (seconds to the end of the process), {@code steady} (seconds an
 *     iteration), {@code cpu} (seconds of CPU time), {@code rss} (MiB of peak resident memory), and seconds to each
 *     mark
 * @param console what the guest printed
 */
record Run(String result, Map<String, Double> figures, List<String> console) {
  private static final long SAMPLE_MILLIS = 20;

  boolean good() {
    return !result.isEmpty();
  }

  /**
   * Runs a workload once and measures it.
   *
   * @param emulator the emulator's command and leading arguments
   * @param limit after which the process is killed and the run is no good
   */
  static Run measure(Workload workload, List<String> emulator, Duration limit)
      throws IOException, InterruptedException {
    var builder = new ProcessBuilder(workload.command(emulator));
    builder.redirectErrorStream(true).redirectInput(new File("/dev/null"));
    long start = System.nanoTime();
    Process process = builder.start();
    var usage = new Usage(process);
    Thread sampler = Thread.ofPlatform().daemon().start(() -> usage.sample(start + limit.toNanos()));

    var console = new ArrayList<String>();
    var figures = new LinkedHashMap<String, Double>();
    var iterationEnds = new ArrayList<Double>();
    String result = "";
    try (var lines = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.ISO_8859_1))) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        double now = secondsSince(start);
        console.add(line);
        for (String mark : workload.marks()) {
          if (line.contains(mark)) {
            figures.putIfAbsent(mark, now);
          }
        }
        if (workload.iteration().matcher(line).find()) {
          iterationEnds.add(now);
        }
        var done = workload.done().matcher(line);
        if (done.find()) {
          result = done.group("result");
        }
      }
    }
    process.waitFor();
    figures.put("wall", secondsSince(start));
    sampler.join();
    Workload.steadyState(iterationEnds).ifPresent(seconds -> figures.put("steady", seconds));
    figures.put("cpu", usage.cpuSeconds);
    figures.put("rss", usage.peakMebibytes);
    return new Run(process.exitValue() == 0 ? result : "", figures, console);
  }

  private static double secondsSince(long start) {
    return (System.nanoTime() - start) / 1e9;
  }

  /** CPU time and peak memory of a process, sampled because they are gone when it has ended. */
  private static final class Usage {
    private final Process process;
    private volatile double cpuSeconds;
    private volatile double peakMebibytes;

    Usage(Process process) {
      this.process = process;
    }

    void sample(long deadline) {
      Path status = Path.of("/proc", Long.toString(process.pid()), "status");
      try {
        do {
          process.info().totalCpuDuration().ifPresent(time -> cpuSeconds = time.toNanos() / 1e9);
          readPeak(status);
          if (System.nanoTime() > deadline) {
            process.destroyForcibly();
          }
        } while (!process.waitFor(SAMPLE_MILLIS, TimeUnit.MILLISECONDS));
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }

    private void readPeak(Path status) {
      try {
        for (String line : Files.readAllLines(status)) {
          if (line.startsWith("VmHWM:")) {
            peakMebibytes = Long.parseLong(line.replaceAll("\\D", "")) / 1024.0;
          }
        }
      } catch (IOException e) {
        // The process has just ended: the last sample stands.
      }
    }
  }
}
