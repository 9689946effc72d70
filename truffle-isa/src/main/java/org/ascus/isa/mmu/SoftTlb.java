package org.ascus.isa.mmu;

import java.util.Arrays;

/**
 * Layout of a soft TLB: a direct-mapped {@code long[]} with {@value #ENTRY_LONGS} longs an entry, for pages of 4 KiB.
 *
 * <p>A tag is the virtual page address with a context number in bits 3 to 11; bits 0 to 2 are zero, so that comparing
 * {@code va & (PAGE_MASK | width - 1) | context} with the tag tests page, context and alignment at once. A context
 * stands for everything else a translation depends on (privilege, address-space id, permission switches), so that
 * changing any of those needs no flush, and a flush is a new context number.
 */
public final class SoftTlb {
  public static final int ENTRY_BITS = 12;
  public static final int ENTRIES = 1 << ENTRY_BITS;
  public static final int ENTRY_LONGS = 4;
  public static final long PAGE_MASK = -4096L;

  /** Offset of the tag for loads. */
  public static final int READ_TAG = 0;

  /** Offset of the tag for stores. */
  public static final int WRITE_TAG = 1;

  /** Offset of what to add to a virtual address to get the host address. */
  public static final int ADDEND = 2;

  /** Offset of the guest-physical page address. */
  public static final int PHYSICAL = 3;

  /** Mask that turns {@code va >>> INDEX_SHIFT} into the array index of an entry. */
  public static final int INDEX_MASK = (ENTRIES - 1) * ENTRY_LONGS;

  public static final int INDEX_SHIFT = 10;

  /** A tag that matches no address: its bits 0 to 2 are not zero. */
  public static final long INVALID = 7;

  public static final int MAX_CONTEXT = 511;
  public static final int CONTEXT_SHIFT = 3;

  private SoftTlb() {}

  public static long[] create() {
    long[] tlb = new long[ENTRIES * ENTRY_LONGS];
    clear(tlb);
    return tlb;
  }

  public static int index(long va) {
    return (int) (va >>> INDEX_SHIFT) & INDEX_MASK;
  }

  public static void clear(long[] tlb) {
    Arrays.fill(tlb, INVALID);
  }

  /** Drops the entry of the page of {@code va} in every context. */
  public static void flushPage(long[] tlb, long va) {
    int i = index(va);
    long page = va & PAGE_MASK;
    if ((tlb[i + READ_TAG] & PAGE_MASK) == page || (tlb[i + WRITE_TAG] & PAGE_MASK) == page) {
      tlb[i + READ_TAG] = INVALID;
      tlb[i + WRITE_TAG] = INVALID;
    }
  }

  /** Drops write permission for a guest-physical page; true if any entry had it. */
  public static boolean protect(long[] tlb, long physicalPage) {
    boolean found = false;
    for (int i = 0; i < tlb.length; i += ENTRY_LONGS) {
      if (tlb[i + PHYSICAL] == physicalPage && tlb[i + WRITE_TAG] != INVALID) {
        tlb[i + WRITE_TAG] = INVALID;
        found = true;
      }
    }
    return found;
  }
}
