package org.ascus.isa.region;

import java.util.Arrays;
import org.ascus.isa.cpu.Block;

/**
 * A region of code that is made quickly. Guest registers stay in the register file, so that control can come and go
 * anywhere at no cost: at several blocks, and around each instruction that tier 0 does instead because it is rare or
 * has missed the TLB.
 */
public abstract class BaselineRegion extends Region {
  private final Block[] blocks;
  private final int[] offsets;

  /**
   * @param entries blocks where control may enter, the head first
   * @param offsets of those from the head, in bytes
   */
  protected BaselineRegion(Extent extent, Block[] entries, int[] offsets) {
    super(extent);
    this.blocks = entries;
    this.offsets = offsets;
  }

  /** Whether control may enter it at {@code block}. */
  public final boolean isEntry(Block block) {
    return Arrays.asList(blocks).contains(block);
  }

  protected final int entries() {
    return blocks.length;
  }

  @Override
  public final int level() {
    return 0;
  }

  @Override
  protected final void install() {
    for (int i = 0; i < blocks.length; i++) {
      install(blocks[i], i, offsets[i]);
    }
  }

  @Override
  protected final void uninstall() {
    for (Block block : blocks) {
      uninstall(block);
    }
  }
}
