package org.ascus.isa.riscv;

/** Physical memory protection (privileged specification, section "Physical Memory Protection"), granularity 4 bytes. */
final class Pmp {
  static final int READ = 1;
  static final int WRITE = 2;
  static final int EXECUTE = 4;
  private static final int LOCK = 0x80;
  private static final int TOR = 1;
  private static final int NA4 = 2;

  private final int count;
  final int[] config;
  final long[] address;
  private final long[] low;
  private final long[] high;
  private int active;

  Pmp(int count) {
    this.count = count;
    config = new int[count];
    address = new long[count];
    low = new long[count];
    high = new long[count];
  }

  void reset() {
    for (int i = 0; i < count; i++) {
      config[i] &= ~(LOCK | 0x18);
    }
    update();
  }

  long readConfig(int register) {
    long value = 0;
    for (int i = 0; i < 8; i++) {
      int entry = register * 4 + i;
      value |= entry < count ? (config[entry] & 0xffL) << (8 * i) : 0;
    }
    return value;
  }

  void writeConfig(int register, long value) {
    for (int i = 0; i < 8; i++) {
      int entry = register * 4 + i;
      if (entry < count && (config[entry] & LOCK) == 0) {
        int c = (int) (value >>> (8 * i)) & 0x9f;
        // W=1 with R=0 is reserved; the legal value nearby is no write.
        config[entry] = (c & 3) == WRITE ? c & ~WRITE : c;
      }
    }
    update();
  }

  long readAddress(int entry) {
    return entry < count ? address[entry] : 0;
  }

  void writeAddress(int entry, long value) {
    if (entry >= count || (config[entry] & LOCK) != 0) {
      return;
    }
    if (entry + 1 < count && (config[entry + 1] & LOCK) != 0 && (config[entry + 1] >> 3 & 3) == TOR) {
      return;
    }
    address[entry] = value & (1L << 54) - 1;
    update();
  }

  void update() {
    active = 0;
    for (int i = 0; i < count; i++) {
      switch (config[i] >> 3 & 3) {
        case TOR -> {
          low[i] = i == 0 ? 0 : address[i - 1] << 2;
          high[i] = address[i] << 2;
        }
        case NA4 -> {
          low[i] = address[i] << 2;
          high[i] = low[i] + 4;
        }
        case 3 -> {
          long ones = address[i] ^ (address[i] + 1);
          low[i] = (address[i] & ~ones) << 2;
          high[i] = low[i] + ((ones + 1) << 2);
        }
        default -> {
          low[i] = 0;
          high[i] = 0;
          continue;
        }
      }
      active = i + 1;
    }
  }

  /** True if an access of {@code length} bytes with permission {@code need} is allowed. */
  boolean allows(long physical, int length, int need, int mode) {
    for (int i = 0; i < active; i++) {
      if (high[i] != low[i] && physical < high[i] && physical + length > low[i]) {
        if (physical < low[i] || physical + length > high[i]) {
          // In M mode too, locked or not.
          return false;
        }
        return (config[i] & need) == need || mode == Status.M && (config[i] & LOCK) == 0;
      }
    }
    return mode == Status.M || count == 0;
  }

  /** True if the answer of {@link #allows} is the same for all of any page. */
  boolean wholePages() {
    for (int i = 0; i < active; i++) {
      if (high[i] != low[i] && ((low[i] | high[i]) & 4095) != 0) {
        return false;
      }
    }
    return true;
  }

  /** True if the answer of {@link #allows} is the same for all of a page, so that it may be cached. */
  boolean uniform(long page) {
    for (int i = 0; i < active; i++) {
      boolean partly = physicalOverlap(i, page) && (page < low[i] || page + 4096 > high[i]);
      if (partly) {
        return false;
      }
    }
    return true;
  }

  private boolean physicalOverlap(int i, long page) {
    return high[i] != low[i] && page < high[i] && page + 4096 > low[i];
  }
}
