package org.ascus.devices.flash;

/**
 * What one chip answers in query mode: the Common Flash Interface table (JEDEC JESD68.01) with Intel's extension (Intel
 * StrataFlash J3 data sheet, appendix "Common Flash Interface").
 */
final class CfiTable {
  private static final int EXTENSION = 0x31;

  private final byte[] table = new byte[0x60];

  /**
   * @param chipSize bytes of one chip, a power of two
   * @param sectorSize bytes of one erase block of one chip
   * @param bufferLog2 bytes of the write buffer of one chip, as a power of two
   */
  CfiTable(long chipSize, int sectorSize, int bufferLog2) {
    put(0x10, 'Q', 'R', 'Y');
    // Command set 1: Intel extended, and where its table is; no alternative set.
    put(0x13, 1, 0, EXTENSION, 0);
    // Vcc 4.5 V to 5.5 V, no Vpp.
    put(0x1b, 0x45, 0x55, 0, 0);
    // Typical times as powers of two: word and buffer program 128 us, block erase 1 s; maxima 16 times that.
    put(0x1f, 7, 7, 10, 0, 4, 4, 4, 0);
    put(0x27, Long.numberOfTrailingZeros(chipSize));
    // x8 and x16 interface.
    put(0x28, 2, 0);
    put(0x2a, bufferLog2, 0);
    int last = (int) (chipSize / sectorSize) - 1;
    int units = sectorSize / 256;
    put(0x2c, 1, last, last >>> 8, units, units >>> 8);
    // Version 1.0, no optional features, one protection register field.
    put(EXTENSION, 'P', 'R', 'I', '1', '0');
    put(EXTENSION + 14, 1);
  }

  private void put(int at, int... values) {
    for (int i = 0; i < values.length; i++) {
      table[at + i] = (byte) values[i];
    }
  }

  int get(int index) {
    return index < table.length ? table[index] & 0xff : 0;
  }
}
