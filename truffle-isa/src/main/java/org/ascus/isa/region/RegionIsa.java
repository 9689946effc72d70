package org.ascus.isa.region;

import java.util.Map;
import java.util.Optional;
import org.ascus.isa.cpu.Block;
import org.ascus.isa.node.BlockNode;

/** What the region former asks of an ISA. */
public interface RegionIsa {
  Flow flow(Block block);

  /**
   * Makes the nodes of a block.
   *
   * @param offset of the block from the region's entry, in bytes
   * @param taken where the edges of its {@link Flow} lead
   * @param callee the region that a CALL at the block's end goes to, if it is known
   * @param blocks numbers of the region's blocks by their offset, for computed jumps
   * @param registers collects the slots that the block reads or writes
   */
  BlockNode nodes(
      Block block, int offset, Edge taken, Edge next, Optional<TruffleRegion> callee, Map<Integer, Integer> blocks,
      RegisterUse registers);

  /**
   * An edge of a region's graph.
   *
   * @param index number of the block it leads to, or {@code TerminatorNode.EXIT}
   * @param back whether it may close a loop
   */
  record Edge(int index, boolean back) {}

  /** Register slots that a region uses, as bit sets. */
  final class RegisterUse {
    private final int[] times = new int[64];
    private long read;
    private long written;

    public void read(int slot) {
      times[slot]++;
      read |= 1L << slot;
    }

    public void written(int slot) {
      times[slot]++;
      written |= 1L << slot;
    }

    /** How often {@code slot} is read or written. */
    public int times(int slot) {
      return times[slot];
    }

    /** Slots that are read or written, in order; slot 0 holds no register. */
    public int[] used() {
      return slots(read | written);
    }

    /** Slots that are written. */
    public int[] changed() {
      return slots(written);
    }

    private static int[] slots(long set) {
      int[] slots = new int[Long.bitCount(set & ~1L)];
      int n = 0;
      for (int i = 1; i < 64; i++) {
        if ((set >>> i & 1) != 0) {
          slots[n++] = i;
        }
      }
      return slots;
    }
  }
}
