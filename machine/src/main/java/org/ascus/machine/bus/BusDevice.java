package org.ascus.machine.bus;

/**
 * What answers reads and writes of an MMIO region. It does not know its address.
 *
 * <p>The bus calls with the access sizes that {@link #accessSizes()} allows, naturally aligned, one call at a time
 * (the region holds the {@link MmioRegion#lock() lock} meanwhile). A guest can make any access with any value: an
 * implementation answers every one of them and throws nothing.
 */
public interface BusDevice {
  /** Which access widths the device itself handles; the bus splits or widens others, or refuses them. */
  record AccessSizes(int min, int max, boolean unaligned) {
    /** Registers of exactly 4 bytes. */
    public static final AccessSizes WORD = new AccessSizes(4, 4, false);

    /** Anything from 1 to 8 bytes. */
    public static final AccessSizes ANY = new AccessSizes(1, 8, false);

    /** Registers of 1 byte. */
    public static final AccessSizes BYTE = new AccessSizes(1, 1, false);
  }

  /**
   * @param offset bytes from the start of the region
   * @param width 1, 2, 4 or 8 bytes
   * @return the value, zero-extended, little-endian
   */
  long read(long offset, int width);

  /** Writes the low {@code width} bytes of {@code value}, little-endian, at {@code offset}. */
  void write(long offset, int width, long value);

  default AccessSizes accessSizes() {
    return AccessSizes.ANY;
  }
}
