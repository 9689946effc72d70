package org.ascus.isa.fp;

import com.oracle.truffle.api.CompilerDirectives.TruffleBoundary;

/**
 * IEEE 754 binary64 on encodings held in a long. Every operation ORs the exceptions it raises into the status, rounds
 * once in the given {@link RoundingMode}, delivers {@link #DEFAULT_NAN} for every NaN result and detects tininess
 * after rounding.
 *
 * <p>Each method is a fast path that falls back on the method of the same name with {@code Slow} appended. The slow one
 * gives the same result and flags for all operands; it is a method of its own so that compiled code may call it out of
 * line.
 */
public final class F64 {
  /** The canonical quiet NaN: positive, only the quiet bit of the fraction set. */
  public static final long DEFAULT_NAN = 0x7ff8000000000000L;

  private static final int FORMAT = SoftFloat.BINARY64;
  private static final long SIGN = Long.MIN_VALUE;

  private F64() {}

  /**
   * Whether the host's result is neither zero, tiny, overflowed nor NaN. The smallest normal number is left out, since
   * what was rounded up to it may have been tiny.
   */
  private static boolean isOrdinary(double r) {
    return Math.abs(r) > Double.MIN_NORMAL && Math.abs(r) <= Double.MAX_VALUE;
  }

  /** a + b. */
  public static long add(FpStatus s, long a, long b, int rm) {
    if (HostFp.rounds(rm)) {
      double x = Double.longBitsToDouble(a);
      double y = Double.longBitsToDouble(b);
      double r = x + y;
      // Sums do not underflow: a subnormal one is exact.
      if (Math.abs(r) <= Double.MAX_VALUE) {
        if ((s.flags & FpFlags.NX) != 0) {
          return Double.doubleToRawLongBits(r);
        }
        // Knuth's 2Sum; what it makes of an intermediate overflow is no finite number.
        double v = r - x;
        double error = (x - (r - v)) + (y - v);
        if (error == 0) {
          return Double.doubleToRawLongBits(r);
        }
        if (Math.abs(error) <= Double.MAX_VALUE) {
          s.flags |= FpFlags.NX;
          return Double.doubleToRawLongBits(r);
        }
      }
    }
    return addSlow(s, a, b, rm);
  }

  /** {@link #add} in integer arithmetic. */
  @TruffleBoundary
  public static long addSlow(FpStatus s, long a, long b, int rm) {
    return SoftFloat.add(s, FORMAT, a, b, rm);
  }

  /** a - b. */
  public static long sub(FpStatus s, long a, long b, int rm) {
    return add(s, a, b ^ SIGN, rm);
  }

  /** {@link #sub} in integer arithmetic. */
  @TruffleBoundary
  public static long subSlow(FpStatus s, long a, long b, int rm) {
    return SoftFloat.sub(s, FORMAT, a, b, rm);
  }

  /** a * b. */
  public static long mul(FpStatus s, long a, long b, int rm) {
    if (HostFp.rounds(rm)) {
      double x = Double.longBitsToDouble(a);
      double y = Double.longBitsToDouble(b);
      double r = x * y;
      long bits = Double.doubleToRawLongBits(r);
      if (isOrdinary(r)) {
        if ((s.flags & FpFlags.NX) == 0 && !SoftFloat.isProduct(FORMAT, a, b, bits)) {
          s.flags |= FpFlags.NX;
        }
        return bits;
      }
      if (r == 0 && (x == 0 || y == 0)) {
        return bits;
      }
    }
    return mulSlow(s, a, b, rm);
  }

  /** {@link #mul} in integer arithmetic. */
  @TruffleBoundary
  public static long mulSlow(FpStatus s, long a, long b, int rm) {
    return SoftFloat.mul(s, FORMAT, a, b, rm);
  }

  /** a / b. */
  public static long div(FpStatus s, long a, long b, int rm) {
    if (HostFp.rounds(rm)) {
      double x = Double.longBitsToDouble(a);
      double y = Double.longBitsToDouble(b);
      double r = x / y;
      long bits = Double.doubleToRawLongBits(r);
      if (isOrdinary(r)) {
        if ((s.flags & FpFlags.NX) == 0 && !SoftFloat.isProduct(FORMAT, bits, b, a)) {
          s.flags |= FpFlags.NX;
        }
        return bits;
      }
      if (r == 0 && x == 0) {
        return bits;
      }
    }
    return divSlow(s, a, b, rm);
  }

  /** {@link #div} in integer arithmetic. */
  @TruffleBoundary
  public static long divSlow(FpStatus s, long a, long b, int rm) {
    return SoftFloat.div(s, FORMAT, a, b, rm);
  }

  /** The square root. */
  public static long sqrt(FpStatus s, long a, int rm) {
    if (HostFp.rounds(rm)) {
      double x = Double.longBitsToDouble(a);
      if (x > 0 && x <= Double.MAX_VALUE) {
        long bits = Double.doubleToRawLongBits(Math.sqrt(x));
        if ((s.flags & FpFlags.NX) == 0 && !SoftFloat.isProduct(FORMAT, bits, bits, a)) {
          s.flags |= FpFlags.NX;
        }
        return bits;
      }
    }
    return sqrtSlow(s, a, rm);
  }

  /** {@link #sqrt} in integer arithmetic. */
  @TruffleBoundary
  public static long sqrtSlow(FpStatus s, long a, int rm) {
    return SoftFloat.sqrt(s, FORMAT, a, rm);
  }

  /** a * b + c, rounded once. Infinity times zero is invalid whatever c is, a quiet NaN included. */
  public static long fma(FpStatus s, long a, long b, long c, int rm) {
    if (HostFp.FMA && HostFp.rounds(rm) && (s.flags & FpFlags.NX) != 0) {
      double r = Math.fma(Double.longBitsToDouble(a), Double.longBitsToDouble(b), Double.longBitsToDouble(c));
      if (isOrdinary(r)) {
        return Double.doubleToRawLongBits(r);
      }
    }
    return fmaSlow(s, a, b, c, rm);
  }

  /** {@link #fma} in integer arithmetic. */
  @TruffleBoundary
  public static long fmaSlow(FpStatus s, long a, long b, long c, int rm) {
    return SoftFloat.fma(s, FORMAT, a, b, c, rm);
  }

  /** The lesser number (IEEE 754-2019 minimumNumber): -0 is less than +0, a number wins over a NaN. */
  public static long min(FpStatus s, long a, long b) {
    double x = Double.longBitsToDouble(a);
    double y = Double.longBitsToDouble(b);
    if (x == x && y == y) {
      return Double.doubleToRawLongBits(Math.min(x, y));
    }
    return minSlow(s, a, b);
  }

  /** {@link #min} in integer arithmetic. */
  @TruffleBoundary
  public static long minSlow(FpStatus s, long a, long b) {
    return SoftFloat.min(s, FORMAT, a, b);
  }

  /** The greater number (IEEE 754-2019 maximumNumber): +0 is greater than -0, a number wins over a NaN. */
  public static long max(FpStatus s, long a, long b) {
    double x = Double.longBitsToDouble(a);
    double y = Double.longBitsToDouble(b);
    if (x == x && y == y) {
      return Double.doubleToRawLongBits(Math.max(x, y));
    }
    return maxSlow(s, a, b);
  }

  /** {@link #max} in integer arithmetic. */
  @TruffleBoundary
  public static long maxSlow(FpStatus s, long a, long b) {
    return SoftFloat.max(s, FORMAT, a, b);
  }

  /** a = b; invalid for a signaling NaN only. */
  public static boolean eq(FpStatus s, long a, long b) {
    double x = Double.longBitsToDouble(a);
    double y = Double.longBitsToDouble(b);
    if (x == x && y == y) {
      return x == y;
    }
    return eqSlow(s, a, b);
  }

  /** {@link #eq} in integer arithmetic. */
  @TruffleBoundary
  public static boolean eqSlow(FpStatus s, long a, long b) {
    return SoftFloat.eq(s, FORMAT, a, b);
  }

  /** a &lt; b; invalid for any NaN. */
  public static boolean lt(FpStatus s, long a, long b) {
    double x = Double.longBitsToDouble(a);
    double y = Double.longBitsToDouble(b);
    if (x == x && y == y) {
      return x < y;
    }
    return ltSlow(s, a, b);
  }

  /** {@link #lt} in integer arithmetic. */
  @TruffleBoundary
  public static boolean ltSlow(FpStatus s, long a, long b) {
    return SoftFloat.lt(s, FORMAT, a, b);
  }

  /** a &lt;= b; invalid for any NaN. */
  public static boolean le(FpStatus s, long a, long b) {
    double x = Double.longBitsToDouble(a);
    double y = Double.longBitsToDouble(b);
    if (x == x && y == y) {
      return x <= y;
    }
    return leSlow(s, a, b);
  }

  /** {@link #le} in integer arithmetic. */
  @TruffleBoundary
  public static boolean leSlow(FpStatus s, long a, long b) {
    return SoftFloat.le(s, FORMAT, a, b);
  }

  /**
   * The class as one bit of ten (RISC-V {@code fclass}): 0 to 3 -infinity, -normal, -subnormal, -0; 4 to 7 +0,
   * +subnormal, +normal, +infinity; 8 signaling NaN; 9 quiet NaN.
   */
  public static int classify(long a) {
    return SoftFloat.classify(FORMAT, a);
  }

  /** Converts to a signed 32-bit integer. Out of range is invalid and saturates, a NaN to the largest. */
  public static int toInt32(FpStatus s, long a, int rm) {
    double x = Double.longBitsToDouble(a);
    double r = HostFp.toIntegral(x, rm);
    if (Math.abs(r) < 0x1p31) {
      HostFp.inexactUnlessEqual(s, r, x);
      return (int) r;
    }
    return toInt32Slow(s, a, rm);
  }

  /** {@link #toInt32} in integer arithmetic. */
  @TruffleBoundary
  public static int toInt32Slow(FpStatus s, long a, int rm) {
    return (int) SoftFloat.toInteger(s, FORMAT, a, rm, Integer.MAX_VALUE, 1L << 31);
  }

  /** Converts to an unsigned 32-bit integer. Out of range is invalid and saturates, a NaN to the largest. */
  public static int toUint32(FpStatus s, long a, int rm) {
    double x = Double.longBitsToDouble(a);
    double r = HostFp.toIntegral(x, rm);
    if (r >= 0 && r < 0x1p32) {
      HostFp.inexactUnlessEqual(s, r, x);
      return (int) (long) r;
    }
    return toUint32Slow(s, a, rm);
  }

  /** {@link #toUint32} in integer arithmetic. */
  @TruffleBoundary
  public static int toUint32Slow(FpStatus s, long a, int rm) {
    return (int) SoftFloat.toInteger(s, FORMAT, a, rm, 0xffff_ffffL, 0);
  }

  /** Converts to a signed 64-bit integer. Out of range is invalid and saturates, a NaN to the largest. */
  public static long toInt64(FpStatus s, long a, int rm) {
    double x = Double.longBitsToDouble(a);
    double r = HostFp.toIntegral(x, rm);
    if (Math.abs(r) < 0x1p63) {
      HostFp.inexactUnlessEqual(s, r, x);
      return (long) r;
    }
    return toInt64Slow(s, a, rm);
  }

  /** {@link #toInt64} in integer arithmetic. */
  @TruffleBoundary
  public static long toInt64Slow(FpStatus s, long a, int rm) {
    return SoftFloat.toInteger(s, FORMAT, a, rm, Long.MAX_VALUE, Long.MIN_VALUE);
  }

  /** Converts to an unsigned 64-bit integer. Out of range is invalid and saturates, a NaN to the largest. */
  public static long toUint64(FpStatus s, long a, int rm) {
    double x = Double.longBitsToDouble(a);
    double r = HostFp.toIntegral(x, rm);
    if (r >= 0 && r < 0x1p63) {
      HostFp.inexactUnlessEqual(s, r, x);
      return (long) r;
    }
    return toUint64Slow(s, a, rm);
  }

  /** {@link #toUint64} in integer arithmetic. */
  @TruffleBoundary
  public static long toUint64Slow(FpStatus s, long a, int rm) {
    return SoftFloat.toInteger(s, FORMAT, a, rm, -1L, 0);
  }

  /** Converts a signed 32-bit integer; always exact. */
  public static long fromInt32(FpStatus s, int v, int rm) {
    return Double.doubleToRawLongBits(v);
  }

  /** Converts an unsigned 32-bit integer; always exact. */
  public static long fromUint32(FpStatus s, int v, int rm) {
    return Double.doubleToRawLongBits(v & 0xffff_ffffL);
  }

  /** Converts a signed 64-bit integer. */
  public static long fromInt64(FpStatus s, long v, int rm) {
    boolean exact = v >= -(1L << 53) && v <= 1L << 53;
    if (exact || HostFp.rounds(rm) && (s.flags & FpFlags.NX) != 0) {
      return Double.doubleToRawLongBits((double) v);
    }
    return fromInt64Slow(s, v, rm);
  }

  /** {@link #fromInt64} in integer arithmetic. */
  @TruffleBoundary
  public static long fromInt64Slow(FpStatus s, long v, int rm) {
    return SoftFloat.fromInteger(s, FORMAT, v < 0, Math.abs(v), rm);
  }

  /** Converts an unsigned 64-bit integer. */
  public static long fromUint64(FpStatus s, long v, int rm) {
    return v >= 0 ? fromInt64(s, v, rm) : fromUint64Slow(s, v, rm);
  }

  /** {@link #fromUint64} in integer arithmetic. */
  @TruffleBoundary
  public static long fromUint64Slow(FpStatus s, long v, int rm) {
    return SoftFloat.fromInteger(s, FORMAT, false, v, rm);
  }

  /** Converts from binary32; always exact, but for a NaN. */
  public static long fromF32(FpStatus s, int a) {
    float x = Float.intBitsToFloat(a);
    return x == x ? Double.doubleToRawLongBits(x) : fromF32Slow(s, a);
  }

  /** {@link #fromF32} in integer arithmetic. */
  @TruffleBoundary
  public static long fromF32Slow(FpStatus s, int a) {
    return SoftFloat.convert(s, FORMAT, SoftFloat.BINARY32, a & 0xffff_ffffL, RoundingMode.RNE);
  }
}
