package org.ascus.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class TranscriptTest {
  private final Transcript transcript = new Transcript();

  @Test
  void programsLinesGiveFiguresAndResult() {
    transcript.append("BENCH-START name=fib iterations=4 operations=1000\n", 0.25);
    for (int n = 1; n <= 4; n++) {
      transcript.append("BENCH-ITER n=" + n + " ticks=1 instructions=0 checksum=1\n", 1.0 + n);
    }
    transcript.append("BENCH-DONE name=fib ticks=5 checksum=118b9b\n", 5.25);
    assertThat(transcript.figures())
        .containsEntry("start", 0.25)
        .containsEntry("work", 5.0)
        .containsEntry("steady", 1.0)
        .containsEntry("operation", 1e6);
    assertThat(transcript.result()).isEqualTo("checksum=118b9b");
  }

  @Test
  void lineInPiecesCountsWhenItsLastPieceComes() {
    transcript.append("BENCH-START name=x iterati", 1);
    transcript.append("ons=1 operations=1\r", 2);
    transcript.append("\n", 3);
    assertThat(transcript.figures()).containsEntry("start", 2.0);
  }

  @Test
  void piecesOfWorkInALinuxGuestAreTimedAndTheirResultsKept() {
    transcript.append("BENCH-BEGIN gzip\r\n", 10);
    transcript.append("BENCH-END gzip rc=0 result=42\r\nBENCH-BEGIN gzip-d\r\n", 13);
    transcript.append("BENCH-END gzip-d rc=0 result=43\r\nGUEST-DONE rc=0 up=9\r\n", 14);
    assertThat(transcript.figures()).containsEntry("gzip", 3.0).containsEntry("gzip-d", 1.0);
    assertThat(transcript.result()).isEqualTo("gzip=42 gzip-d=43 rc=0");
  }

  @Test
  void failedWorkAndWrongAnswersLeaveNoResult() {
    transcript.append("BENCH-BEGIN gcc\nBENCH-END gcc rc=127 result=\nGUEST-DONE rc=0\n", 1);
    assertThat(transcript.result()).isEmpty();
    var wrong = new Transcript();
    wrong.append("BENCH-WRONG n=1 answer=1 expected=2\n", 1);
    assertThat(wrong.result()).isEmpty();
    var failed = new Transcript();
    failed.append("GUEST-DONE rc=1\n", 1);
    assertThat(failed.result()).isEmpty();
  }

  @Test
  void awaitedTextIsFoundOnceAndNotAfterTheEnd() throws InterruptedException {
    transcript.append("guest login: ", 7);
    transcript.end();
    int after = transcript.await("login:", 0, Duration.ofMinutes(1)).orElseThrow();
    assertThat(transcript.at(after)).isEqualTo(7);
    assertThat(transcript.await("login:", after, Duration.ofMinutes(1))).isEmpty();
  }

  @Test
  void tailIsTheLastLinesThatSaySomething() {
    transcript.append("one\ntwo\r\n\nthree\nfour\n", 1);
    assertThat(transcript.tail()).isEqualTo("two / three / four");
  }
}
