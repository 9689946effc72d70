package org.ascus.tests.soak;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ToLongFunction;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.ascus.tests.support.ConsoleProcess;
import org.ascus.tests.support.Host;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

/**
 * A guest under load for long: compression, hashing, programs that start and end, file names. The emulator's memory,
 * classes, compiled code and threads must not grow over the second half of the time.
 */
class SoakTest {
  private static final long MINUTES = Long.getLong("ascus.soak.minutes", 0);
  private static final int SAMPLES = 60;
  private static final Duration BOOT = Duration.ofMinutes(5);
  private static final Duration ROUND = Duration.ofMinutes(10);

  private static final String LOAD =
      "n=0; while true; do dd if=/dev/urandom bs=64k count=8 2>/dev/null | gzip -c | gunzip -c | md5sum >/dev/null;"
          + " for j in 1 2 3 4 5 6 7 8; do sh -c 'echo x | sed s/x/y/' >/dev/null; done;"
          + " ls -lR /proc/self >/dev/null 2>&1; n=$((n+1)); echo round $n done; done\n";

  @Test
  void aBusyGuestTakesNoMoreOfTheHostTheLongerItRuns() throws Exception {
    Assumptions.assumeTrue(MINUTES > 0, "takes long: runs in the profile soak");
    Path guest = Host.requireRiscv64Guest();
    List<Footprint> samples = new ArrayList<>();
    try (ConsoleProcess console =
        Host.startAscus(
            List.of(
                "-M", "virt", "-m", "512M", "-smp", "2", "-nographic", "-no-reboot", "-bios",
                guest.resolve("fw/fw_dynamic.bin").toString(), "-kernel", guest.resolve("Image").toString(), "-initrd",
                guest.resolve("initramfs.cpio.gz").toString(), "-append", "console=ttyS0 quiet guest.mods=none"))) {
      console.expect(" # ", BOOT);
      console.send(LOAD);
      long start = System.nanoTime();
      for (int i = 1; i <= SAMPLES; i++) {
        long due = start + Duration.ofMinutes(MINUTES).multipliedBy(i).dividedBy(SAMPLES).toNanos();
        Thread.sleep(Math.max(0, (due - System.nanoTime()) / 1_000_000));
        int round = lastRound(console.output());
        console.expect("round " + (round + 1) + " done", ROUND);
        samples.add(Footprint.of(console.pid()));
        System.out.println("round " + round + ": " + samples.getLast());
      }
    }
    isFlat("resident memory", samples, Footprint::resident, 24 << 10);
    isFlat("heap", samples, Footprint::heap, 24 << 10);
    isFlat("classes", samples, Footprint::metaspace, 4 << 10);
    isFlat("compiled code", samples, Footprint::code, 6 << 10);
    isFlat("threads", samples, Footprint::threads, 3);
  }

  private static int lastRound(String output) {
    Matcher matcher = Pattern.compile("round (\\d+) done").matcher(output);
    return matcher.results().mapToInt(result -> Integer.parseInt(result.group(1))).max().orElse(0);
  }

  /** The least of the last quarter is no more than that of the quarter before, and a tenth and a bit. */
  private static void isFlat(String what, List<Footprint> samples, ToLongFunction<Footprint> value, long slack) {
    int quarter = samples.size() / 4;
    List<Footprint> before = samples.subList(samples.size() - 2 * quarter, samples.size() - quarter);
    List<Footprint> after = samples.subList(samples.size() - quarter, samples.size());
    assertThat(least(after, value))
        .as("%s at the end, in all %s", what, samples)
        .isLessThanOrEqualTo(least(before, value) * 11 / 10 + slack);
  }

  private static long least(List<Footprint> samples, ToLongFunction<Footprint> value) {
    return samples.stream().mapToLong(value).min().orElseThrow();
  }
}
