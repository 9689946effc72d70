package org.ascus.isa.riscv;

/** What generated code of the bytecode tier calls. */
final class RiscvBytecodeHelp {
  private RiscvBytecodeHelp() {}

  /** False if an instruction with rounding mode {@code rm} needs {@link #enableFp} first. */
  static boolean fpReady(RiscvHart hart, int rm) {
    return hart.fpReady() && (rm <= 4 || rm == 7 && hart.csrs.frm <= 4);
  }

  /** Makes floating-point instructions legal or traps. */
  static void enableFp(RiscvHart hart, int rm) {
    int mode = rm == 7 ? hart.csrs.frm : rm;
    if (hart.csrs.fpOff() || mode > 4) {
      hart.illegal(RiscvInterpreter.UNKNOWN_BITS);
    } else {
      hart.csrs.fpDirty();
    }
  }

  static int frm(RiscvHart hart) {
    return hart.csrs.frm;
  }

  /** Executes {@code w} at {@code pc} on the register file; {@code budget} is exact for it. */
  static void rare(RiscvHart hart, long w, long pc, int length, long budget) {
    hart.budget = budget;
    hart.pc = pc + length;
    hart.rare.execute(w, pc);
  }
}
