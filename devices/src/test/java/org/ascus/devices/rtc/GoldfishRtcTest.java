package org.ascus.devices.rtc;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import java.util.List;
import org.ascus.devices.DeviceContractTest;
import org.ascus.devices.Wire;
import org.ascus.machine.bus.MmioRegion;
import org.ascus.machine.device.Device;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class GoldfishRtcTest extends DeviceContractTest {
  private static final long START_NANOS = Instant.parse("2001-02-03T04:05:06Z").getEpochSecond() * 1_000_000_000L + 7;

  private final Wire wire = new Wire();
  private final long[] nanos = {0};
  private MmioRegion io;

  @Override
  protected Device create() {
    return new GoldfishRtc("rtc", machine.clock(), wire, START_NANOS);
  }

  @Override
  protected List<MmioRegion> regions(Device device) {
    return List.of(((GoldfishRtc) device).region());
  }

  @Override
  protected boolean resetForgetsAll() {
    return false;
  }

  @Override
  protected List<Long> interestingOffsets() {
    return List.of(0L, 4L, 8L, 12L, 16L, 20L, 24L, 28L);
  }

  @BeforeEach
  void make() {
    machine.clock().useInstructionTime(() -> nanos[0]);
    Device rtc = create();
    reset(rtc);
    io = regions(rtc).getFirst();
  }

  private void pass(long ns) {
    nanos[0] += ns;
    machine.clock().runDue();
  }

  private long time() {
    return io.read(0, 4) | io.read(4, 4) << 32;
  }

  private void alarm(long at) {
    io.write(12, 4, at >>> 32);
    io.write(8, 4, at & 0xffffffffL);
  }

  @Test
  void dateGoesOnWithGuestTime() {
    assertThat(time()).isEqualTo(START_NANOS);
    pass(5_000_000_000L);
    assertThat(time()).isEqualTo(START_NANOS + 5_000_000_000L);
  }

  @Test
  void highHalfBelongsToTheLowHalfReadBefore() {
    long low = io.read(0, 4);
    pass(0x1_0000_0000L);
    assertThat(io.read(4, 4) << 32 | low).isEqualTo(START_NANOS);
  }

  @Test
  void guestSetsTheDateHighHalfFirst() {
    io.write(4, 4, 0x12345678);
    io.write(0, 4, 0x9abcdef0L);
    pass(1);
    assertThat(time()).isEqualTo(0x12345678_9abcdef1L);
  }

  @Test
  void alarmInterruptsOnceWhenEnabled() {
    io.write(16, 4, 1);
    alarm(START_NANOS + 1000);
    assertThat(io.read(24, 4)).isEqualTo(1);
    pass(999);
    assertThat(wire.isHigh()).isFalse();
    pass(1);
    assertThat(wire.isHigh()).isTrue();
    assertThat(io.read(24, 4)).isZero();
    io.write(28, 4, 1);
    assertThat(wire.isHigh()).isFalse();
    pass(10_000);
    assertThat(wire.rises()).isEqualTo(1);
  }

  @Test
  void alarmInThePastInterruptsAtOnceAndWaitsForTheEnableBit() {
    alarm(START_NANOS - 1);
    assertThat(wire.isHigh()).isFalse();
    io.write(16, 4, 1);
    assertThat(wire.isHigh()).isTrue();
  }

  @Test
  void clearedAlarmStaysSilent() {
    io.write(16, 4, 1);
    alarm(START_NANOS + 1000);
    io.write(20, 4, 1);
    pass(2000);
    assertThat(wire.rises()).isZero();
  }
}
