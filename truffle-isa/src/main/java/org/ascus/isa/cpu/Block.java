package org.ascus.isa.cpu;

/**
 * A basic block, decoded: position-independent and shared by all CPUs of a machine. It is found by the physical address
 * of its first byte and lies in one page, but for an instruction that straddles into the next page, which is always a
 * block of its own.
 */
public final class Block {
  /** Most instructions of a block, each of at most four bytes. */
  public static final int MAX_INSTRUCTIONS = 64;

  private static final int MAX_TARGETS = 24;

  /** Physical address of the first instruction. */
  public final long physical;

  /** Packed instructions, see {@code org.ascus.isa.decode.Packed}. */
  public final long[] code;

  /** Byte offset of each instruction from the first; one more element than instructions, the last is the length. */
  public final short[] offsets;

  /** Physical page of the second part of a straddling instruction, or -1. */
  public final long secondPage;

  /** Cleared when a byte of the block was overwritten; then nobody enters it any more. */
  public volatile boolean valid = true;

  /** How often control came here by a back edge or call; plain races only lose counts. */
  public int heat;

  /** Heat at which compiled code is asked for. */
  public final int threshold;

  /** Compiled code was asked for, and it is there, or will be, or cannot be made. */
  public boolean requested;

  /** How often a slice of the budget ended in front of this block, in compiled code. */
  public int samples;

  /**
   * Where its computed jump has gone, in bytes from the first instruction; 0 ends the list. Races lose entries only.
   */
  public int[] jumpTargets;

  /** Compiled code that starts here, or null. */
  public volatile CompiledCode compiled;

  public Block(long physical, long[] code, short[] offsets, long secondPage, int threshold) {
    this.physical = physical;
    this.code = code;
    this.offsets = offsets;
    this.secondPage = secondPage;
    this.threshold = threshold;
  }

  /** Notes a target of the computed jump that ends this block; far ones and too many are forgotten. */
  public void noteJump(long distance) {
    if (distance != (short) distance || distance == 0) {
      return;
    }
    if (jumpTargets == null) {
      jumpTargets = new int[MAX_TARGETS];
    }
    for (int i = 0; i < MAX_TARGETS; i++) {
      if (jumpTargets[i] == distance) {
        return;
      }
      if (jumpTargets[i] == 0) {
        jumpTargets[i] = (int) distance;
        return;
      }
    }
  }

  /** Length in bytes. */
  public int bytes() {
    return offsets[code.length];
  }
}
