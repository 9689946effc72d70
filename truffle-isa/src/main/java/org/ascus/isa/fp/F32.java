package org.ascus.isa.fp;

import com.oracle.truffle.api.CompilerDirectives.TruffleBoundary;

/**
 * IEEE 754 binary32 on encodings held in an int. Every operation ORs the exceptions it raises into the status, rounds
 * once in the given {@link RoundingMode}, delivers {@link #DEFAULT_NAN} for every NaN result and detects tininess
 * after rounding.
 *
 * <p>Each method is a fast path that falls back on the method of the same name with {@code Slow} appended. The slow one
 * gives the same result and flags for all operands; it is a method of its own so that compiled code may call it out of
 * line.
 */
public final class F32 {
  /** The canonical quiet NaN: positive, only the quiet bit of the fraction set. */
  public static final int DEFAULT_NAN = 0x7fc00000;

  private static final int FORMAT = SoftFloat.BINARY32;
  private static final int SIGN = Integer.MIN_VALUE;

  private F32() {}

  private static long wide(int a) {
    return a & 0xffff_ffffL;
  }

  /**
   * Whether the host's result is neither zero, tiny, overflowed nor NaN. The smallest normal number is left out, since
   * what was rounded up to it may have been tiny.
   */
  private static boolean isOrdinary(float r) {
    return Math.abs(r) > Float.MIN_NORMAL && Math.abs(r) <= Float.MAX_VALUE;
  }

  /** a + b. */
  public static int add(FpStatus s, int a, int b, int rm) {
    if (HostFp.rounds(rm)) {
      float x = Float.intBitsToFloat(a);
      float y = Float.intBitsToFloat(b);
      float r = x + y;
      // Sums do not underflow: a subnormal one is exact.
      if (Math.abs(r) <= Float.MAX_VALUE) {
        if ((s.flags & FpFlags.NX) != 0) {
          return Float.floatToRawIntBits(r);
        }
        // Knuth's 2Sum; what it makes of an intermediate overflow is no finite number.
        float v = r - x;
        float error = (x - (r - v)) + (y - v);
        if (error == 0) {
          return Float.floatToRawIntBits(r);
        }
        if (Math.abs(error) <= Float.MAX_VALUE) {
          s.flags |= FpFlags.NX;
          return Float.floatToRawIntBits(r);
        }
      }
    }
    return addSlow(s, a, b, rm);
  }

  /** {@link #add} in integer arithmetic. */
  @TruffleBoundary
  public static int addSlow(FpStatus s, int a, int b, int rm) {
    return (int) SoftFloat.add(s, FORMAT, wide(a), wide(b), rm);
  }

  /** a - b. */
  public static int sub(FpStatus s, int a, int b, int rm) {
    return add(s, a, b ^ SIGN, rm);
  }

  /** {@link #sub} in integer arithmetic. */
  @TruffleBoundary
  public static int subSlow(FpStatus s, int a, int b, int rm) {
    return (int) SoftFloat.sub(s, FORMAT, wide(a), wide(b), rm);
  }

  /** a * b. */
  public static int mul(FpStatus s, int a, int b, int rm) {
    if (HostFp.rounds(rm)) {
      // 24 by 24 bits: exact in a double.
      double product = (double) Float.intBitsToFloat(a) * Float.intBitsToFloat(b);
      float r = (float) product;
      if (isOrdinary(r) || product == 0) {
        HostFp.inexactUnlessEqual(s, r, product);
        return Float.floatToRawIntBits(r);
      }
    }
    return mulSlow(s, a, b, rm);
  }

  /** {@link #mul} in integer arithmetic. */
  @TruffleBoundary
  public static int mulSlow(FpStatus s, int a, int b, int rm) {
    return (int) SoftFloat.mul(s, FORMAT, wide(a), wide(b), rm);
  }

  /** a / b. */
  public static int div(FpStatus s, int a, int b, int rm) {
    if (HostFp.rounds(rm)) {
      float x = Float.intBitsToFloat(a);
      float y = Float.intBitsToFloat(b);
      float r = x / y;
      if (isOrdinary(r)) {
        HostFp.inexactUnlessEqual(s, (double) r * y, x);
        return Float.floatToRawIntBits(r);
      }
      if (r == 0 && x == 0) {
        return Float.floatToRawIntBits(r);
      }
    }
    return divSlow(s, a, b, rm);
  }

  /** {@link #div} in integer arithmetic. */
  @TruffleBoundary
  public static int divSlow(FpStatus s, int a, int b, int rm) {
    return (int) SoftFloat.div(s, FORMAT, wide(a), wide(b), rm);
  }

  /** The square root. */
  public static int sqrt(FpStatus s, int a, int rm) {
    if (HostFp.rounds(rm)) {
      float x = Float.intBitsToFloat(a);
      if (x > 0 && x <= Float.MAX_VALUE) {
        // Rounding twice does no harm: 53 >= 2 * 24 + 2 bits.
        float r = (float) Math.sqrt(x);
        HostFp.inexactUnlessEqual(s, (double) r * r, x);
        return Float.floatToRawIntBits(r);
      }
    }
    return sqrtSlow(s, a, rm);
  }

  /** {@link #sqrt} in integer arithmetic. */
  @TruffleBoundary
  public static int sqrtSlow(FpStatus s, int a, int rm) {
    return (int) SoftFloat.sqrt(s, FORMAT, wide(a), rm);
  }

  /** a * b + c, rounded once. Infinity times zero is invalid whatever c is, a quiet NaN included. */
  public static int fma(FpStatus s, int a, int b, int c, int rm) {
    if (HostFp.rounds(rm)) {
      double product = (double) Float.intBitsToFloat(a) * Float.intBitsToFloat(b);
      double addend = Float.intBitsToFloat(c);
      double sum = product + addend;
      double v = sum - product;
      double error = (product - (sum - v)) + (addend - v);
      if (error != 0) {
        // An inexact sum is taken to its odd neighbour, which makes the second rounding harmless and visibly inexact.
        long bits = Double.doubleToRawLongBits(sum);
        if ((bits & 1) == 0) {
          sum = Double.longBitsToDouble(error > 0 == sum > 0 ? bits + 1 : bits - 1);
        }
      }
      float r = (float) sum;
      if (isOrdinary(r)) {
        HostFp.inexactUnlessEqual(s, r, sum);
        return Float.floatToRawIntBits(r);
      }
    }
    return fmaSlow(s, a, b, c, rm);
  }

  /** {@link #fma} in integer arithmetic. */
  @TruffleBoundary
  public static int fmaSlow(FpStatus s, int a, int b, int c, int rm) {
    return (int) SoftFloat.fma(s, FORMAT, wide(a), wide(b), wide(c), rm);
  }

  /** The lesser number (IEEE 754-2019 minimumNumber): -0 is less than +0, a number wins over a NaN. */
  public static int min(FpStatus s, int a, int b) {
    float x = Float.intBitsToFloat(a);
    float y = Float.intBitsToFloat(b);
    if (x == x && y == y) {
      return Float.floatToRawIntBits(Math.min(x, y));
    }
    return minSlow(s, a, b);
  }

  /** {@link #min} in integer arithmetic. */
  @TruffleBoundary
  public static int minSlow(FpStatus s, int a, int b) {
    return (int) SoftFloat.min(s, FORMAT, wide(a), wide(b));
  }

  /** The greater number (IEEE 754-2019 maximumNumber): +0 is greater than -0, a number wins over a NaN. */
  public static int max(FpStatus s, int a, int b) {
    float x = Float.intBitsToFloat(a);
    float y = Float.intBitsToFloat(b);
    if (x == x && y == y) {
      return Float.floatToRawIntBits(Math.max(x, y));
    }
    return maxSlow(s, a, b);
  }

  /** {@link #max} in integer arithmetic. */
  @TruffleBoundary
  public static int maxSlow(FpStatus s, int a, int b) {
    return (int) SoftFloat.max(s, FORMAT, wide(a), wide(b));
  }

  /** a = b; invalid for a signaling NaN only. */
  public static boolean eq(FpStatus s, int a, int b) {
    float x = Float.intBitsToFloat(a);
    float y = Float.intBitsToFloat(b);
    if (x == x && y == y) {
      return x == y;
    }
    return eqSlow(s, a, b);
  }

  /** {@link #eq} in integer arithmetic. */
  @TruffleBoundary
  public static boolean eqSlow(FpStatus s, int a, int b) {
    return SoftFloat.eq(s, FORMAT, wide(a), wide(b));
  }

  /** a &lt; b; invalid for any NaN. */
  public static boolean lt(FpStatus s, int a, int b) {
    float x = Float.intBitsToFloat(a);
    float y = Float.intBitsToFloat(b);
    if (x == x && y == y) {
      return x < y;
    }
    return ltSlow(s, a, b);
  }

  /** {@link #lt} in integer arithmetic. */
  @TruffleBoundary
  public static boolean ltSlow(FpStatus s, int a, int b) {
    return SoftFloat.lt(s, FORMAT, wide(a), wide(b));
  }

  /** a &lt;= b; invalid for any NaN. */
  public static boolean le(FpStatus s, int a, int b) {
    float x = Float.intBitsToFloat(a);
    float y = Float.intBitsToFloat(b);
    if (x == x && y == y) {
      return x <= y;
    }
    return leSlow(s, a, b);
  }

  /** {@link #le} in integer arithmetic. */
  @TruffleBoundary
  public static boolean leSlow(FpStatus s, int a, int b) {
    return SoftFloat.le(s, FORMAT, wide(a), wide(b));
  }

  /**
   * The class as one bit of ten (RISC-V {@code fclass}): 0 to 3 -infinity, -normal, -subnormal, -0; 4 to 7 +0,
   * +subnormal, +normal, +infinity; 8 signaling NaN; 9 quiet NaN.
   */
  public static int classify(int a) {
    return SoftFloat.classify(FORMAT, wide(a));
  }

  /** Converts to a signed 32-bit integer. Out of range is invalid and saturates, a NaN to the largest. */
  public static int toInt32(FpStatus s, int a, int rm) {
    double x = Float.intBitsToFloat(a);
    double r = HostFp.toIntegral(x, rm);
    if (Math.abs(r) < 0x1p31) {
      HostFp.inexactUnlessEqual(s, r, x);
      return (int) r;
    }
    return toInt32Slow(s, a, rm);
  }

  /** {@link #toInt32} in integer arithmetic. */
  @TruffleBoundary
  public static int toInt32Slow(FpStatus s, int a, int rm) {
    return (int) SoftFloat.toInteger(s, FORMAT, wide(a), rm, Integer.MAX_VALUE, 1L << 31);
  }

  /** Converts to an unsigned 32-bit integer. Out of range is invalid and saturates, a NaN to the largest. */
  public static int toUint32(FpStatus s, int a, int rm) {
    double x = Float.intBitsToFloat(a);
    double r = HostFp.toIntegral(x, rm);
    if (r >= 0 && r < 0x1p32) {
      HostFp.inexactUnlessEqual(s, r, x);
      return (int) (long) r;
    }
    return toUint32Slow(s, a, rm);
  }

  /** {@link #toUint32} in integer arithmetic. */
  @TruffleBoundary
  public static int toUint32Slow(FpStatus s, int a, int rm) {
    return (int) SoftFloat.toInteger(s, FORMAT, wide(a), rm, 0xffff_ffffL, 0);
  }

  /** Converts to a signed 64-bit integer. Out of range is invalid and saturates, a NaN to the largest. */
  public static long toInt64(FpStatus s, int a, int rm) {
    double x = Float.intBitsToFloat(a);
    double r = HostFp.toIntegral(x, rm);
    if (Math.abs(r) < 0x1p63) {
      HostFp.inexactUnlessEqual(s, r, x);
      return (long) r;
    }
    return toInt64Slow(s, a, rm);
  }

  /** {@link #toInt64} in integer arithmetic. */
  @TruffleBoundary
  public static long toInt64Slow(FpStatus s, int a, int rm) {
    return SoftFloat.toInteger(s, FORMAT, wide(a), rm, Long.MAX_VALUE, Long.MIN_VALUE);
  }

  /** Converts to an unsigned 64-bit integer. Out of range is invalid and saturates, a NaN to the largest. */
  public static long toUint64(FpStatus s, int a, int rm) {
    double x = Float.intBitsToFloat(a);
    double r = HostFp.toIntegral(x, rm);
    if (r >= 0 && r < 0x1p63) {
      HostFp.inexactUnlessEqual(s, r, x);
      return (long) r;
    }
    return toUint64Slow(s, a, rm);
  }

  /** {@link #toUint64} in integer arithmetic. */
  @TruffleBoundary
  public static long toUint64Slow(FpStatus s, int a, int rm) {
    return SoftFloat.toInteger(s, FORMAT, wide(a), rm, -1L, 0);
  }

  /** Converts a signed 32-bit integer. */
  public static int fromInt32(FpStatus s, int v, int rm) {
    return fromInt64(s, v, rm);
  }

  /** Converts an unsigned 32-bit integer. */
  public static int fromUint32(FpStatus s, int v, int rm) {
    return fromInt64(s, v & 0xffff_ffffL, rm);
  }

  /** Converts a signed 64-bit integer. */
  public static int fromInt64(FpStatus s, long v, int rm) {
    boolean exact = v >= -(1L << 24) && v <= 1L << 24;
    if (exact || HostFp.rounds(rm) && (s.flags & FpFlags.NX) != 0) {
      return Float.floatToRawIntBits((float) v);
    }
    return fromInt64Slow(s, v, rm);
  }

  /** {@link #fromInt64} in integer arithmetic. */
  @TruffleBoundary
  public static int fromInt64Slow(FpStatus s, long v, int rm) {
    return (int) SoftFloat.fromInteger(s, FORMAT, v < 0, Math.abs(v), rm);
  }

  /** Converts an unsigned 64-bit integer. */
  public static int fromUint64(FpStatus s, long v, int rm) {
    return v >= 0 ? fromInt64(s, v, rm) : fromUint64Slow(s, v, rm);
  }

  /** {@link #fromUint64} in integer arithmetic. */
  @TruffleBoundary
  public static int fromUint64Slow(FpStatus s, long v, int rm) {
    return (int) SoftFloat.fromInteger(s, FORMAT, false, v, rm);
  }

  /** Converts from binary64. */
  public static int fromF64(FpStatus s, long a, int rm) {
    double x = Double.longBitsToDouble(a);
    float r = (float) x;
    if (x == 0 || HostFp.rounds(rm) && isOrdinary(r)) {
      HostFp.inexactUnlessEqual(s, r, x);
      return Float.floatToRawIntBits(r);
    }
    return fromF64Slow(s, a, rm);
  }

  /** {@link #fromF64} in integer arithmetic. */
  @TruffleBoundary
  public static int fromF64Slow(FpStatus s, long a, int rm) {
    return (int) SoftFloat.convert(s, FORMAT, SoftFloat.BINARY64, a, rm);
  }
}
