package org.ascus.benchmarks;

import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a process printed and when. One thread writes, another may wait for texts.
 *
 * <p>The figures come from lines that the guests print: {@code BENCH-START}, {@code BENCH-ITER} and {@code BENCH-DONE}
 * of the bare-metal programs (see {@code src/guest/bench.c}), {@code BENCH-BEGIN} and {@code BENCH-END} around each
 * piece of work in a Linux guest, and {@code GUEST-DONE} of its init.
 */
final class Transcript {
  private static final Pattern LINE = Pattern.compile("[^\r\n]+");
  private static final Pattern START = Pattern.compile("BENCH-START name=\\S+ iterations=\\d+ operations=(\\d+)");
  private static final Pattern BEGIN = Pattern.compile("BENCH-BEGIN (\\S+)");
  private static final Pattern END = Pattern.compile("BENCH-END (\\S+) rc=(\\d+) result=(\\S*)");
  private static final Pattern DONE = Pattern.compile("BENCH-DONE .*(checksum=\\w+)|GUEST-DONE (rc=0)");

  private final StringBuilder text = new StringBuilder();
  private final List<Chunk> chunks = new ArrayList<>();
  private boolean ended;

  /** Text up to the offset had come at that many seconds. */
  private record Chunk(int end, double at) {}

  /** Adds text that came at that many seconds from the start of the process. */
  synchronized void append(String more, double at) {
    text.append(more);
    chunks.add(new Chunk(text.length(), at));
    notifyAll();
  }

  /** There will be no more. */
  synchronized void end() {
    ended = true;
    notifyAll();
  }

  /**
   * Waits for a text.
   *
   * @param from where in the transcript to look
   * @return the offset after it; empty if the process ended or time is over without it
   */
  synchronized OptionalInt await(String wanted, int from, Duration limit) throws InterruptedException {
    long deadline = System.nanoTime() + limit.toNanos();
    while (true) {
      int found = text.indexOf(wanted, from);
      if (found >= 0) {
        return OptionalInt.of(found + wanted.length());
      }
      long left = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
      if (ended || left <= 0) {
        return OptionalInt.empty();
      }
      wait(left);
    }
  }

  /** When the text up to the offset had come, in seconds from the start of the process. */
  synchronized double at(int offset) {
    int low = 0;
    int high = chunks.size() - 1;
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (chunks.get(middle).end() < offset) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return chunks.isEmpty() ? 0 : chunks.get(low).at();
  }

  /** The last lines, for a message. */
  synchronized String tail() {
    var lines = text.toString().lines().filter(line -> !line.isBlank()).toList();
    return String.join(" / ", lines.subList(Math.max(0, lines.size() - 3), lines.size()));
  }

  /**
   * The figures that the guest's lines give.
   *
   * <ul>
   *   <li>{@code start}: seconds to the guest's first line
   *   <li>{@code work}: seconds from there to its last
   *   <li>{@code steady}: seconds an iteration, see {@link Statistics#steadyState}
   *   <li>{@code operation}: nanoseconds an operation in the steady state, where the program counts them
   *   <li>the name of each piece of work in a Linux guest: seconds it took
   * </ul>
   */
  synchronized Map<String, Double> figures() {
    var figures = new LinkedHashMap<String, Double>();
    var begun = new LinkedHashMap<String, Double>();
    var ends = new ArrayList<Double>();
    long operations = 1;
    Matcher lines = LINE.matcher(text);
    while (lines.find()) {
      String line = lines.group();
      double at = at(lines.end());
      Matcher matcher = START.matcher(line);
      if (matcher.find()) {
        figures.put("start", at);
        operations = Long.parseLong(matcher.group(1));
      } else if (line.startsWith("BENCH-ITER")) {
        ends.add(at);
      } else if (line.startsWith("BENCH-DONE") && figures.containsKey("start")) {
        figures.put("work", at - figures.get("start"));
      } else if ((matcher = BEGIN.matcher(line)).find()) {
        begun.put(matcher.group(1), at);
      } else if ((matcher = END.matcher(line)).find() && begun.containsKey(matcher.group(1))) {
        figures.put(matcher.group(1), at - begun.get(matcher.group(1)));
      }
    }
    double steady = Statistics.steadyState(ends);
    if (!Double.isNaN(steady)) {
      figures.put("steady", steady);
      if (operations > 1) {
        figures.put("operation", steady * 1e9 / operations);
      }
    }
    return figures;
  }

  /**
   * The guest's own results, which must be the same on every side; empty if it did not come to its good end, or if
   * a piece of its work failed.
   */
  synchronized String result() {
    var results = new ArrayList<String>();
    boolean done = false;
    for (String line : text.toString().split("[\r\n]+")) {
      Matcher matcher = END.matcher(line);
      if (matcher.find()) {
        if (!matcher.group(2).equals("0")) {
          return "";
        }
        results.add(matcher.group(1) + "=" + matcher.group(3));
      }
      matcher = DONE.matcher(line);
      if (matcher.find()) {
        done = true;
        results.add(matcher.group(1) != null ? matcher.group(1) : matcher.group(2));
      }
    }
    return done ? String.join(" ", results) : "";
  }
}
