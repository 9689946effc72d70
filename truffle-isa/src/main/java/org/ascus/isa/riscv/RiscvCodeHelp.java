package org.ascus.isa.riscv;

import org.ascus.isa.fp.FpStatus;

/** What generated code calls for operands that are no registers. */
final class RiscvCodeHelp {
  private RiscvCodeHelp() {}

  static int frm(RiscvHart hart) {
    return hart.csrs.frm;
  }

  static FpStatus status(RiscvHart hart) {
    return hart.fp;
  }
}
