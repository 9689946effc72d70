package org.ascus.isa.region;

import com.oracle.truffle.api.CompilerDirectives.TruffleBoundary;
import org.ascus.isa.cpu.Block;
import org.ascus.isa.cpu.CodeSpace;
import org.ascus.isa.cpu.CompiledCode;
import org.ascus.isa.cpu.VCpu;

/**
 * A compiled region of some tier. It is entered at its first block only and is valid while its bytes are unchanged and
 * its pages are mapped at the same distances from each other.
 */
public abstract class Region implements CompiledCode, CodeSpace.RegionHandle {
  /**
   * What a region was made of.
   *
   * @param blocks its blocks, the head first
   * @param instructions guest instructions in them
   * @param ranges [start, end) of each block, guest-physical
   * @param pageOffsets virtual pages relative to that of the entry
   * @param physicalPages what each of them must be mapped to
   */
  public record Extent(
      Block[] blocks, int instructions, long[] ranges, long[] pageOffsets, long[] physicalPages) {}

  private final Extent extent;
  private final boolean singlePage;
  private final long[] checkedContext = new long[64];
  private final long[] checkedFlush = new long[64];
  private volatile boolean valid = true;

  protected Region(Extent extent) {
    this.extent = extent;
    this.singlePage = extent.pageOffsets().length == 1;
  }

  /** The block that it starts with. */
  public final Block head() {
    return extent.blocks()[0];
  }

  /** Guest instructions in the region. */
  public final int instructions() {
    return extent.instructions();
  }

  @Override
  public boolean matches(VCpu cpu) {
    if (!valid) {
      return false;
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
    for (int p = 0; p < extent.pageOffsets().length; p++) {
      long physical = cpu.probeFetch(entryPage + extent.pageOffsets()[p]);
      if (physical < 0 || (physical & -4096L) != extent.physicalPages()[p]) {
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
    Block head = head();
    if (head.compiled == this) {
      head.compiled = null;
      head.heat = 0;
      head.requested = false;
    }
  }

  @Override
  public final boolean intact() {
    for (Block block : extent.blocks()) {
      if (!block.valid) {
        return false;
      }
    }
    return true;
  }

  public final boolean isValid() {
    return valid;
  }

  /** True if there is compiled code to run. */
  public boolean isReady() {
    return valid;
  }

  final long[] physicalPages() {
    return extent.physicalPages();
  }

  @Override
  public final boolean overlaps(long start, long end) {
    long[] ranges = extent.ranges();
    for (int i = 0; i < ranges.length; i += 2) {
      if (ranges[i] < end && ranges[i + 1] > start) {
        return true;
      }
    }
    return false;
  }
}
