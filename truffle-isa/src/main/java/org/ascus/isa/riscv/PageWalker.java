package org.ascus.isa.riscv;

import org.ascus.machine.bus.AddressSpace;
import org.ascus.machine.bus.BusFault;
import org.ascus.machine.bus.FlatView;
import org.ascus.machine.bus.RamRegion;

/**
 * Walks page tables: Sv39, Sv48 and Sv57 with Svnapot, Svpbmt and Svadu/Svade (privileged specification, section
 * "Virtual Address Translation Process").
 */
final class PageWalker {
  /** Results of {@link #walk} that are no address. */
  static final long PAGE_FAULT = -1;

  static final long ACCESS_FAULT = -2;

  static final int LOAD = 0;
  static final int STORE = 1;
  static final int FETCH = 2;

  private static final int V = 1;
  private static final int R = 2;
  private static final int W = 4;
  private static final int X = 8;
  private static final int USER = 16;
  private static final int GLOBAL = 32;
  private static final int A = 64;
  private static final int D = 128;
  private static final long PPN_MASK = (1L << 44) - 1;

  private final AddressSpace memory;
  private final Pmp pmp;
  private final boolean napot;

  /** Set by a successful walk: size of the leaf's page in bytes. */
  long pageSize;

  /** Set by a successful walk: whether the page may be cached as writable (dirty, and W). */
  boolean writable;

  /** Set by a successful walk: whether the page may be cached as readable in this context. */
  boolean readable;

  /** Set by a successful walk: whether the page is one address space's, and not its user's. */
  boolean local;

  /** @param napot whether leaves may stand for several pages (Svnapot) */
  PageWalker(AddressSpace memory, Pmp pmp, boolean napot) {
    this.memory = memory;
    this.pmp = pmp;
    this.napot = napot;
  }

  /**
   * Translates {@code va}.
   *
   * @param access LOAD, STORE or FETCH
   * @param mode S or U
   * @param update whether A and D bits may be written; a walk without is free of side effects and ignores them
   * @param hardwareAd whether A/D bits are updated by hardware (Svadu) or trapped (Svade)
   * @param pbmt whether Svpbmt is enabled
   * @return the physical address, PAGE_FAULT or ACCESS_FAULT
   */
  long walk(
      long satp, long va, int access, int mode, boolean sum, boolean mxr, boolean update, boolean hardwareAd,
      boolean pbmt) {
    int levels =
        switch ((int) (satp >>> 60)) {
          case 8 -> 3;
          case 9 -> 4;
          default -> 5;
        };
    int bits = 12 + 9 * levels;
    if (va << (64 - bits) >> (64 - bits) != va) {
      return PAGE_FAULT;
    }
    long table = (satp & PPN_MASK) << 12;
    boolean global = false;
    for (int level = levels - 1; level >= 0; level--) {
      int shift = 12 + 9 * level;
      long pteAddress = table + ((va >>> shift & 0x1ff) << 3);
      if (!pmp.allows(pteAddress, 8, Pmp.READ, Status.S)) {
        return ACCESS_FAULT;
      }
      FlatView.Range range;
      try {
        range = memory.view().find(pteAddress, 8);
      } catch (BusFault e) {
        return ACCESS_FAULT;
      }
      if (!(range.region() instanceof RamRegion ram)) {
        return ACCESS_FAULT;
      }
      long offset = pteAddress - range.start() + range.offset();
      while (true) {
        long pte = ram.ram().getLong(offset);
        if ((pte & V) == 0 || (pte & (R | W)) == W || (pte & 0x1fc0000000000000L) != 0 || (pte >>> 61 & 3) == 3) {
          return PAGE_FAULT;
        }
        if (!pbmt && (pte >>> 61 & 3) != 0 || !napot && pte < 0) {
          return PAGE_FAULT;
        }
        long ppn = pte >>> 10 & PPN_MASK;
        global |= (pte & GLOBAL) != 0;
        if ((pte & (R | W | X)) == 0) {
          if ((pte & (A | D | USER)) != 0 || pte >>> 61 != 0) {
            return PAGE_FAULT;
          }
          table = ppn << 12;
          break;
        }
        boolean ok =
            switch (access) {
              case FETCH -> (pte & X) != 0;
              case LOAD -> (pte & R) != 0 || mxr && (pte & X) != 0;
              default -> (pte & W) != 0;
            };
        boolean user = (pte & USER) != 0;
        if (!ok || user && mode == Status.S && (access == FETCH || !sum) || !user && mode == Status.U) {
          return PAGE_FAULT;
        }
        if ((ppn & (1L << 9 * level) - 1) != 0) {
          return PAGE_FAULT;
        }
        pageSize = 1L << shift;
        if (pte < 0) {
          if (level != 0 || (ppn & 0xf) != 8) {
            return PAGE_FAULT;
          }
          pageSize = 1L << 16;
          ppn &= ~0xfL;
        }
        long wanted = pte | A | (access == STORE ? D : 0);
        if (wanted != pte && update) {
          if (!hardwareAd) {
            return PAGE_FAULT;
          }
          if (!ram.writable() || !pmp.allows(pteAddress, 8, Pmp.WRITE, Status.S)) {
            return ACCESS_FAULT;
          }
          if (!ram.ram().compareAndSetLong(offset, pte, wanted)) {
            continue;
          }
        }
        local = !user && !global;
        readable = (pte & R) != 0 || mxr && (pte & X) != 0;
        writable = (pte & W) != 0 && (wanted & D) != 0;
        return ppn << 12 | va & pageSize - 1;
      }
    }
    return PAGE_FAULT;
  }
}
