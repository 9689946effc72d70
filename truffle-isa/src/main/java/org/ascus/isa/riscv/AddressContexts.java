package org.ascus.isa.riscv;

import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.ascus.isa.mmu.SoftTlb;

/**
 * Gives context numbers to the things a translation depends on: satp, privilege, SUM and MXR. A context that comes back
 * (a process that is scheduled again) finds its TLB entries still there; forgetting a context flushes it.
 *
 * <p>What supervisor mode can reach without SUM are pages that are not the user's. As long as all of those have been
 * global they are the same in every address space, and so are its contexts.
 */
final class AddressContexts {
  private static final AtomicLong FETCH_NUMBERS = new AtomicLong();

  /** Numbers of one satp value; 0 is "none yet". */
  static final class Space {
    final long satp;
    final long[] data = new long[16];
    final long[] fetch = new long[4];

    /** Has the contexts that this shares with all others of its paging mode; itself if it shares none. */
    final Space shared;

    Space(long satp, Space shared) {
      this.satp = satp;
      this.shared = shared == null ? this : shared;
    }
  }

  /** The part of satp that says how many levels page tables have. */
  private static final long PAGING_MODE = 0xfL << 60;

  /** The bit of {@link #data}'s permissions that stands for SUM. */
  static final int SUM = 4;

  /** Those bits that are the privilege. */
  private static final int MODE = 3;

  /** Address spaces that are kept: a guest makes one for each process that it starts. */
  static final int MOST_SPACES = 256;

  private boolean shares = true;

  /** Those without paging and those that others share, by satp; they are always kept. */
  private final Map<Long, Space> common = new HashMap<>();

  /** The others, the one that was left longest ago first. */
  private final Map<Long, Space> spaces = new LinkedHashMap<>(MOST_SPACES, 0.75f, true);

  private final Runnable flushAll;
  private int next = 1;

  /** @param flushAll clears the TLBs for real, when numbers have run out */
  AddressContexts(Runnable flushAll) {
    this.flushAll = flushAll;
  }

  /** The numbers of {@code satp}; good until {@value #MOST_SPACES} others have been asked for. */
  Space space(long satp) {
    // No address space has all bits of its number and its root set: memory does not reach that far.
    long all = satp | ~PAGING_MODE;
    if (satp >>> 60 == 0 || satp == all) {
      return common.computeIfAbsent(satp, s -> new Space(s, null));
    }
    Space known = spaces.get(satp);
    if (known != null) {
      return known;
    }
    Space made = new Space(satp, space(all));
    spaces.put(satp, made);
    if (spaces.size() > MOST_SPACES) {
      // Its numbers are not given to another one before the TLBs have been cleared.
      spaces.remove(spaces.keySet().iterator().next());
    }
    return made;
  }

  /** The data context of {@code permissions} (0 to 15) in {@code of}, in its place in a tag. */
  long data(Space of, int permissions) {
    Space space = (permissions & SUM) == 0 ? owner(of, permissions & MODE) : of;
    long context = space.data[permissions];
    if (context == 0) {
      if (next > SoftTlb.MAX_CONTEXT) {
        forgetAll();
        flushAll.run();
        next = 1;
      }
      context = (long) next++ << SoftTlb.CONTEXT_SHIFT;
      space.data[permissions] = context;
    }
    return context;
  }

  /** The fetch context of {@code mode} in {@code of}; never reused, by no CPU. */
  long fetch(Space of, int mode) {
    Space space = owner(of, mode);
    if (space.fetch[mode] == 0) {
      space.fetch[mode] = FETCH_NUMBERS.incrementAndGet();
    }
    return space.fetch[mode];
  }

  /** The space whose contexts {@code mode} has in {@code space}. */
  private Space owner(Space space, int mode) {
    return shares && mode == Status.S ? space.shared : space;
  }

  boolean shares() {
    return shares;
  }

  /** A page has been found that is neither the user's nor global; every context is to be forgotten now. */
  void stopSharing() {
    shares = false;
  }

  /** Forgets every context. */
  void forgetAll() {
    spaces.values().forEach(AddressContexts::forget);
    common.values().forEach(AddressContexts::forget);
  }

  /** Forgets the contexts of one address-space id. */
  void forgetAsid(long asid) {
    for (Space space : spaces.values()) {
      if ((space.satp >>> 44 & 0xffff) == asid) {
        forget(space);
      }
    }
  }

  private static void forget(Space space) {
    Arrays.fill(space.data, 0);
    Arrays.fill(space.fetch, 0);
  }
}
