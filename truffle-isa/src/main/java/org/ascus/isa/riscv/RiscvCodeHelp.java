package org.ascus.isa.riscv;

import org.ascus.isa.fp.FpStatus;

/** What generated code calls for operands that are no registers. */
final class RiscvCodeHelp {
  private RiscvCodeHelp() {}

  static int frm(RiscvHart hart) {
    return hart.csrs.frm;
  }

  static long widened(int frm) {
    return frm;
  }

  static long fcsr(long flags, int frm) {
    return (long) frm << 5 | flags;
  }

  static FpStatus status(RiscvHart hart) {
    return hart.fp;
  }
}
