package org.ascus.tests.differential;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;

/**
 * Physical memory and page tables of a privileged trial. One set of tables serves Sv39, Sv48 and Sv57: the root of each
 * is entry 0 (and the last one) of the next larger one.
 */
final class PrivilegedMemory {
  /** Code, log, roots of the page tables: 4 MiB that PMP entry 0 always allows. */
  static final long SAFE = 0x8000_0000L;

  static final long ROOT39 = 0x8030_0000L;
  static final long ROOT48 = 0x8030_1000L;
  static final long ROOT57 = 0x8030_2000L;
  static final long LOG = 0x8030_4000L;
  static final long VARIABLES = 0x8030_8000L;
  static final long LEVEL1 = 0x8040_0000L;
  static final long LEVEL0 = 0x8040_1000L;

  /** Eight pages that every trial finds the same. */
  static final long DATA = 0x8060_0000L;

  static final int DATA_PAGES = 8;

  /** Two pages that locked PMP entries may forbid even M mode. */
  static final long LOCKABLE = 0x8061_0000L;

  private static final long HOLE = 0x2_0000L;

  /** U mode executes the program here while translation is on. */
  static final long USER_OFFSET = -0x4000_0000L;

  private static final int V = 1;
  private static final int R = 2;
  private static final int W = 4;
  private static final int X = 8;
  private static final int U = 16;
  private static final int G = 32;
  private static final int A = 64;
  private static final int D = 128;

  /** The offsets in a page that are compared and put back are below the first and from the second one. */
  static final int LOW_WINDOW = 0x80;

  static final int HIGH_WINDOW = 0xfc0;

  private final Random random;

  /** Page table entries by physical address. */
  final Map<Long, Long> entries = new LinkedHashMap<>();

  private final boolean extended;

  private final boolean plain;

  /**
   * @param extended with Svnapot and Svpbmt, and then without bits 54 to 60, which QEMU 7.2 ignores there
   * @param plain without holes and without what PMP may have locked
   */
  PrivilegedMemory(Random random, boolean extended, boolean plain) {
    this.random = random;
    this.extended = extended;
    this.plain = plain;
    table(ROOT57, 0, ROOT48);
    table(ROOT57, 511, ROOT48);
    table(ROOT48, 0, ROOT39);
    table(ROOT48, 511, ROOT39);
    leaf(ROOT57, 1, 0, randomFlags());
    leaf(ROOT48, 1, 0, randomFlags());
    put(ROOT39, 2, SAFE, V | R | W | X | random(A | D | G));
    put(ROOT39, 1, SAFE, V | R | X | U | random(A | D | W | G));
    table(ROOT39, 3, LEVEL1);
    table(ROOT39, 511, LEVEL1);
    leaf(ROOT39, 4, SAFE, randomFlags());
    leaf(ROOT39, 5, SAFE + (1L << 12 + random.nextInt(18)), randomFlags());
    table(LEVEL1, 0, LEVEL0);
    leaf(LEVEL1, 1, DATA, randomFlags());
    leaf(LEVEL1, 2, DATA + (1L << 12 + random.nextInt(9)), randomFlags());
    // Tables that loop: down this way it goes on with the root, or with itself.
    put(LEVEL1, 3, random.nextBoolean() ? ROOT39 : LEVEL1, V | (random.nextInt(8) == 0 ? A << random.nextInt(2) : 0));
    entries.put(LEVEL1 + 8 * 4, random.nextLong() & ~(3L << 61) & ~(R | X) | W);
    for (int i = 0; i < DATA_PAGES; i++) {
      boolean odd = !plain && random.nextInt(8) == 0;
      long target = DATA + 0x1000L * random.nextInt(DATA_PAGES);
      leaf(LEVEL0, i, !odd ? target : i == DATA_PAGES - 1 ? HOLE : LOCKABLE, randomFlags());
      if (random.nextInt(20) == 0) {
        // Svnapot: 64 KiB, or a size that is reserved.
        long ppn = DATA >> 12 | (random.nextInt(4) == 0 ? random.nextInt(16) : 8);
        // QEMU 7.2 sets A and D before it finds the size reserved.
        int flags = randomFlags() | ((ppn & 15) == 8 ? 0 : A | D);
        entries.put(LEVEL0 + 8 * i, 1L << 63 | ppn << 10 | flags);
      }
    }
  }

  private int random(int mask) {
    return random.nextInt() & mask;
  }

  private int randomFlags() {
    int flags = random.nextInt(16) == 0 ? 0 : V;
    flags |= random.nextInt(3) == 0 ? random(R | W | X) : R | random(W | X);
    flags |= random.nextInt(4) == 0 ? 0 : A;
    flags |= random.nextInt(2) == 0 ? 0 : D;
    return flags | random(U | G | 3 << 8);
  }

  private void table(long table, int index, long next) {
    put(table, index, next, V);
  }

  private void put(long table, int index, long target, int flags) {
    entries.put(table + 8L * index, target >> 12 << 10 | flags);
  }

  private void leaf(long table, int index, long target, int flags) {
    // A table in a hole is an access fault, and a page fault on QEMU 7.2.
    put(table, index, target, table != LEVEL0 && (flags & (R | W | X)) == 0 ? flags | X : flags);
    int odd = random.nextInt(60);
    if (odd == 0 && !extended) {
      entries.merge(table + 8L * index, 1L << 54 + random.nextInt(7), (a, b) -> a | b);
    } else if (odd == 1) {
      entries.merge(table + 8L * index, 1L << 61 + random.nextInt(2), (a, b) -> a | b);
    }
  }

  /** A value for satp that keeps the program mapped. */
  long satp(boolean bare) {
    long asid = (random.nextInt(3) == 0 ? random.nextInt(1 << 16) : 1L) << 44;
    return switch (random.nextInt(bare ? 4 : 3)) {
      case 0 -> 8L << 60 | asid | ROOT39 >> 12;
      case 1 -> 9L << 60 | asid | ROOT48 >> 12;
      case 2 -> 10L << 60 | asid | ROOT57 >> 12;
      default -> 0;
    };
  }

  /** An address of memory, whatever satp is. */
  long physical() {
    return !plain && random.nextInt(4) == 0
        ? LOCKABLE + 0x1000L * random.nextInt(2)
        : DATA + 0x1000L * random.nextInt(DATA_PAGES - 1);
  }

  /** Start of a page to access. */
  long page() {
    return switch (random.nextInt(16)) {
      case 0, 1 -> physical();
      case 2, 3 -> 0xc020_0000L + 0x1000L * random.nextInt(DATA_PAGES);
      case 4 -> 0xc040_0000L + 0x1000L * random.nextInt(4);
      // Through the tables that loop, not to where they show the program itself.
      case 5 -> 0xc060_0000L + 0x3000L * random.nextInt(3);
      case 6 -> 0xc080_0000L;
      case 7 -> (random.nextBoolean() ? 0x1_0000_0000L : 0x1_4000_0000L) + physical() - SAFE;
      case 8 -> (random.nextBoolean() ? 1L << 39 : 1L << 48) + physical();
      case 9 -> plain ? 0x8000_0000_0000_0000L : 1L << 38 + random.nextInt(26);
      case 10 -> 0xffff_ffff_c000_0000L + 0x1000L * random.nextInt(DATA_PAGES);
      default -> 0xc000_0000L + 0x1000L * random.nextInt(DATA_PAGES);
    };
  }

  /** Start of a page that is memory or a page fault wherever translation is on. */
  long translatedMemory() {
    return switch (random.nextInt(4)) {
      case 0 -> 0xc020_0000L + 0x1000L * random.nextInt(DATA_PAGES);
      case 1 -> 0xffff_ffff_c000_0000L + 0x1000L * random.nextInt(DATA_PAGES - 1);
      default -> 0xc000_0000L + 0x1000L * random.nextInt(DATA_PAGES - 1);
    };
  }

  /** Where to in a page; with {@code misaligned} also so that an access ends in the next one. */
  int offset(boolean misaligned) {
    int[] aligned = {0, 8, 0x10, 0x38, 0x78, 0xfc0, 0xff8};
    int[] any = {0x41, 0x33, 0x6c, 0xff9, 0xffc, 0xffe, 0xfff};
    int[] offsets = misaligned && random.nextInt(3) == 0 ? any : aligned;
    return offsets[random.nextInt(offsets.length)];
  }
}
