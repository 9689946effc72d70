package org.ascus.devices.pci;

import java.util.OptionalLong;
import java.util.concurrent.locks.ReentrantLock;
import org.ascus.machine.bus.AddressSpace;

/**
 * A bridge to another bus (PCI-to-PCI Bridge 1.2, chapter 3): type 1 header with bus numbers and three windows, which
 * say what addresses reach the bus behind it.
 *
 * <p>Registers: 0x18 primary, secondary and subordinate bus, 0x1c I/O base and limit (4 KiB units), 0x20 memory base
 * and limit and 0x24 the same for prefetchable memory (1 MiB units, the latter 64 bits wide with 0x28 and 0x2c), 0x3e
 * bridge control.
 */
public abstract class PciBridge extends PciFunction implements PciPlug, PciBus.Upstream {
  private static final int BUS_NUMBERS = 0x18;
  private static final int SECONDARY = 0x19;
  private static final int SUBORDINATE = 0x1a;
  private static final int IO_BASE = 0x1c;
  private static final int IO_LIMIT = 0x1d;
  private static final int SECONDARY_STATUS = 0x1e;
  private static final int MEMORY_BASE = 0x20;
  private static final int MEMORY_LIMIT = 0x22;
  private static final int PREFETCH_BASE = 0x24;
  private static final int PREFETCH_LIMIT = 0x26;
  private static final int PREFETCH_BASE_UPPER = 0x28;
  private static final int PREFETCH_LIMIT_UPPER = 0x2c;
  private static final int BRIDGE_CONTROL = 0x3e;
  private static final int CONTROL_RESET = 1 << 6;
  private static final int WINDOWS_END = 0x34;

  private final PciBus secondary;
  private boolean held;

  @SuppressWarnings("this-escape")
  protected PciBridge(String type, String id, PciConfig config, boolean link) {
    super(type, id, config);
    secondary = new PciBus(id, this, link);
    config.setWritable(BUS_NUMBERS, 4, 0xffffffffL);
    config.setWritable(IO_BASE, 2, 0xf0f0);
    config.setClearable(SECONDARY_STATUS, 2, 0xf900);
    config.setWritable(MEMORY_BASE, 4, 0xfff0fff0L);
    config.init(PREFETCH_BASE, 4, 0x00010001);
    config.setWritable(PREFETCH_BASE, 4, 0xfff0fff0L);
    config.setWritable(PREFETCH_BASE_UPPER, 8, -1L);
    config.setWritable(BRIDGE_CONTROL, 2, 0x0fff);
    config.init(IO_BASE, 1, 0xf0);
    config.init(MEMORY_BASE, 2, 0xfff0);
    config.init(PREFETCH_BASE, 2, 0xfff1);
  }

  @Override
  public final PciBus childBus() {
    return secondary;
  }

  final boolean leadsTo(int number) {
    return busNumber() != 0 && number >= busNumber() && number <= config().get(SUBORDINATE, 1);
  }

  /** Number of the last bus behind the bridge, as the guest set it. */
  public final int subordinate() {
    return (int) config().get(SUBORDINATE, 1);
  }

  /** First address of a window on the PCI bus; it is closed when that is above {@link #limit}. */
  public final long base(boolean io, boolean prefetchable) {
    if (io) {
      return (config().get(IO_BASE, 1) & 0xf0) << 8;
    }
    long low = (config().get(prefetchable ? PREFETCH_BASE : MEMORY_BASE, 2) & 0xfff0) << 16;
    return prefetchable ? low | config().get(PREFETCH_BASE_UPPER, 4) << 32 : low;
  }

  /** Last address of a window. */
  public final long limit(boolean io, boolean prefetchable) {
    if (io) {
      return (config().get(IO_LIMIT, 1) & 0xf0) << 8 | 0xfff;
    }
    long low = (config().get(prefetchable ? PREFETCH_LIMIT : MEMORY_LIMIT, 2) & 0xfff0) << 16 | 0xfffff;
    return prefetchable ? low | config().get(PREFETCH_LIMIT_UPPER, 4) << 32 : low;
  }

  private boolean forwards(boolean io, boolean prefetchable, long address, long size) {
    return Long.compareUnsigned(address, base(io, prefetchable)) >= 0
        && Long.compareUnsigned(address + size - 1, limit(io, prefetchable)) <= 0;
  }

  @Override
  public final OptionalLong hostAddress(boolean io, boolean prefetchable, long address, long size) {
    int enable = io ? PciConfig.COMMAND_IO : PciConfig.COMMAND_MEMORY;
    boolean open = (config().get(PciConfig.COMMAND, 2) & enable) != 0;
    // Both memory windows forward any memory access.
    boolean inside = forwards(io, false, address, size) || !io && forwards(false, true, address, size);
    return open && inside && powered() && bus() != null
        ? bus().upstream().hostAddress(io, prefetchable, address, size)
        : OptionalLong.empty();
  }

  @Override
  public final void changeInterrupt(int slot, int pin, boolean asserted) {
    bus().upstream().changeInterrupt(devfn() >> 3, (slot + pin) % 4, asserted);
  }

  @Override
  public final ReentrantLock topologyLock() {
    return bus().lock();
  }

  @Override
  public final AddressSpace memory() {
    return bus().upstream().memory();
  }

  @Override
  public final MsiTarget msi() {
    return bus().upstream().msi();
  }

  @Override
  public final int busNumber() {
    return (int) config().get(SECONDARY, 1);
  }

  @Override
  final void remap() {
    super.remap();
    secondary.remap();
  }

  @Override
  protected void configWritten(int offset, int width) {
    if (offset < WINDOWS_END && offset + width > IO_BASE) {
      secondary.remap();
    }
    boolean reset = (config().get(BRIDGE_CONTROL, 2) & CONTROL_RESET) != 0;
    if (reset && !held) {
      secondary.functions().forEach(PciFunction::resetEnter);
    }
    held = reset;
  }

  @Override
  protected void configReplaced() {
    held = (config().get(BRIDGE_CONTROL, 2) & CONTROL_RESET) != 0;
    secondary.remap();
  }
}
