package org.ascus.isa.fp;

/** What the fast paths of both formats share: host arithmetic, used where it is exact. */
final class HostFp {
  /**
   * Whether {@link Math#fma(double, double, double)} is one instruction. On x86-64 hosts without FMA3 the JDK computes
   * it with BigDecimal, which is far slower than {@link SoftFloat#fma} and must not end up in compiled guest code.
   */
  static final boolean FMA = !"false".equals(System.getProperty("ascus.fp.hostFma"));

  private HostFp() {}

  /** Whether the host rounds in this mode; it has only the one. */
  static boolean rounds(int rm) {
    return rm == RoundingMode.RNE;
  }

  /** Rounds to an integral double; NaN when that must be left to the slow path. */
  static double toIntegral(double x, int rm) {
    return switch (rm) {
      case RoundingMode.RNE -> Math.rint(x);
      case RoundingMode.RTZ -> Math.abs(x) < 0x1p63 ? (double) (long) x : Double.NaN;
      case RoundingMode.RDN -> Math.floor(x);
      case RoundingMode.RUP -> Math.ceil(x);
      default -> Double.NaN;
    };
  }

  /** Raises NX unless the two are the same number. */
  static void inexactUnlessEqual(FpStatus s, double rounded, double exact) {
    if (rounded != exact) {
      s.flags |= FpFlags.NX;
    }
  }
}
