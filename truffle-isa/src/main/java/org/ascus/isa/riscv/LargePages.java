package org.ascus.isa.riscv;

/**
 * Where pages larger than 4 KiB are cached in pieces, so that flushing any address of one has to drop more than the
 * piece that it is in: a few aligned ranges of virtual addresses, which cover rather too much than too little.
 */
final class LargePages {
  /** Kernels map their text, all memory and some devices each in a place of its own. */
  private static final int RANGES = 16;

  private final long[] low = new long[RANGES + 1];

  /** The bits in which all addresses of a range are the same. */
  private final long[] mask = new long[RANGES + 1];

  private int count;

  void clear() {
    count = 0;
  }

  boolean contains(long va) {
    for (int i = 0; i < count; i++) {
      if (((va ^ low[i]) & mask[i]) == 0) {
        return true;
      }
    }
    return false;
  }

  /** Notes the page of {@code size} bytes, a power of two, at {@code va}. */
  void add(long va, long size) {
    for (int i = 0; i < count; i++) {
      if (((va ^ low[i]) & mask[i]) == 0 && -size >= mask[i]) {
        return;
      }
    }
    mask[count] = -size;
    low[count] = va & -size;
    count++;
    if (count > RANGES) {
      mergeClosest();
    }
  }

  private void mergeClosest() {
    int first = 0;
    int second = 1;
    for (int i = 0; i < count; i++) {
      for (int j = i + 1; j < count; j++) {
        // Masks are negative: the greater, the smaller the range.
        if (merged(i, j) > merged(first, second)) {
          first = i;
          second = j;
        }
      }
    }
    mask[first] = merged(first, second);
    low[first] &= mask[first];
    count--;
    low[second] = low[count];
    mask[second] = mask[count];
  }

  /** The mask of the smallest range that holds both. */
  private long merged(int i, int j) {
    long both = mask[i] & mask[j];
    while (((low[i] ^ low[j]) & both) != 0) {
      both <<= 1;
    }
    return both;
  }
}
