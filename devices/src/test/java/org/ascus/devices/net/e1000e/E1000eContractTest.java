package org.ascus.devices.net.e1000e;

import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.ascus.devices.DeviceContractTest;
import org.ascus.devices.net.MacAddress;
import org.ascus.devices.net.NetLink;
import org.ascus.devices.net.Offloads;
import org.ascus.devices.net.TestBackend;
import org.ascus.devices.pci.MsiTarget;
import org.ascus.devices.pci.PciBar;
import org.ascus.devices.pci.PciConfig;
import org.ascus.devices.pci.PciHost;
import org.ascus.machine.bus.AddressSpace;
import org.ascus.machine.bus.GuestRam;
import org.ascus.machine.bus.MmioRegion;
import org.ascus.machine.bus.RamRegion;
import org.ascus.machine.device.Device;
import org.ascus.machine.device.DeviceException;
import org.ascus.machine.irq.IrqLine;
import org.ascus.machine.trace.Log;

/** Junk in registers, and so in rings that lie in a little memory at 0, is harmless. */
class E1000eContractTest extends DeviceContractTest {
  private static final long[] NEAR = {
    0, 0x10, 0x14, 0x18, 0x20, 0xc0, 0xc8, 0xd0, 0xd8, 0xe4, 0x100, 0x400, 0x2800, 0x2808, 0x2810, 0x2818, 0x3800,
    0x3808, 0x3810, 0x3818, 0x3908, 0x3918, 0x4074, 0x5000, 0x5400, 0xb600, 0xb608
  };

  private final Map<Device, PciHost> hosts = new HashMap<>();

  @Override
  protected Device create() throws DeviceException {
    AddressSpace memory = new AddressSpace("test", Log.off());
    memory.map(0, new RamRegion("ram", new GuestRam("ram", 1 << 16), true));
    PciHost host =
        new PciHost(
            "pcie.0",
            memory,
            new PciHost.Window(0x300_0000, 0, 0x1_0000),
            List.of(new PciHost.Window(0x4000_0000, 0x4000_0000, 0x4000_0000)),
            List.of(IrqLine.NONE, IrqLine.NONE, IrqLine.NONE, IrqLine.NONE),
            MsiTarget.NONE);
    NetLink link = new NetLink("net0", new TestBackend(Offloads.NONE));
    MacAddress mac = MacAddress.FIRST_CARD;
    E1000e card = new E1000e("nic0", memory, machine.clock(), Log.off(), link, mac, false);
    host.childBus().plug(card, "1");
    hosts.put(card, host);
    return card;
  }

  /** Also lets the card reach memory, which a reset forbids. */
  @Override
  protected List<MmioRegion> regions(Device device) {
    E1000e card = (E1000e) device;
    PciHost host = hosts.get(card);
    host.region().write((1 << 15) + PciConfig.COMMAND, 2, PciConfig.COMMAND_MASTER);
    return card.bars().stream().map(PciBar::region).toList();
  }

  @Override
  protected List<Long> interestingOffsets() {
    return Arrays.stream(NEAR).boxed().toList();
  }
}
