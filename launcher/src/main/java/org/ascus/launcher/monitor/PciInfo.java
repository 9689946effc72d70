package org.ascus.launcher.monitor;

import java.util.Map;
import org.ascus.devices.pci.PciBar;
import org.ascus.devices.pci.PciBridge;
import org.ascus.devices.pci.PciBus;
import org.ascus.devices.pci.PciConfig;
import org.ascus.devices.pci.PciFunction;
import org.ascus.devices.pci.PciHost;
import org.ascus.machine.run.Machine;

/** {@code info pci}, in QEMU's shape. */
final class PciInfo {
  /** Descriptions by base class and sub-class; others show their number. */
  private static final Map<Integer, String> CLASSES =
      Map.of(
          0x0100, "SCSI controller",
          0x0200, "Ethernet controller",
          0x0600, "Host bridge",
          0x0604, "PCI bridge");

  private final StringBuilder text = new StringBuilder();

  private PciInfo() {}

  static String of(Machine machine) {
    PciInfo info = new PciInfo();
    machine.devices().stream()
        .filter(PciHost.class::isInstance)
        .map(PciHost.class::cast)
        .forEach(host -> info.bus(host.childBus()));
    return info.text.isEmpty() ? "no PCI bus\n" : info.text.toString();
  }

  private void bus(PciBus bus) {
    bus.lock().lock();
    try {
      bus.functions().forEach(f -> function(bus, f));
    } finally {
      bus.lock().unlock();
    }
  }

  private void function(PciBus bus, PciFunction f) {
    PciConfig config = f.config();
    int kind = (int) config.get(0x0a, 2);
    line("  Bus %2d, device %3d, function %d:", bus.number(), f.devfn() >> 3, f.devfn() & 7);
    line(
        "    %s: PCI device %04x:%04x",
        CLASSES.getOrDefault(kind, String.format("Class %04d", kind)), config.get(0, 2), config.get(2, 2));
    if (!(f instanceof PciBridge)) {
      line("      PCI subsystem %04x:%04x", config.get(0x2c, 2), config.get(0x2e, 2));
    }
    int pin = (int) config.get(0x3d, 1);
    if (pin != 0) {
      line("      IRQ %d, pin %c", config.get(0x3c, 1), 'A' + pin - 1);
    }
    if (f instanceof PciBridge bridge) {
      line("      BUS %d.", config.get(0x18, 1));
      line("      secondary bus %d.", bridge.busNumber());
      line("      subordinate bus %d.", bridge.subordinate());
      line("      IO range [0x%04x, 0x%04x]", bridge.base(true, false), bridge.limit(true, false));
      line("      memory range [0x%08x, 0x%08x]", bridge.base(false, false), bridge.limit(false, false));
      line("      prefetchable memory range [0x%08x, 0x%08x]", bridge.base(false, true), bridge.limit(false, true));
    }
    f.bars().forEach(bar -> bar(f, bar));
    line("      id \"%s\"", f.id());
    if (f instanceof PciBridge bridge && bridge.busNumber() != 0) {
      bus(bridge.childBus());
    }
  }

  private void bar(PciFunction f, PciBar bar) {
    long address = f.address(bar).orElse(-1);
    long last = address + bar.region().size() - 1;
    switch (bar.kind()) {
      case IO -> line("      BAR%d: I/O at 0x%04x [0x%04x].", bar.index(), address, last);
      case MEMORY32 -> line("      BAR%d: 32 bit memory at 0x%08x [0x%08x].", bar.index(), address, last);
      case MEMORY64_PREFETCHABLE ->
          line("      BAR%d: 64 bit prefetchable memory at 0x%08x [0x%08x].", bar.index(), address, last);
    }
  }

  private void line(String format, Object... values) {
    text.append(String.format(format, values)).append('\n');
  }
}
