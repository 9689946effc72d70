package org.ascus.devices.irqchip;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.ascus.devices.DeviceContractTest;
import org.ascus.devices.Wire;
import org.ascus.machine.bus.MmioRegion;
import org.ascus.machine.device.Device;
import org.ascus.machine.irq.IrqLine;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class PlicTest extends DeviceContractTest {
  private static final long CLAIM1 = 0x201004;
  private static final long THRESHOLD1 = 0x201000;

  private final Wire[] out = {new Wire(), new Wire(), new Wire(), new Wire()};
  private Plic plic;
  private MmioRegion io;

  @Override
  protected Device create() {
    return new Plic("plic", 96, out.clone());
  }

  @Override
  protected List<MmioRegion> regions(Device device) {
    return List.of(((Plic) device).region());
  }

  @Override
  protected List<Long> interestingOffsets() {
    return List.of(4L, 8L, 40L, 0x1000L, 0x2000L, 0x2080L, 0x2088L, 0x200000L, 0x200004L, CLAIM1, THRESHOLD1);
  }

  @BeforeEach
  void make() {
    plic = (Plic) create();
    reset(plic);
    io = plic.region();
  }

  private void enable(int source, int priority) {
    io.write(4L * source, 4, priority);
    long word = 0x2080 + source / 32 * 4;
    io.write(word, 4, io.read(word, 4) | 1L << source % 32);
  }

  @Test
  void anEnabledSourceAboveTheThresholdInterruptsItsContext() {
    enable(10, 1);
    IrqLine input = plic.input(10);
    input.set(true);
    assertThat(out[1].isHigh()).isTrue();
    assertThat(out[0].isHigh()).isFalse();
    assertThat(io.read(0x1000, 4)).isEqualTo(1 << 10);
    io.write(THRESHOLD1, 4, 1);
    assertThat(out[1].isHigh()).isFalse();
    assertThat(io.read(CLAIM1, 4)).as("a claim ignores the threshold").isEqualTo(10);
  }

  @Test
  void claimTakesTheHighestPriorityThenTheLowestNumber() {
    enable(40, 2);
    enable(7, 2);
    enable(3, 1);
    plic.input(3).set(true);
    plic.input(40).set(true);
    plic.input(7).set(true);
    assertThat(io.read(CLAIM1, 4)).isEqualTo(7);
    assertThat(io.read(CLAIM1, 4)).isEqualTo(40);
    assertThat(io.read(CLAIM1, 4)).isEqualTo(3);
    assertThat(io.read(CLAIM1, 4)).isZero();
    assertThat(out[1].isHigh()).isFalse();
  }

  @Test
  void aWireThatStaysHighInterruptsAgainAfterCompletionOnly() {
    enable(10, 1);
    IrqLine input = plic.input(10);
    input.set(true);
    assertThat(io.read(CLAIM1, 4)).isEqualTo(10);
    assertThat(out[1].isHigh()).isFalse();
    input.set(true);
    assertThat(out[1].isHigh()).isFalse();
    io.write(CLAIM1, 4, 10);
    assertThat(out[1].isHigh()).isTrue();
    assertThat(io.read(CLAIM1, 4)).isEqualTo(10);
    input.set(false);
    io.write(CLAIM1, 4, 10);
    assertThat(out[1].isHigh()).isFalse();
    assertThat(io.read(CLAIM1, 4)).isZero();
  }

  @Test
  void aRequestOnceForwardedStaysPendingWhenTheWireFalls() {
    enable(10, 1);
    plic.input(10).pulse();
    assertThat(out[1].isHigh()).isTrue();
    assertThat(io.read(CLAIM1, 4)).isEqualTo(10);
  }

  @Test
  void completionOfASourceNotEnabledForTheContextIsIgnored() {
    enable(10, 1);
    plic.input(10).set(true);
    assertThat(io.read(CLAIM1, 4)).isEqualTo(10);
    io.write(0x2080, 4, 0);
    io.write(CLAIM1, 4, 10);
    io.write(0x2080, 4, 1 << 10);
    assertThat(out[1].isHigh()).isFalse();
    io.write(CLAIM1, 4, 10);
    assertThat(out[1].isHigh()).isTrue();
  }

  @Test
  void priorityZeroNeverInterrupts() {
    enable(10, 0);
    plic.input(10).set(true);
    assertThat(out[1].isHigh()).isFalse();
    assertThat(io.read(CLAIM1, 4)).isZero();
    io.write(40, 4, 8);
    assertThat(io.read(40, 4)).as("three bits").isZero();
    io.write(40, 4, 7);
    assertThat(out[1].isHigh()).isTrue();
  }

  @Test
  void sourceZeroDoesNotExist() {
    io.write(0, 4, 7);
    io.write(0x2080, 4, -1);
    assertThat(io.read(0, 4)).isZero();
    assertThat(io.read(0x2080, 4)).isEqualTo(0xfffffffeL);
    assertThatThrownBy(() -> plic.input(0)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> plic.input(97)).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void aWireThatIsHighThroughResetIsPendingAfterIt() {
    plic.input(5).set(true);
    reset(plic);
    assertThat(io.read(0x1000, 4)).isEqualTo(1 << 5);
  }
}
