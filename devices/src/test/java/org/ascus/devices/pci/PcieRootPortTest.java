package org.ascus.devices.pci;

import java.util.List;
import java.util.stream.LongStream;
import org.ascus.devices.DeviceContractTest;
import org.ascus.machine.bus.AddressSpace;
import org.ascus.machine.bus.MmioRegion;
import org.ascus.machine.device.Device;
import org.ascus.machine.device.DeviceException;
import org.ascus.machine.irq.IrqLine;
import org.ascus.machine.trace.Log;

/** A port whose configuration space is all that a guest touches, at 00:01.0. */
class PcieRootPortTest extends DeviceContractTest {
  private static final long AT = 1L << 15;

  @Override
  protected Device create() throws DeviceException {
    AddressSpace memory = new AddressSpace("test", Log.off());
    PciHost host =
        new PciHost(
            "pcie.0",
            memory,
            new PciHost.Window(0x300_0000, 0, 0x1_0000),
            List.of(new PciHost.Window(0x4000_0000, 0x4000_0000, 0x4000_0000)),
            List.of(IrqLine.NONE, IrqLine.NONE, IrqLine.NONE, IrqLine.NONE),
            MsiTarget.NONE);
    PcieRootPort port = new PcieRootPort("rp", 0, 0, 1);
    host.childBus().plug(port, "1");
    return port;
  }

  @Override
  protected List<MmioRegion> regions(Device device) {
    PciBus bus = ((PcieRootPort) device).bus();
    return List.of(((PciHost) bus.upstream()).region(), ((PcieRootPort) device).bars().getFirst().region());
  }

  @Override
  protected List<Long> interestingOffsets() {
    return LongStream.range(0, 64).mapToObj(i -> AT + 4 * i).toList();
  }
}
