package org.ascus.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class RunTest {
  private static final Duration LIMIT = Duration.ofMinutes(1);

  @Test
  void runHasTheProcessesFiguresAndTheGuests() throws IOException, InterruptedException {
    var run = shell("echo GUEST-READY; echo GUEST-DONE rc=0", new Turn.Await("GUEST-READY", "ready"));
    assertThat(run.result()).isEqualTo("rc=0");
    assertThat(run.figures()).containsKeys("ready", "wall", "cpu", "load");
  }

  @Test
  void exitWithAnErrorIsNoGood() throws IOException, InterruptedException {
    assertThat(shell("echo BENCH-DONE checksum=1; exit 1").good()).isFalse();
  }

  @Test
  void textThatNeverComesIsNoGood() throws IOException, InterruptedException {
    var run = shell("echo something else", new Turn.Await("login:", "login"), new Turn.Stop());
    assertThat(run.good()).isFalse();
    assertThat(run.tail()).isEqualTo("something else");
  }

  @Test
  void runThatTakesTooLongIsNoGood() throws IOException, InterruptedException {
    var run = Run.measure(List.of("sleep", "60"), List.of(), Duration.ofMillis(10), Map.of());
    assertThat(run.good()).isFalse();
    assertThat(run.tail()).endsWith("(time over)");
  }

  @Test
  void consoleIsFollowedToTheStop() throws IOException, InterruptedException {
    var run =
        shell(
            "printf 'login: '; read name; echo hello $name; exec sleep 60",
            new Turn.Await("login: ", "login"),
            new Turn.Send("root\n"),
            new Turn.Await("hello root", "prompt"),
            new Turn.Watch(Duration.ZERO, Duration.ofMillis(20), "idle"),
            new Turn.Stop());
    assertThat(run.good()).as(run.tail()).isTrue();
    assertThat(run.figures()).containsKeys("login", "prompt", "idle").doesNotContainKey("wall");
  }

  @Test
  void programWithoutAResultIsGoodWhenItEndsWell() throws IOException, InterruptedException {
    var run = shell("sleep 0.01", new Turn.End());
    assertThat(run.good()).isTrue();
    assertThat(run.figures()).containsKey("wall");
    assertThat(run.spoilt("the check failed").good()).isFalse();
    assertThat(shell("exit 1", new Turn.End()).good()).isFalse();
  }

  @Test
  void peakOfMemoryIsReadFromTheStatusOfAProcess() {
    assertThat(Usage.peakMebibytes("VmPeak:\t  900000 kB\nVmHWM:\t    2048 kB\nVmRSS:\t    1024 kB\n")).isEqualTo(2);
    assertThat(Usage.peakMebibytes("Name:\tends\nState:\tZ (zombie)\n")).isZero();
  }

  @Test
  void machinesTimeIsAllButIdleAndWaiting() {
    assertThat(Usage.machineSeconds("cpu  100 20 30 9999 888 4 5 6 77 0\ncpu0 1 2 3 4 5 6 7 8 9 0\n")).isEqualTo(1.65);
    assertThat(Usage.machineSeconds("")).isNaN();
  }

  @Test
  void runIsDisturbedByMuchOfSomethingElseOnly() {
    assertThat(new Run("1", Map.of("wall", 10.0, "others", 0.5), "").disturbed()).isTrue();
    assertThat(new Run("1", Map.of("wall", 10.0, "others", 0.1), "").disturbed()).isFalse();
    assertThat(new Run("1", Map.of("wall", 0.05, "others", 0.5), "").disturbed()).isFalse();
  }

  private static Run shell(String script, Turn... turns) throws IOException, InterruptedException {
    return Run.measure(List.of("sh", "-c", script), List.of(turns), LIMIT, Map.of());
  }
}
