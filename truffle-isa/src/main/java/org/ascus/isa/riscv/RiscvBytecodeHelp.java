package org.ascus.isa.riscv;

/** What generated code of the bytecode tier calls. */
final class RiscvBytecodeHelp {
  private RiscvBytecodeHelp() {}

  /** Whether instructions with rounding mode {@code rm} need no bookkeeping and do not trap. */
  static boolean fpReady(RiscvHart hart, int rm) {
    return hart.fpReady() && (rm != 7 || hart.csrs.frm <= 4);
  }

  static int frm(RiscvHart hart) {
    return hart.csrs.frm;
  }
}
