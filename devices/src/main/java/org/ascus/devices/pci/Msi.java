package org.ascus.devices.pci;

import java.util.function.BiConsumer;

/**
 * One message-signalled interrupt (PCI Local Bus 3.0, section 6.8.1), with a 64-bit address and no mask: 0x02 control,
 * whose bit 0 enables, 0x04 address (64 bits), 0x0c data (16 bits). All of it is in configuration space.
 */
public final class Msi {
  private static final int CAPABILITY = 0x05;
  private static final int LENGTH = 14;
  private static final int ENABLE = 1;
  private static final int WIDE = 1 << 7;

  private final PciConfig config;
  private final int offset;
  private final BiConsumer<Long, Integer> send;
  private boolean enabled;
  private long address;
  private int data;

  /**
   * Adds the capability to {@code config}.
   *
   * @param send takes address and data of a message
   */
  public Msi(PciConfig config, BiConsumer<Long, Integer> send) {
    this.config = config;
    this.send = send;
    offset = config.addCapability(CAPABILITY, LENGTH);
    config.init(offset + 2, 2, WIDE);
    config.setWritable(offset + 2, 2, ENABLE);
    config.setWritable(offset + 4, 8, ~3L);
    config.setWritable(offset + 12, 2, 0xffff);
  }

  /** The driver chose the message instead of the pin. */
  public synchronized boolean isEnabled() {
    return enabled;
  }

  /** To be called when the configuration space has changed, by the driver, a reset or a load. */
  public synchronized void configChanged() {
    enabled = (config.get(offset + 2, 2) & ENABLE) != 0;
    address = config.get(offset + 4, 8);
    data = (int) config.get(offset + 12, 2);
  }

  /** Sends the message, if it is enabled. */
  public synchronized void raise() {
    if (enabled) {
      send.accept(address, data);
    }
  }
}
