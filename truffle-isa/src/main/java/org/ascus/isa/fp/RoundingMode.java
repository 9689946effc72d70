package org.ascus.isa.fp;

/**
 * Rounding directions (IEEE 754-2019, section 4.3) in the numbering of the RISC-V {@code rm} field. Plain ints, so that
 * a constant mode folds away in compiled code. The dynamic mode is not among them: an ISA resolves it first.
 */
public final class RoundingMode {
  /** To nearest, ties to even. */
  public static final int RNE = 0;

  /** Towards zero. */
  public static final int RTZ = 1;

  /** Towards negative infinity. */
  public static final int RDN = 2;

  /** Towards positive infinity. */
  public static final int RUP = 3;

  /** To nearest, ties away from zero. */
  public static final int RMM = 4;

  private RoundingMode() {}
}
