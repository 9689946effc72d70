package org.ascus.tests.soak;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a Java process takes of its host, in KiB, and its threads.
 *
 * @param resident of all of it
 * @param heap objects
 * @param metaspace classes
 * @param code compiled code
 */
record Footprint(long resident, long heap, long metaspace, long code, long threads) {
  private static final Path JCMD = Path.of(System.getProperty("java.home"), "bin", "jcmd");
  private static final Pattern RESIDENT = Pattern.compile("VmRSS:\\s+(\\d+) kB");
  private static final Pattern THREADS = Pattern.compile("Threads:\\s+(\\d+)");
  private static final Pattern METASPACE = Pattern.compile("Metaspace +used (\\d+)K");
  private static final Pattern HEAP = Pattern.compile("(?:DefNew|Tenured) +total \\d+K, used (\\d+)K");
  private static final Pattern CODE = Pattern.compile("size=\\d+Kb used=(\\d+)Kb");
  private static final long SECONDS = 120;

  /** After a collection of garbage and of classes. */
  static Footprint of(long pid) throws IOException, InterruptedException {
    String status = Files.readString(Path.of("/proc", Long.toString(pid), "status"));
    jcmd(pid, "GC.run");
    return new Footprint(
        sum(RESIDENT, status),
        sum(HEAP, jcmd(pid, "GC.heap_info")),
        sum(METASPACE, jcmd(pid, "VM.metaspace", "basic=true", "scale=K")),
        sum(CODE, jcmd(pid, "Compiler.codecache")),
        sum(THREADS, status));
  }

  private static String jcmd(long pid, String... command) throws IOException, InterruptedException {
    List<String> line = new ArrayList<>(List.of(JCMD.toString(), Long.toString(pid)));
    line.addAll(List.of(command));
    Process process = new ProcessBuilder(line).redirectErrorStream(true).start();
    String answer = new String(process.getInputStream().readAllBytes());
    if (!process.waitFor(SECONDS, TimeUnit.SECONDS) || process.exitValue() != 0) {
      throw new IOException(String.join(" ", line) + ": " + answer);
    }
    return answer;
  }

  private static long sum(Pattern pattern, String text) {
    Matcher matcher = pattern.matcher(text);
    List<MatchResult> found = matcher.results().toList();
    if (found.isEmpty()) {
      throw new IllegalStateException("no " + pattern + " in:\n" + text);
    }
    return found.stream().mapToLong(result -> Long.parseLong(result.group(1))).sum();
  }
}
