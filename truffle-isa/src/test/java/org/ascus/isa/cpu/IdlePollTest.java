package org.ascus.isa.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** A CPU pauses only while it waits for nothing that an interrupt would tell. */
class IdlePollTest {
  private final IdlePoll poll = new IdlePoll();

  @Test
  void pausesLongerAndLongerWhileNothingChanges() {
    assertThat(poll.pause(8, 1)).isZero();
    long first = poll.pause(8, 1);
    assertThat(first).isPositive();
    assertThat(poll.pause(8, 1)).isEqualTo(2 * first);
    for (int i = 0; i < 100; i++) {
      assertThat(poll.pause(8, 1)).isBetween(first, 200_000_000L);
    }
  }

  @Test
  void goesOnAtOnceWhenSomethingElseIsPending() {
    poll.pause(8, 1);
    poll.pause(8, 1);
    assertThat(poll.pause(8 | 32, 1)).isZero();
    assertThat(poll.pause(8 | 32, 2)).isZero();
    assertThat(poll.pause(8 | 32, 2)).isPositive();
  }

  @Test
  void startsAnewWhenTheCpuHasWaitedOrTakenAnInterrupt() {
    poll.pause(8, 1);
    poll.pause(8, 1);
    poll.end();
    assertThat(poll.pause(8, 1)).isZero();
  }
}
