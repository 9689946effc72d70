package org.ascus.devices.board.riscv;

import java.util.List;

/** The memory map and interrupt numbers of the board: the facts that guests are built on. */
final class VirtMap {
  /**
   * Where a device is.
   *
   * @param name as in the device tree, without unit address
   * @param base guest physical address
   * @param size bytes
   * @param irq input of the PLIC; 0 for none
   */
  record Place(String name, long base, long size, int irq) {
    /** Name and unit address of its node. */
    String nodeName() {
      return name + "@" + Long.toHexString(base);
    }
  }

  static final Place MROM = new Place("mrom", 0x1000, 0xf000, 0);
  static final Place TEST = new Place("test", 0x10_0000, 0x1000, 0);
  static final Place RTC = new Place("rtc", 0x10_1000, 0x1000, 11);
  static final Place CLINT = new Place("clint", 0x200_0000, 0x1_0000, 0);
  /** Parts of {@link #CLINT} as the ACLINT specification names them, and what it adds. */
  static final Place MSWI = new Place("mswi", 0x200_0000, 0x4000, 0);

  static final Place MTIMER = new Place("mtimer", 0x200_4000, 0x8000, 0);
  static final Place SSWI = new Place("sswi", 0x2f0_0000, 0x4000, 0);
  static final Place PLIC = new Place("plic", 0xc00_0000, 0x60_0000, 0);
  static final Place UART = new Place("serial", 0x1000_0000, 0x100, 10);
  static final List<Place> VIRTIO = java.util.stream.IntStream.range(0, 8).mapToObj(VirtMap::virtio).toList();
  static final Place FW_CFG = new Place("fw-cfg", 0x1010_0000, 0x18, 0);

  /** Two banks of half that size. */
  static final Place FLASH = new Place("flash", 0x2000_0000, 0x400_0000, 0);

  /** Where RAM begins; its size is the user's choice. */
  static final long DRAM = 0x8000_0000L;

  /** Inputs of the PLIC, with the unused input 0. */
  static final int PLIC_SOURCES = 96;

  static final int TIMEBASE_HZ = 10_000_000;
  static final int MAX_HARTS = 512;

  private VirtMap() {}

  private static Place virtio(int slot) {
    return new Place("virtio_mmio", 0x1000_1000L + 0x1000L * slot, 0x1000, 1 + slot);
  }
}
