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

  /** Executions that prove a warm block hot. */
  private static final int STILL_TO_COME = 50;

  /** Physical address of the first instruction. */
  public final long physical;

  /** Packed instructions, see {@code org.ascus.isa.decode.Packed}. */
  public final long[] code;

  /** Byte offset of each instruction from the first; one more element than instructions, the last is the length. */
  public final short[] offsets;

  /** Physical page of the second part of a straddling instruction, or -1. */
  public final long secondPage;

  /** Cleared by {@link #drop}; then nobody enters it any more. */
  public volatile boolean valid = true;

  /** How often control came here, by a back edge or call if the translator takes no others; races lose counts. */
  public int heat;

  /** Heat at which compiled code is asked for. */
  public final int threshold;

  /** Compiled code was asked for, and it is there, or will be, or cannot be made. */
  public boolean requested;

  /** The best code that there is was asked for, as with {@link #requested}. */
  public volatile boolean requestedBest;

  /** How often a slice of the budget ended in front of this block, in compiled code. */
  public int samples;

  /**
   * Where its computed jump has gone, in bytes from the first instruction; 0 ends the list. Races lose entries only.
   */
  public int[] jumpTargets;

  private volatile EntryPoint entry;

  /** Blocks that control has gone to from here, in the same page; races lose them only. */
  private Block next;
  private Block next2;

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

  /** Where compiled code can be entered here, or null. */
  public EntryPoint entry() {
    return entry;
  }

  /** Compiled code that can be entered here, or null. */
  public CompiledCode compiled() {
    EntryPoint now = entry;
    return now == null ? null : now.code;
  }

  /** From now on control enters compiled code by {@code next}, or not at all if it is null. */
  public synchronized void enterBy(EntryPoint next) {
    EntryPoint old = entry;
    entry = next;
    if (old != null) {
      old.live = false;
      old.code.close(old.place);
    }
    if (next != null) {
      next.code.open(next.place);
    }
  }

  /** A byte of it was overwritten. */
  void drop() {
    valid = false;
    enterBy(null);
    next = null;
    next2 = null;
  }

  /** The block at {@code target}, physical and in the same page, if control has gone there lately; or null. */
  Block successor(long target) {
    Block block = next;
    if (block == null || block.physical != target) {
      block = next2;
      if (block == null || block.physical != target) {
        return null;
      }
    }
    return block.valid ? block : null;
  }

  /** Control has gone from here to {@code block}, which is in the same page. */
  void noteSuccessor(Block block) {
    if (block.secondPage < 0) {
      next2 = next;
      next = block;
    }
  }

  /** It is as hot as code that was compiled, and for want of room there becomes so by itself soon. */
  public void warm() {
    heat = Math.max(heat, threshold - STILL_TO_COME);
  }

  /** Length in bytes. */
  public int bytes() {
    return offsets[code.length];
  }
}
