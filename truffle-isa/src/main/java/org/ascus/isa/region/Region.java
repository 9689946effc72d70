package org.ascus.isa.region;

import com.oracle.truffle.api.CompilerDirectives.TruffleBoundary;
import java.util.Arrays;
import org.ascus.isa.cpu.Block;
import org.ascus.isa.cpu.CompiledCode;
import org.ascus.isa.cpu.EntryPoint;
import org.ascus.isa.cpu.VCpu;

/**
 * A compiled region of some tier. It is valid while its bytes are unchanged and its pages are mapped at the same
 * distances from each other.
 */
public abstract class Region extends CompiledCode {
  /**
   * What a region was made of.
   *
   * @param blocks its blocks, the head first
   * @param instructions guest instructions in them
   * @param ranges [start, end) of each block, guest-physical
   * @param pageOffsets virtual pages relative to that of the entry
   * @param physicalPages what each of them must be mapped to
   * @param cpus how many CPUs may run it
   */
  public record Extent(
      Block[] blocks, int instructions, long[] ranges, long[] pageOffsets, long[] physicalPages, int cpus) {}

  /** What {@link #matches} has found last for a CPU: context, flushes and address of the head. */
  private static final int CHECKED = 3;

  private final Extent extent;
  private final boolean singlePage;
  private final long[] checked;
  private volatile boolean valid = true;

  protected Region(Extent extent) {
    this.extent = extent;
    this.singlePage = extent.pageOffsets().length == 1;
    this.checked = new long[singlePage ? 0 : CHECKED * extent.cpus()];
  }

  /** The block that it starts with. */
  public final Block head() {
    return extent.blocks()[0];
  }

  /** Whether {@code block} is one of its blocks. */
  public final boolean contains(Block block) {
    return Arrays.asList(extent.blocks()).contains(block);
  }

  /** Guest instructions in the region. */
  public final int instructions() {
    return extent.instructions();
  }

  /** How good its code is: code of a higher level takes the place of that of a lower one. */
  public abstract int level();

  /** Makes it the code of its blocks where control may enter it, as far as they have none that is better. */
  protected abstract void install();

  /** Undoes {@link #install}. */
  protected abstract void uninstall();

  @Override
  public boolean matches(VCpu cpu, long head) {
    if (!valid) {
      return false;
    }
    if (singlePage) {
      cpu.relyOn(head);
      return true;
    }
    int i = CHECKED * cpu.index();
    return checked[i] == cpu.fetchContext && checked[i + 1] == cpu.codeFlushes() && checked[i + 2] == head
        || mapped(cpu, head);
  }

  @TruffleBoundary
  private boolean mapped(VCpu cpu, long head) {
    int i = CHECKED * cpu.index();
    long entryPage = head & -4096L;
    for (int p = 0; p < extent.pageOffsets().length; p++) {
      long physical = cpu.probeFetch(entryPage + extent.pageOffsets()[p]);
      if (physical < 0 || (physical & -4096L) != extent.physicalPages()[p]) {
        return false;
      }
      cpu.relyOn(entryPage + extent.pageOffsets()[p]);
    }
    checked[i] = cpu.fetchContext;
    checked[i + 1] = cpu.codeFlushes();
    checked[i + 2] = head;
    return true;
  }

  @Override
  public void invalidate() {
    valid = false;
    uninstall();
  }

  /** Has {@code block}, {@code offset} bytes from the head, run by this from {@code place} on, unless it has better. */
  protected final void install(Block block, int place, int offset) {
    if (!(block.compiled() instanceof Region other) || other.level() < level() || !other.valid) {
      block.enterBy(new EntryPoint(this, place, offset));
    }
  }

  /** Undoes {@link #install(Block, int, int)}; the block may ask for compiled code again when it is hot. */
  protected final void uninstall(Block block) {
    if (block.compiled() == this) {
      block.enterBy(null);
      block.heat = 0;
      block.requested = false;
    }
  }

  /** Has its blocks ask for compiled code as soon as they are executed again: they are hot. */
  final void askAgain() {
    for (Block block : extent.blocks()) {
      if (block.entry() == null) {
        block.heat = block.threshold;
      }
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
