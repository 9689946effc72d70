package org.ascus.isa.region;

/**
 * Where control goes after a block. Targets are byte offsets from the block's first instruction.
 *
 * @param kind what ends the block
 * @param taken target of BRANCH, JUMP and CALL; for FALL the next instruction, for STOP the last
 * @param next the instruction behind the block: the other edge of BRANCH, and where CALL and CALL_INDIRECT come back to
 */
public record Flow(Kind kind, int taken, int next) {
  /** Ends of blocks. */
  public enum Kind {
    BRANCH,
    JUMP,
    CALL,
    CALL_INDIRECT,
    /** Return, or a computed jump of which nothing is known. */
    LEAVE,
    /** Computed jump that has been seen to go to the block's {@code jumpTargets}. */
    SWITCH,
    /** The block was cut short; control goes on behind it. */
    FALL,
    /** The last instruction is for the interpreter alone. */
    STOP
  }
}
