package org.ascus.benchmarks;

import java.io.IOException;
import java.io.InputStreamReader;
import java.io.Reader;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * What one run of a process showed.
 *
 * <p>{@code load} and {@code others} are about the machine: the load just before, and how many cores were busy with
 * something else meanwhile; servers for the guest are not something else.
 *
 * @param result the guest's own result, such as a checksum; empty if the run did not end well
 * @param figures name to value: {@code wall} (seconds to the end of the process), {@code cpu} (seconds of processor
 *     time), {@code rss} (MiB of peak resident memory), {@code load}, {@code others}, those of the workload's
 *     turns and of {@link Transcript#figures}
 * @param tail the last that was printed
 */
record Run(String result, Map<String, Double> figures, String tail) {
  private static final double DISTURBING_CORES = 0.15;
  /** What it takes besides: the clock that tells how busy the machine was is a coarse one. */
  private static final double DISTURBING_SECONDS = 0.1;

  /** How often memory is looked at; short runs need it more often and long ones should not be disturbed. */
  private static final long FIRST_SAMPLES_MILLIS = 2;
  private static final long SAMPLE_MILLIS = 20;
  private static final int FIRST_SAMPLES = 100;
  private static final long STOP_SECONDS = 5;

  boolean good() {
    return !result.isEmpty();
  }

  /** Whether something else took so much of the machine that the run says little. */
  boolean disturbed() {
    double others = figures.getOrDefault("others", 0.0);
    return others > DISTURBING_CORES && others * figures.getOrDefault("wall", 1.0) > DISTURBING_SECONDS;
  }

  /**
   * Runs a command once and measures it.
   *
   * @param limit after which the process is killed and the run is no good
   * @param environment variables that it has besides this process's
   */
  static Run measure(List<String> command, List<Turn> turns, Duration limit, Map<String, String> environment)
      throws IOException, InterruptedException {
    var figures = new LinkedHashMap<String, Double>();
    double load = Usage.load();
    double machineBefore = Usage.machineSeconds();
    double childrenBefore = Usage.endedChildrenSeconds();
    double ownBefore = Usage.ownSeconds();
    long start = System.nanoTime();
    var builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().putAll(environment);
    Process process = builder.start();
    var killer = new Thread(process::destroyForcibly);
    Runtime.getRuntime().addShutdownHook(killer);
    var transcript = new Transcript();
    var sampler = new Sampler(process, start + limit.toNanos());
    Thread reader = Thread.ofPlatform().daemon().start(() -> read(process, transcript, start));
    Thread sampling = Thread.ofPlatform().daemon().start(sampler);
    boolean followed = follow(turns, process, transcript, limit, figures);
    boolean stopped = followed && turns.getLast() instanceof Turn.Stop;
    process.waitFor();
    double wall = (System.nanoTime() - start) / 1e9;
    sampling.join();
    reader.join();
    Runtime.getRuntime().removeShutdownHook(killer);
    if (!stopped) {
      figures.put("wall", wall);
    }
    figures.putAll(transcript.figures());
    double cpu = Usage.endedChildrenSeconds() - childrenBefore;
    double own = Usage.ownSeconds() - ownBefore;
    double others = Usage.machineSeconds() - machineBefore - cpu - own;
    figures.put("cpu", cpu);
    if (sampler.peakMebibytes > 0) {
      figures.put("rss", sampler.peakMebibytes);
    }
    figures.put("load", load);
    if (Double.isFinite(others)) {
      figures.put("others", Math.max(0, others / wall));
    }
    String result = followed ? stopped ? "stopped" : "ended" : process.exitValue() == 0 ? transcript.result() : "";
    return new Run(result, figures, sampler.expired ? transcript.tail() + " (time over)" : transcript.tail());
  }

  private static void read(Process process, Transcript transcript, long start) {
    var buffer = new char[8192];
    try (Reader in = new InputStreamReader(process.getInputStream(), StandardCharsets.ISO_8859_1)) {
      for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
        transcript.append(new String(buffer, 0, count), (System.nanoTime() - start) / 1e9);
      }
    } catch (IOException e) {
      transcript.append("[" + e + "]", (System.nanoTime() - start) / 1e9);
    }
    transcript.end();
  }

  /** True if the turns ended with a stop or a good end. A text that does not come ends the process. */
  private static boolean follow(
      List<Turn> turns, Process process, Transcript transcript, Duration limit, Map<String, Double> figures)
      throws IOException, InterruptedException {
    int offset = 0;
    for (Turn turn : turns) {
      switch (turn) {
        case Turn.Await(String text, String figure) -> {
          var found = transcript.await(text, offset, limit);
          if (found.isEmpty()) {
            process.destroyForcibly();
            return false;
          }
          offset = found.getAsInt();
          figures.put(figure, transcript.at(offset));
        }
        case Turn.Send(String text) -> {
          process.getOutputStream().write(text.getBytes(StandardCharsets.ISO_8859_1));
          process.getOutputStream().flush();
        }
        case Turn.Watch(Duration settle, Duration window, String figure) -> {
          Thread.sleep(settle);
          double before = Usage.seconds(process.toHandle());
          long from = System.nanoTime();
          Thread.sleep(window);
          double used = Usage.seconds(process.toHandle()) - before;
          if (Double.isNaN(used)) {
            return false;
          }
          figures.put(figure, 100 * used / ((System.nanoTime() - from) / 1e9));
        }
        case Turn.Stop() -> {
          if (!process.isAlive()) {
            return false;
          }
          process.destroy();
          if (!process.waitFor(STOP_SECONDS, TimeUnit.SECONDS)) {
            process.destroyForcibly();
          }
          return true;
        }
        case Turn.End() -> {
          return process.waitFor() == 0;
        }
      }
    }
    return false;
  }

  /** The same run when it turns out that it was no good. */
  Run spoilt(String why) {
    return new Run("", figures, tail + " / " + why);
  }

  /** Watches the peak of memory, which is gone when the process is, and the clock. */
  private static final class Sampler implements Runnable {
    private final Process process;
    private final long deadline;
    private volatile double peakMebibytes;
    private volatile boolean expired;

    Sampler(Process process, long deadline) {
      this.process = process;
      this.deadline = deadline;
    }

    @Override
    public void run() {
      try {
        int samples = 0;
        do {
          // The last one before the end counts: a wrapper script's own peak is gone when it becomes the emulator.
          double now = Usage.peakMebibytes(process.toHandle());
          peakMebibytes = now > 0 ? now : peakMebibytes;
          if (System.nanoTime() > deadline && !expired) {
            expired = true;
            process.destroyForcibly();
          }
          samples++;
        } while (!process.waitFor(
            samples < FIRST_SAMPLES ? FIRST_SAMPLES_MILLIS : SAMPLE_MILLIS, TimeUnit.MILLISECONDS));
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
