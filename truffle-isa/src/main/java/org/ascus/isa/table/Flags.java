package org.ascus.isa.table;

/** Properties of an instruction as bits of {@link Instruction#flags()}. */
public final class Flags {
  /** Conditional transfer of control to pc + imm. */
  public static final int BRANCH = 1;
  /** Unconditional transfer of control, direct or indirect. */
  public static final int JUMP = 1 << 1;
  /** Reads guest memory. */
  public static final int LOAD = 1 << 2;
  /** Writes guest memory. */
  public static final int STORE = 1 << 3;
  /** Needs the floating-point unit to be on. */
  public static final int FP = 1 << 4;
  /** The next instruction may be elsewhere, or run under other rules: a basic block ends here. */
  public static final int ENDS_BLOCK = 1 << 5;
  /** Reads or changes state beyond registers and memory. */
  public static final int SYSTEM = 1 << 6;
  /** Anything cached about translation or code may be stale afterwards. */
  public static final int SERIALISES = 1 << 7;
  /** May raise an exception of its own (misaligned jump targets, which need C to be off, not counted). */
  public static final int TRAPS = 1 << 8;
  /** Loads narrower than a register are zero-extended. */
  public static final int UNSIGNED = 1 << 9;

  private Flags() {}

  /** The bit for a flag spelled as in a table's options, or 0 if there is none of that name. */
  static int byName(String name) {
    return switch (name) {
      case "ends" -> ENDS_BLOCK;
      case "system" -> SYSTEM;
      case "serialises" -> SERIALISES;
      case "traps" -> TRAPS;
      case "unsigned" -> UNSIGNED;
      default -> 0;
    };
  }
}
