package org.ascus.isa.region;

import com.oracle.truffle.api.CompilerDirectives.TruffleBoundary;
import com.oracle.truffle.api.RootCallTarget;
import org.ascus.isa.cpu.Block;
import org.ascus.isa.cpu.CodeSpace;
import org.ascus.isa.cpu.CompiledCode;
import org.ascus.isa.cpu.VCpu;

/**
 * A compiled region, or one that waits for its compilation. It is entered at its first block only and is valid while
 * its bytes are unchanged and its pages are mapped at the same distances from each other.
 */
public final class Region implements CompiledCode, CodeSpace.RegionHandle {
  private static final int RETRY = 16;

  private final Block head;
  private final Block[] blocks;
  private final RootCallTarget callTarget;
  private final int instructions;

  /** [start, end) of each block, guest-physical. */
  private final long[] ranges;

  /** Virtual pages relative to that of the entry, and the physical page each must be mapped to. */
  private final long[] pageOffsets;

  private final long[] physicalPages;
  private final boolean singlePage;
  private final long[] checkedContext = new long[64];
  private final long[] checkedFlush = new long[64];

  private volatile boolean valid = true;
  private volatile boolean ready;
  private int patience = RETRY;

  /**
   * @param blocks what it was made of, its head first
   * @param ranges [start, end) of each block, guest-physical
   * @param pageOffsets virtual pages relative to that of the entry
   * @param physicalPages what each of them must be mapped to
   */
  Region(
      Block[] blocks, RootCallTarget callTarget, int instructions, long[] ranges, long[] pageOffsets,
      long[] physicalPages) {
    this.head = blocks[0];
    this.blocks = blocks;
    this.callTarget = callTarget;
    this.instructions = instructions;
    this.ranges = ranges;
    this.pageOffsets = pageOffsets;
    this.physicalPages = physicalPages;
    this.singlePage = pageOffsets.length == 1;
  }

  public RootCallTarget callTarget() {
    return callTarget;
  }

  /** True once compiled code was seen to run. */
  public boolean isReady() {
    return ready && valid;
  }

  /** Guest instructions in the region. */
  public int instructions() {
    return instructions;
  }

  /** A call found no compiled code: it is still being made, or was thrown away. */
  public void bounced() {
    ready = false;
    patience = RETRY;
  }

  @Override
  public void run(VCpu cpu) {
    Object ran = callTarget.call(cpu.arguments);
    if (ran == null) {
      bounced();
    } else {
      ready = true;
    }
  }

  @Override
  public boolean matches(VCpu cpu) {
    if (!valid) {
      return false;
    }
    if (!ready) {
      if (--patience > 0) {
        return false;
      }
      patience = RETRY;
    }
    if (singlePage) {
      return true;
    }
    int i = cpu.index();
    return checkedContext[i] == cpu.fetchContext && checkedFlush[i] == cpu.pageFlushes || mapped(cpu);
  }

  @TruffleBoundary
  private boolean mapped(VCpu cpu) {
    int i = cpu.index();
    long entryPage = cpu.pc & -4096L;
    for (int p = 0; p < pageOffsets.length; p++) {
      long physical = cpu.probeFetch(entryPage + pageOffsets[p]);
      if (physical < 0 || (physical & -4096L) != physicalPages[p]) {
        return false;
      }
    }
    checkedContext[i] = cpu.fetchContext;
    checkedFlush[i] = cpu.pageFlushes;
    return true;
  }

  @Override
  public void invalidate() {
    valid = false;
    head.compiled = null;
  }

  @Override
  public boolean intact() {
    for (Block block : blocks) {
      if (!block.valid) {
        return false;
      }
    }
    return true;
  }

  public boolean isValid() {
    return valid;
  }

  long[] physicalPages() {
    return physicalPages;
  }

  @Override
  public boolean overlaps(long start, long end) {
    for (int i = 0; i < ranges.length; i += 2) {
      if (ranges[i] < end && ranges[i + 1] > start) {
        return true;
      }
    }
    return false;
  }
}
