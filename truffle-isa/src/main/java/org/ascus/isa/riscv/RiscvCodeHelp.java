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

  static long sstatus(long mstatus) {
    long dirty = mstatus >>> Status.FS_SHIFT & mstatus >>> Status.FS_SHIFT + 1;
    return mstatus & Status.SSTATUS | dirty << 63 | Status.UXL_64;
  }

  static long with(long status, long bits) {
    return status | bits;
  }

  static long without(long status, long bits) {
    return status & ~bits;
  }

  /** Whether there are bits besides the interrupt enable. */
  static boolean isMore(long bits) {
    return (bits & ~Status.SIE) != 0;
  }

  static FpStatus status(RiscvHart hart) {
    return hart.fp;
  }
}
