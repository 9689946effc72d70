package org.ascus.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ComparisonTest {
  @TempDir Path folder;

  @Test
  void ratioIsOfMedians() {
    var comparison =
        Comparison.of("x", List.of(run("1", 4), run("1", 100), run("1", 3)), List.of(run("1", 2), run("1", 2)));
    assertThat(comparison.ratio("wall")).isEqualTo(2.0);
    assertThat(comparison.problems()).isEmpty();
    assertThat(comparison.tableRows())
        .contains("| x | wall | 4.000 (3.000 .. 100.0) | 2.000 (2.000 .. 2.000) | 2.00 |");
    assertThat(comparison.json())
        .isEqualTo("{\"workload\":\"x\",\"figures\":{\"wall\":"
            + "{\"ascus\":[4.0, 100.0, 3.0],\"qemu\":[2.0, 2.0],\"ratio\":2.0}},\"problems\":[]}");
  }

  @Test
  void differentResultsAndFailedRunsAreProblems() {
    var comparison = Comparison.of("x", List.of(run("checksum=1", 1), run("", 1)), List.of(run("checksum=2", 1)));
    assertThat(comparison.problems())
        .containsExactly(
            "Ascus: a run failed; it ended with: last words", "results differ: checksum=1, checksum=2");
    assertThat(comparison.ascus()).hasSize(1);
  }

  @Test
  void steadyStateIsTheMeanOfTheLastQuarter() {
    assertThat(Workload.steadyState(List.of(9.0, 14.0, 15.0, 16.0, 17.0, 17.5, 18.0, 18.5))).hasValue(0.5);
    assertThat(Workload.steadyState(List.of(1.0, 2.0, 3.0))).isEmpty();
  }

  @Test
  void aRunTakesMarksAndResultFromTheConsole() throws IOException, InterruptedException {
    var workload = Workload.linuxBoot("boot", folder.toString(), "quiet");
    var run =
        Run.measure(
            workload, List.of("sh", "-c", "echo GUEST-READY; echo GUEST-DONE rc=0"), Duration.ofMinutes(1));
    assertThat(run.result()).isEqualTo("rc=0");
    assertThat(run.figures()).containsKeys("GUEST-READY", "wall", "cpu", "rss").doesNotContainKey("Linux version");
  }

  @Test
  void aRunThatExitsWithAnErrorIsNoGood() throws IOException, InterruptedException {
    var workload = Workload.compute("fib", "fib.elf");
    var run = Run.measure(workload, List.of("sh", "-c", "echo BENCH-DONE checksum=1; exit 1"), Duration.ofMinutes(1));
    assertThat(run.good()).isFalse();
  }

  private static Run run(String result, double wall) {
    return new Run(result, Map.of("wall", wall), List.of("last words"));
  }
}
