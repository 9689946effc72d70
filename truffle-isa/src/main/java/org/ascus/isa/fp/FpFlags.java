package org.ascus.isa.fp;

/**
 * The five IEEE 754 exceptions (IEEE 754-2019, section 7) as bits, in the layout of RISC-V {@code fflags}
 * (Unprivileged ISA, "F" extension, floating-point control and status register).
 */
public final class FpFlags {
  /** Inexact: the result was rounded. */
  public static final int NX = 1;

  /** Underflow: the result is tiny after rounding, and inexact. */
  public static final int UF = 2;

  /** Overflow: the rounded result exceeds the largest finite number. */
  public static final int OF = 4;

  /** Division of a finite non-zero number by zero. */
  public static final int DZ = 8;

  /** Invalid operation. */
  public static final int NV = 16;

  /** All of them. */
  public static final int ALL = NX | UF | OF | DZ | NV;

  private FpFlags() {}
}
