package org.ascus.devices.virtio.transport.pci;

import org.ascus.devices.pci.PciConfig;
import org.ascus.machine.bus.BusDevice;

/**
 * The capability by which a driver reaches the registers through configuration space (VIRTIO 1.2, section 4.1.4.9): at
 * 4 the BAR, at 8 the offset, at 12 the width of 1, 2 or 4 bytes, at 16 the data, which moves as it is touched.
 */
final class ConfigAccess {
  private static final int VENDOR_CAPABILITY = 0x09;
  private static final int TYPE = 5;
  private static final int LENGTH = 20;
  private static final int BAR = 4;
  private static final int OFFSET = 8;
  private static final int WIDTH = 12;
  private static final int DATA = 16;

  private final PciConfig config;
  private final int at;
  private final int bar;
  private final BusDevice registers;

  private ConfigAccess(PciConfig config, int at, int bar, BusDevice registers) {
    this.config = config;
    this.at = at;
    this.bar = bar;
    this.registers = registers;
  }

  /**
   * Adds the capability.
   *
   * @param bar the number that drivers must name
   * @param registers what is there, {@link ModernRegisters#SIZE} bytes
   */
  static ConfigAccess add(PciConfig config, int bar, BusDevice registers) {
    int at = config.addCapability(VENDOR_CAPABILITY, LENGTH);
    config.init(at + 2, 1, LENGTH);
    config.init(at + 3, 1, TYPE);
    config.setWritable(at + BAR, 1, 0xff);
    config.setWritable(at + OFFSET, 4, 0xffffffffL);
    config.setWritable(at + WIDTH, 4, 0xffffffffL);
    config.setWritable(at + DATA, 4, 0xffffffffL);
    return new ConfigAccess(config, at, bar, registers);
  }

  /** Whether an access touches the data. */
  boolean isData(int offset, int width) {
    return offset < at + DATA + 4 && offset + width > at + DATA;
  }

  private int width() {
    return (int) config.get(at + WIDTH, 4);
  }

  private long offset() {
    return config.get(at + OFFSET, 4);
  }

  /** True if the driver set up an access that there is. */
  private boolean valid() {
    int width = width();
    return config.get(at + BAR, 1) == bar
        && (width == 1 || width == 2 || width == 4)
        && offset() % width == 0
        && offset() <= ModernRegisters.SIZE - width;
  }

  /** The driver is about to read the data. */
  void read() {
    if (valid()) {
      config.set(at + DATA, width(), registers.read(offset(), width()));
    }
  }

  /** The driver has written the data. */
  void write() {
    if (valid()) {
      registers.write(offset(), width(), config.get(at + DATA, width()));
    }
  }
}
