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

  /** Windows to the PCI bus: I/O ports, memory below 4 GiB, and configuration space. */
  static final Place PCIE_PIO = new Place("pci-io", 0x300_0000, 0x1_0000, 0);

  static final Place PCIE_MMIO = new Place("pci-memory", 0x4000_0000, 0x4000_0000, 0);
  static final Place PCIE_ECAM = new Place("pci", 0x3000_0000, 0x1000_0000, 0x20);

  /** Interrupts of the PCI bus, from that of {@link #PCIE_ECAM} on. */
  static final int PCIE_IRQS = 4;

  private static final long PCIE_HIGH_SIZE = 16L << 30;

  /** Where RAM begins; its size is the user's choice. */
  static final long DRAM = 0x8000_0000L;

  /** Inputs of the PLIC, with the unused input 0. */
  static final int PLIC_SOURCES = 96;

  static final int TIMEBASE_HZ = 10_000_000;
  static final int MAX_HARTS = 512;

  private VirtMap() {}

  /** The window to PCI memory above RAM, aligned to its size. */
  static Place pcieHigh(long ramSize) {
    long base = DRAM + ramSize + PCIE_HIGH_SIZE - 1 & -PCIE_HIGH_SIZE;
    return new Place("pci-memory-high", base, PCIE_HIGH_SIZE, 0);
  }

  private static Place virtio(int slot) {
    return new Place("virtio_mmio", 0x1000_1000L + 0x1000L * slot, 0x1000, 1 + slot);
  }
}
