package org.ascus.tests.differential;

import java.util.Random;

/**
 * Random PMP entries 1 to 14 over the data. Entry 0 allows what a trial needs to go on, entry 15 is for everything
 * else.
 */
final class PrivilegedPmp {
  static final int ENTRIES = 16;
  private static final int NAPOT = 0x18;
  private static final int RWX = 7;
  private static final int LOCK = 0x80;
  private static final long EVERYTHING = (1L << 54) - 1;
  private static final long SAFE_4_MIB = PrivilegedMemory.SAFE >> 2 | (1L << 19) - 1;

  private final Random random;
  private final boolean fine;
  final long[] address = new long[ENTRIES];
  final int[] config = new int[ENTRIES];

  /** No entry but the first and the last one is on. */
  final boolean idle;


  /** @param fine whether entries end inside pages */
  PrivilegedPmp(Random random, boolean fine) {
    this.random = random;
    this.fine = fine;
    address[0] = SAFE_4_MIB;
    config[0] = NAPOT | RWX;
    address[15] = EVERYTHING;
    // Where page tables are readable they are writable: QEMU 7.2 does not check PMP when it sets A and D.
    config[15] = NAPOT | (random.nextInt(12) == 0 ? (random.nextBoolean() ? 0 : 3) | random.nextInt(2) * 4 : RWX);
    for (int i = 1; i < 15; i++) {
      address[i] = address();
    }
    int active = random.nextInt(5);
    idle = active == 0;
    for (int i = 0; i < active; i++) {
      int entry = 1 + random.nextInt(14);
      config[entry] = mode(entry);
    }
  }

  private int permissions() {
    int bits = random.nextInt(8);
    // W without R is reserved.
    return (bits & 3) == 2 ? bits | 1 : bits;
  }

  private int mode(int entry) {
    int matching = random.nextInt(4) << 3;
    // As TOR the first entry would cover the page tables.
    boolean other = matching == 0x10 && !fine || matching == 8 && entry == 1;
    return (other ? NAPOT : matching) | permissions();
  }

  /** pmpaddr of something in the data: a NAPOT region, or the end of one. */
  long address() {
    long at = PrivilegedMemory.DATA + (long) random.nextInt(PrivilegedMemory.DATA_PAGES) * 0x1000;
    if (fine) {
      at += 4L * random.nextInt(0x400);
      int ones = random.nextInt(12);
      return at >> 2 & -(1L << ones) | (1L << ones) - 1 >> 1;
    }
    int ones = 9 + random.nextInt(5);
    return random.nextBoolean() ? at >> 2 : at >> 2 & -(1L << ones) | (1L << ones) - 1;
  }

  /** A value for pmpcfg0 or pmpcfg2 that leaves entries 0 and 15 as they are. */
  long configValue(int register) {
    long value = 0;
    for (int i = 0; i < 8; i++) {
      int entry = register * 4 + i;
      int now = entry == 0 || entry == 15 ? config[entry] : random.nextInt(3) == 0 ? mode(entry) : 0;
      value |= (long) now << 8 * i;
    }
    return value;
  }

  long packed(int register) {
    long value = 0;
    for (int i = 0; i < 8; i++) {
      value |= (long) config[register * 4 + i] << 8 * i;
    }
    return value;
  }

  /** Code that locks one or two entries over the two lockable pages for the rest of the run. */
  static String lock(Random random) {
    StringBuilder code = new StringBuilder();
    long low = 0;
    long high = 0;
    for (int n = 1 + random.nextInt(2); n > 0; n--) {
      int entry = n == 2 ? 2 + random.nextInt(5) : 9 + random.nextInt(5);
      long start = PrivilegedMemory.LOCKABLE + (random.nextBoolean() ? 0 : 4L * random.nextInt(0x400));
      int bits = random.nextInt(8);
      int permissions = LOCK | ((bits & 3) == 2 ? bits | 1 : bits);
      long value;
      switch (random.nextInt(3)) {
        case 0 -> {
          permissions |= 8;
          value = start + 8L * (1 + random.nextInt(0x200)) >> 2;
          code.append("  li t0, ").append(start >> 2).append("\n  csrw pmpaddr").append(entry - 1).append(", t0\n");
        }
        case 1 -> {
          permissions |= 0x10;
          value = start >> 2;
        }
        default -> {
          permissions |= NAPOT;
          int ones = random.nextInt(10);
          value = start >> 2 & -(1L << ones + 1) | (1L << ones) - 1;
        }
      }
      code.append("  li t0, ").append(value).append("\n  csrw pmpaddr").append(entry).append(", t0\n");
      if (entry < 8) {
        low |= (long) permissions << 8 * entry;
      } else {
        high |= (long) permissions << 8 * (entry - 8);
      }
    }
    code.append("  li t0, ").append(low).append("\n  csrw pmpcfg0, t0\n");
    return code.append("  li t0, ").append(high).append("\n  csrw pmpcfg2, t0\n").toString();
  }
}
