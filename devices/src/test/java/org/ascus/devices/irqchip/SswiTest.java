package org.ascus.devices.irqchip;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.ascus.devices.DeviceContractTest;
import org.ascus.devices.Wire;
import org.ascus.machine.bus.MmioRegion;
import org.ascus.machine.device.Device;
import org.ascus.machine.irq.IrqLine;
import org.junit.jupiter.api.Test;

class SswiTest extends DeviceContractTest {
  private final Wire[] lines = {new Wire(), new Wire()};

  @Override
  protected Device create() {
    return new Sswi("sswi", new IrqLine[] {lines[0], lines[1]});
  }

  @Override
  protected List<MmioRegion> regions(Device device) {
    return List.of(((Sswi) device).region());
  }

  @Override
  protected List<Long> interestingOffsets() {
    return List.of(0L, 4L, 8L, 0x3ffcL);
  }

  @Test
  void aOneInBitZeroIsAnEdgeForItsHartAlone() {
    MmioRegion io = new Sswi("sswi", new IrqLine[] {lines[0], lines[1]}).region();
    io.write(4, 4, 0xffff_fffeL);
    assertThat(lines[1].rises()).isZero();
    io.write(4, 4, 1);
    io.write(8, 4, 1);
    assertThat(lines[1].rises()).isEqualTo(1);
    assertThat(lines[0].rises()).isZero();
    assertThat(io.read(4, 4)).isZero();
  }
}
