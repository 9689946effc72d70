package org.ascus.machine.clock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class VirtualClockTest {
  private final VirtualClock clock = new VirtualClock();

  @AfterEach
  void close() {
    clock.close();
  }

  @Test
  void timeStandsUntilStartedAndAfterStop() {
    assertThat(clock.nanos()).isZero();
    clock.start();
    clock.start();
    assertThat(clock.nanos()).isNotNegative();
    clock.stop();
    long stopped = clock.nanos();
    clock.stop();
    assertThat(clock.nanos()).isEqualTo(stopped);
    clock.setNanos(1234);
    assertThat(clock.nanos()).isEqualTo(1234);
    clock.start();
    assertThat(clock.nanos()).isGreaterThanOrEqualTo(1234);
    assertThatThrownBy(() -> clock.setNanos(0)).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void readersNeverSeeTimeJumpWhileItIsStartedAndStopped() throws Exception {
    AtomicLong jumps = new AtomicLong();
    Thread reader =
        Thread.ofPlatform().start(() -> {
          long last = 0;
          while (!Thread.currentThread().isInterrupted()) {
            long now = clock.nanos();
            if (now < last || now > last + 60_000_000_000L) {
              jumps.incrementAndGet();
            }
            last = now;
          }
        });
    for (int i = 0; i < 20_000; i++) {
      clock.start();
      clock.stop();
    }
    reader.interrupt();
    reader.join();
    assertThat(jumps).hasValue(0);
  }

  @Test
  void timersFireInOrderOfDeadlineThenOfArming() {
    long[] now = {0};
    clock.useInstructionTime(() -> now[0]);
    List<String> fired = new ArrayList<>();
    VirtualClock.Timer a = clock.newTimer(() -> fired.add("a"));
    VirtualClock.Timer b = clock.newTimer(() -> fired.add("b"));
    VirtualClock.Timer c = clock.newTimer(() -> fired.add("c"));
    VirtualClock.Timer d = clock.newTimer(() -> fired.add("d"));
    a.arm(200);
    b.arm(100);
    c.arm(100);
    d.arm(50);
    d.cancel();
    assertThat(clock.nextDeadline()).isEqualTo(100);
    now[0] = 99;
    clock.runDue();
    assertThat(fired).isEmpty();
    now[0] = 200;
    clock.runDue();
    assertThat(fired).containsExactly("b", "c", "a");
    clock.runDue();
    assertThat(fired).hasSize(3);
    assertThat(clock.nextDeadline()).isEqualTo(Long.MAX_VALUE);
  }

  @Test
  void aTimerCanArmItselfAgainAndReplaceItsDeadline() {
    long[] now = {0};
    clock.useInstructionTime(() -> now[0]);
    List<Long> fired = new ArrayList<>();
    VirtualClock.Timer[] timer = new VirtualClock.Timer[1];
    timer[0] =
        clock.newTimer(
            () -> {
              fired.add(now[0]);
              timer[0].arm(now[0] + 10);
            });
    timer[0].arm(1000);
    timer[0].arm(10);
    for (now[0] = 0; now[0] <= 35; now[0]++) {
      clock.runDue();
    }
    assertThat(fired).containsExactly(10L, 20L, 30L);
  }

  @Test
  void theClocksThreadFiresEarlierDeadlinesThatComeLater() throws Exception {
    CountDownLatch late = new CountDownLatch(1);
    CountDownLatch soon = new CountDownLatch(1);
    clock.newTimer(late::countDown).arm(Long.MAX_VALUE - 1);
    clock.start();
    clock.newTimer(soon::countDown).arm(1);
    assertThat(soon.await(20, TimeUnit.SECONDS)).isTrue();
    CountDownLatch next = new CountDownLatch(1);
    clock.newTimer(next::countDown).arm(clock.nanos() + 1_000_000);
    assertThat(next.await(20, TimeUnit.SECONDS)).isTrue();
    assertThat(late.getCount()).isEqualTo(1);
  }
}
