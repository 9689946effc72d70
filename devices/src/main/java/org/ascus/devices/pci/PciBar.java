package org.ascus.devices.pci;

import org.ascus.machine.bus.MmioRegion;

/**
 * A base address register and what it places (PCI Local Bus 3.0, section 6.2.5.1).
 *
 * @param index 0 to 5; a 64-bit one takes the next number, too
 * @param kind which addresses it decodes
 * @param region its size is a power of two
 */
public record PciBar(int index, Kind kind, MmioRegion region) {
  /** Address space and width. */
  public enum Kind {
    IO(1),
    MEMORY32(0),
    MEMORY64_PREFETCHABLE(0xc);

    private final int flags;

    Kind(int flags) {
      this.flags = flags;
    }

    /** The register's read-only low bits. */
    int flags() {
      return flags;
    }

    /** Bits that hold the register's flags and no address. */
    int flagMask() {
      return this == IO ? 3 : 0xf;
    }
  }

  public PciBar {
    boolean room = index >= 0 && index + (kind == Kind.MEMORY64_PREFETCHABLE ? 1 : 0) <= 5;
    if (!room || Long.bitCount(region.size()) != 1 || region.size() <= kind.flagMask()) {
      throw new IllegalArgumentException("BAR " + index + " of " + region.size() + " bytes");
    }
  }

  int register() {
    return PciConfig.BAR0 + 4 * index;
  }
}
