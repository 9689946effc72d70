package org.ascus.isa.cpu;

import java.util.Arrays;
import java.util.stream.Stream;

/**
 * Where instruction addresses lead that a CPU has come to lately: to blocks, and to compiled code that was found to
 * match. An address has one place; what is there counts as long as its mapping has not been flushed, which
 * {@link VCpu#fetchContext} and counts of the flushes of single pages tell.
 */
final class JumpCache {
  private static final int PLACES = 1 << 15;
  private static final int FLUSH_COUNTS = 1 << 10;

  private static final class Jump {
    long pc;

    /** Fetch context, or 0 if this leads nowhere. */
    long context;

    /** How often the page of pc had been flushed. */
    int flushes;

    Block block;

    /** The block's when it was found to match; or null. */
    EntryPoint entry;

    /** {@link JumpCache#codeFlushes} then. */
    long matched;
  }

  private final VCpu cpu;
  private final Jump[] jumps = Stream.generate(Jump::new).limit(PLACES).toArray(Jump[]::new);

  /** How often pages have been flushed, by page number; some share a count. */
  private final int[] flushes = new int[FLUSH_COUNTS];

  /** Counts flushes of single pages. */
  private long pageFlushes;

  /** As {@link #pageFlushes}, of those only that some match of compiled code may have relied on. */
  private long codeFlushes;

  /** Pages that matches have relied on since {@link #codeFlushes} has changed, by a hash of their numbers. */
  private final long[] matchedPages = new long[16];

  JumpCache(VCpu cpu) {
    this.cpu = cpu;
  }

  private static int place(long va) {
    return (int) (va >>> 1 ^ va >>> 14) & PLACES - 1;
  }

  private static int flushIndex(long va) {
    return (int) (va >>> 12) & FLUSH_COUNTS - 1;
  }

  /** The block at {@code va}, or null if that is not known. */
  @BetweenRegions(inlined = true)
  Block block(long va) {
    Jump jump = jumps[place(va)];
    return jump.pc == va
            && jump.context == cpu.fetchContext
            && jump.flushes == flushes[flushIndex(va)]
            && jump.block.valid
        ? jump.block
        : null;
  }

  /** From now on {@code block} is known to be at {@code va}. */
  void put(long va, Block block) {
    Jump jump = jumps[place(va)];
    jump.pc = va;
    jump.context = cpu.fetchContext;
    jump.flushes = flushes[flushIndex(va)];
    jump.block = block;
    jump.entry = null;
  }

  /** Where compiled code can be entered at {@code va}, or null if that is not known. */
  @BetweenRegions(inlined = true)
  EntryPoint entry(long va) {
    Jump jump = jumps[place(va)];
    if (jump.pc == va && jump.context == cpu.fetchContext && jump.matched == codeFlushes) {
      EntryPoint entry = jump.entry;
      if (entry != null && entry.live) {
        return entry;
      }
    }
    return match(jump, va);
  }

  /** As {@link #entry}, for code whose pages may have been mapped differently meanwhile or that is new. */
  private EntryPoint match(Jump jump, long va) {
    if (jump.pc != va
        || jump.context != cpu.fetchContext
        || jump.flushes != flushes[flushIndex(va)]
        || !jump.block.valid) {
      return null;
    }
    EntryPoint entry = jump.block.entry();
    if (entry == null || !entry.matches(cpu)) {
      return null;
    }
    if (entry.code.isSteady()) {
      jump.entry = entry;
      jump.matched = codeFlushes;
    }
    return entry;
  }

  long pageFlushes() {
    return pageFlushes;
  }

  long codeFlushes() {
    return codeFlushes;
  }

  /** Forgets the entries of the page of {@code va}, and of the page before, whose last one may straddle into it. */
  void flushPage(long va) {
    pageFlushes++;
    if (reliedOn(va) || reliedOn(va - 4096)) {
      codeFlushes++;
      Arrays.fill(matchedPages, 0);
    }
    flushes[flushIndex(va)]++;
    flushes[flushIndex(va - 4096)]++;
  }

  /** See {@link VCpu#relyOn}. */
  void relyOn(long va) {
    matchedPages[(int) (va >>> 18) & 15] |= 1L << (va >>> 12);
  }

  private boolean reliedOn(long va) {
    return (matchedPages[(int) (va >>> 18) & 15] >>> (va >>> 12) & 1) != 0;
  }

  /** Lets go of what is no longer run: it is held as long as nothing else comes to its place. */
  void forgetDead() {
    for (Jump jump : jumps) {
      EntryPoint entry = jump.entry;
      if (entry != null && !entry.live) {
        jump.entry = null;
      }
      Block block = jump.block;
      if (block != null && !block.valid) {
        jump.context = 0;
        jump.block = null;
      }
    }
  }

  /** Forgets everything. */
  void clear() {
    for (Jump jump : jumps) {
      jump.context = 0;
      jump.block = null;
      jump.entry = null;
    }
  }
}
