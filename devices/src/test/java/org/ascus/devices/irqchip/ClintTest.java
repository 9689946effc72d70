package org.ascus.devices.irqchip;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.ascus.devices.DeviceContractTest;
import org.ascus.devices.Wire;
import org.ascus.machine.bus.MmioRegion;
import org.ascus.machine.device.Device;
import org.ascus.machine.irq.IrqLine;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ClintTest extends DeviceContractTest {
  private final Wire[] software = {new Wire(), new Wire()};
  private final Wire[] timer = {new Wire(), new Wire()};
  private final long[] nanos = {0};
  private long timeOffset;
  private Clint clint;
  private MmioRegion io;

  @Override
  protected Device create() {
    return new Clint("clint", machine.clock(), new IrqLine[] {software[0], software[1]}, timer, t -> timeOffset = t);
  }

  @Override
  protected List<MmioRegion> regions(Device device) {
    return List.of(((Clint) device).region());
  }

  @Override
  protected List<Long> interestingOffsets() {
    return List.of(0L, 4L, 0x4000L, 0x4008L, 0x400cL, 0xbff8L, 0xbffcL);
  }

  @BeforeEach
  void make() {
    machine.clock().useInstructionTime(() -> nanos[0]);
    clint = (Clint) create();
    reset(clint);
    io = clint.region();
  }

  private void pass(long ns) {
    nanos[0] += ns;
    machine.clock().runDue();
  }

  @Test
  void softwareInterruptFollowsBitZeroOfMsip() {
    io.write(4, 4, 0xffffffffL);
    assertThat(software[1].isHigh()).isTrue();
    assertThat(software[0].isHigh()).isFalse();
    assertThat(io.read(4, 4)).isEqualTo(1);
    io.write(4, 4, 2);
    assertThat(software[1].isHigh()).isFalse();
  }

  @Test
  void mtimeCountsTenTicksAMicrosecond() {
    pass(1_000_099);
    assertThat(io.read(0xbff8, 8)).isEqualTo(10_000);
    assertThat(io.read(0xbff8, 4)).isEqualTo(10_000);
    assertThat(io.read(0xbffc, 4)).isZero();
  }

  @Test
  void timerInterruptComesAtTheTickAndGoesWithANewCompareValue() {
    io.write(0x4000, 8, 100);
    pass(9_999);
    assertThat(timer[0].isHigh()).isFalse();
    pass(1);
    assertThat(timer[0].isHigh()).isTrue();
    assertThat(timer[1].isHigh()).isFalse();
    io.write(0x4000, 8, 101);
    assertThat(timer[0].isHigh()).isFalse();
    pass(100);
    assertThat(timer[0].isHigh()).isTrue();
  }

  @Test
  void compareIsUnsignedAndWrittenByHalves() {
    io.write(0x400c, 4, 0xffffffffL);
    io.write(0x4008, 4, 5);
    assertThat(io.read(0x4008, 8)).isEqualTo(0xffffffff_00000005L);
    assertThat(timer[1].isHigh()).isFalse();
    io.write(0x400c, 4, 0);
    pass(500);
    assertThat(timer[1].isHigh()).isTrue();
  }

  @Test
  void writtenMtimeGoesOnFromThereAndMovesTheDeadline() {
    io.write(0x4000, 8, 1_000);
    io.write(0xbff8, 8, 990);
    pass(900);
    assertThat(timer[0].isHigh()).isFalse();
    pass(100);
    assertThat(timer[0].isHigh()).isTrue();
    assertThat(io.read(0xbff8, 8)).isEqualTo(1_000);
    assertThat(timeOffset).isEqualTo(990);
    io.write(0xbff8, 8, 0);
    assertThat(timer[0].isHigh()).isFalse();
  }

  @Test
  void hartsThatDoNotExistReadZero() {
    io.write(0x4010, 8, 0);
    io.write(8, 4, 1);
    assertThat(io.read(0x4010, 8)).isZero();
    assertThat(io.read(8, 4)).isZero();
  }

  @Test
  void resetDropsBothInterrupts() {
    io.write(0, 4, 1);
    io.write(0x4000, 8, 0);
    assertThat(timer[0].isHigh()).isTrue();
    io.write(0xbff8, 8, 77);
    reset(clint);
    assertThat(timeOffset).isZero();
    assertThat(software[0].isHigh()).isFalse();
    assertThat(timer[0].isHigh()).isFalse();
  }
}
