package org.ascus.devices.virtio;

import java.util.List;
import org.ascus.devices.pci.MsiTarget;
import org.ascus.devices.pci.PciHost;
import org.ascus.devices.virtio.transport.pci.VirtioPci;
import org.ascus.devices.virtio.transport.pci.VirtioPciOptions;
import org.ascus.machine.bus.BusFault;
import org.ascus.machine.device.DeviceException;
import org.ascus.machine.irq.IrqLine;
import org.ascus.machine.run.Machine;
import org.junit.jupiter.api.Assumptions;

/**
 * A virtio function, transitional if its kind can be, in slot 1 of a host bridge, with its registers under the offsets
 * of virtio-mmio.
 */
final class PciAccess {
  static final long ECAM = 0x3000_0000L;

  /** Input and socket devices are younger than the legacy interface. */
  private static final List<Integer> MODERN_ONLY = List.of(18, 19);

  private static final int MODERN_ID = 0x1040;
  private static final long FUNCTION = ECAM + (1 << 15);
  private static final long PIO = 0x300_0000L;
  private static final long PORTS = 0x1000;
  private static final long MEMORY = 0x4_0000_0000L;

  private final Machine machine;
  private final boolean legacy;
  private final boolean transitional;
  private final PciHost host;
  private final VirtioPci function;
  private int isr;
  private long selected;

  PciAccess(Machine machine, IrqLine line, VirtioDevice device, boolean legacy) throws DeviceException {
    this.machine = machine;
    this.legacy = legacy;
    host =
        new PciHost(
            "pcie.0",
            machine.memory(),
            new PciHost.Window(PIO, 0, 0x1_0000),
            List.of(new PciHost.Window(MEMORY, MEMORY, 1L << 30)),
            List.of(IrqLine.NONE, line, IrqLine.NONE, IrqLine.NONE),
            MsiTarget.NONE);
    machine.memory().map(ECAM, host.region());
    transitional = !MODERN_ONLY.contains(device.deviceId());
    Assumptions.assumeTrue(transitional || !legacy, "the device has no legacy interface");
    VirtioPciOptions options = new VirtioPciOptions(transitional, true, false, 2);
    function = new VirtioPci("virtio-test-pci", device.id(), device, machine.log(), options);
    host.childBus().plug(function, "1");
    machine.addDevice(host);
    machine.addDevice(function);
    setUp();
  }

  VirtioPci function() {
    return function;
  }

  void setUp() {
    put(FUNCTION + 0x10, 4, PORTS);
    put(FUNCTION + 0x20, 8, MEMORY);
    put(FUNCTION + 4, 2, 7);
  }

  long registers() {
    return legacy ? PIO + PORTS : MEMORY;
  }

  int registersSize() {
    return legacy ? 0x20 : 0x4000;
  }

  private long get(long address, int width) {
    try {
      return machine.memory().read(address, width);
    } catch (BusFault e) {
      throw new AssertionError("0x" + Long.toHexString(address), e);
    }
  }

  private void put(long address, int width, long value) {
    try {
      machine.memory().write(address, width, value & (width == 8 ? -1L : (1L << 8 * width) - 1));
    } catch (BusFault e) {
      throw new AssertionError("0x" + Long.toHexString(address), e);
    }
  }

  private int takeIsr() {
    isr |= (int) get(legacy ? registers() + 0x13 : MEMORY + 0x1000, 1);
    return isr;
  }

  int read(int register) {
    long at = registers();
    return (int)
        switch (register) {
          case 0x08 -> transitional ? get(FUNCTION + 0x2e, 2) : get(FUNCTION + 2, 2) - MODERN_ID;
          case 0x10 -> legacy && selected > 0 ? 0 : get(at + (legacy ? 0 : 4), 4);
          case 0x34 -> get(at + (legacy ? 0x0c : 0x18), 2);
          case 0x40 -> get(at + 8, 4);
          case 0x44 -> get(at + 0x1c, 2);
          case 0x60 -> takeIsr();
          case 0x70 -> get(at + (legacy ? 0x12 : 0x14), 1);
          default -> throw new IllegalArgumentException("0x" + Integer.toHexString(register));
        };
  }

  void write(int register, long value) {
    long at = registers();
    switch (register) {
      case 0x14 -> select(0, value);
      case 0x20 -> features(value);
      case 0x24 -> select(8, value);
      case 0x28, 0x3c -> {}
      case 0x30 -> put(at + (legacy ? 0x0e : 0x16), 2, value);
      case 0x38 -> {
        if (!legacy) {
          put(at + 0x18, 2, value);
        }
      }
      case 0x40 -> put(at + 8, 4, value);
      case 0x44 -> put(at + 0x1c, 2, value);
      case 0x50 -> put(legacy ? at + 0x10 : MEMORY + 0x3000 + 4 * value, 2, value);
      case 0x64 -> isr &= (int) ~value;
      case 0x70 -> {
        put(at + (legacy ? 0x12 : 0x14), 1, value);
        if (value == 0) {
          isr = 0;
        }
      }
      case 0x80, 0x84 -> put(at + 0x20 + register - 0x80, 4, value);
      case 0x90, 0x94 -> put(at + 0x28 + register - 0x90, 4, value);
      case 0xa0, 0xa4 -> put(at + 0x30 + register - 0xa0, 4, value);
      default -> throw new IllegalArgumentException("0x" + Integer.toHexString(register));
    }
  }

  /** The legacy interface has but one word of features. */
  private void select(int register, long value) {
    selected = value;
    if (!legacy) {
      put(registers() + register, 4, value);
    }
  }

  private void features(long value) {
    if (!legacy) {
      put(registers() + 0x0c, 4, value);
    } else if (selected == 0) {
      put(registers() + 4, 4, value);
    }
  }
}
