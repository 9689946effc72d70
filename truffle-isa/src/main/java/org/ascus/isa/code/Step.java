package org.ascus.isa.code;

import org.ascus.isa.cpu.BetweenRegions;
import org.ascus.isa.cpu.Block;
import org.ascus.isa.cpu.VCpu;

/**
 * Instructions of a region that tier 0 does for it now and then.
 *
 * @param from the first, as an index in {@code block}
 * @param until the last is before this
 * @param offset of the first from the region's head, in bytes
 * @param remaining instructions that the region has counted as executed from the first on
 */
public record Step(Block block, int from, int until, int offset, int remaining) {
  /**
   * Does them.
   *
   * @param head virtual address of the region's head
   * @return whether the region goes on behind them; if not, the CPU is exact
   */
  @BetweenRegions
  public boolean execute(VCpu cpu, long head) {
    cpu.pc = head + offset;
    cpu.budget += remaining;
    if (!cpu.step(block, from, until)) {
      return false;
    }
    cpu.budget -= remaining - (until - from);
    return true;
  }
}
