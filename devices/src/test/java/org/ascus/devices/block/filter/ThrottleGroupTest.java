package org.ascus.devices.block.filter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import org.ascus.devices.block.BlockException;
import org.junit.jupiter.api.Test;

class ThrottleGroupTest {
  /** Time that passes only while somebody sleeps. */
  private static final class Clock implements ThrottleGroup.Time {
    private long now = 1_000;

    @Override
    public long nanos() {
      return now;
    }

    @Override
    public void sleep(long nanos) {
      now += nanos;
    }

    double seconds() {
      return (now - 1_000) / 1e9;
    }
  }

  private final Clock clock = new Clock();

  private static ThrottleLimits limits(Map<String, Long> numbers) throws BlockException {
    return ThrottleLimits.read(numbers::getOrDefault);
  }

  private double secondsFor(Map<String, Long> numbers, boolean write, int requests, int bytes) throws BlockException {
    ThrottleGroup group = new ThrottleGroup(limits(numbers), clock);
    double start = clock.seconds();
    for (int i = 0; i < requests; i++) {
      group.admit(write, bytes);
    }
    return clock.seconds() - start;
  }

  @Test
  void theAverageHolds() throws Exception {
    assertThat(secondsFor(Map.of("iops-total", 100L), false, 1000, 4096)).isBetween(9.7, 10.0);
    assertThat(secondsFor(Map.of("bps-write", 1_000_000L), true, 1000, 10_000)).isBetween(9.7, 10.0);
  }

  @Test
  void onlyItsOwnDirectionIsLimited() throws Exception {
    assertThat(secondsFor(Map.of("bps-write", 1000L), false, 1000, 10_000)).isZero();
    assertThat(secondsFor(Map.of("iops-read", 10L), true, 1000, 10_000)).isZero();
  }

  @Test
  void aBurstMayBeFasterForItsLength() throws Exception {
    Map<String, Long> burst =
        Map.of("iops-total", 100L, "iops-total-max", 2000L, "iops-total-max-length", 60L);
    // 100 a second leak meanwhile: the bucket of 120000 is full after 120000 / 1900 seconds.
    assertThat(secondsFor(burst, false, 120_000, 512)).isBetween(59.0, 60.0);
    ThrottleGroup group = new ThrottleGroup(limits(burst), clock);
    for (int i = 0; i < 127_000; i++) {
      group.admit(false, 512);
    }
    double start = clock.seconds();
    for (int i = 0; i < 1000; i++) {
      group.admit(false, 512);
    }
    assertThat(clock.seconds() - start).isBetween(9.0, 10.1);
  }

  @Test
  void largeRequestsCountAsSeveral() throws Exception {
    assertThat(secondsFor(Map.of("iops-total", 100L, "iops-size", 4096L), true, 100, 40_960)).isBetween(9.0, 10.0);
  }

  @Test
  void limitsThatMakeNoSenseAreRefused() {
    refuse(Map.of("bps-total", 1L, "bps-read", 1L), "cannot be used at the same time");
    refuse(Map.of("iops-total-max", 1L), "require corresponding");
    refuse(Map.of("iops-total", 10L, "iops-total-max", 1L), "cannot be lower");
    refuse(Map.of("iops-total", 10L, "iops-total-max-length", 5L), "burst length set without burst rate");
    refuse(Map.of("iops-total", 10L, "iops-total-max-length", 0L), "cannot be 0");
    refuse(Map.of("bps-total", 10L, "iops-size", 5L), "iops size requires an iops value");
    refuse(Map.of("bps-total", Long.MAX_VALUE), "must be within");
    refuse(Map.of("bps-total", 1L, "bps-total-max", 1L << 49, "bps-total-max-length", 1L << 40), "too high");
  }

  private static void refuse(Map<String, Long> numbers, String reason) {
    assertThatThrownBy(() -> limits(numbers)).isInstanceOf(BlockException.class).hasMessageContaining(reason);
  }
}
