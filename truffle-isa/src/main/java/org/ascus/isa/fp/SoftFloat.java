package org.ascus.isa.fp;

/**
 * Every operation in integer arithmetic, for any binary interchange format of at most 64 bits.
 *
 * <p>A finite non-zero number is worked on as {@code significand * 2^(exponent - 63)}, the significand being an
 * unsigned 64-bit number with bit 63 set. All formats leave at least 11 low bits of it clear, which is where results
 * keep their guard bits; bit 0 is sticky ("jammed"): it stands for everything below it.
 *
 * <p>Encodings of narrow formats are passed zero-extended. {@code f} is always one of the format constants.
 */
final class SoftFloat {
  /** binary32: 8 exponent bits, 23 fraction bits. */
  static final int BINARY32 = 8 << 8 | 23;

  /** binary64: 11 exponent bits, 52 fraction bits. */
  static final int BINARY64 = 11 << 8 | 52;

  private static final int QUOTIENT_STEPS = 6;
  private static final int QUOTIENT_BITS_PER_STEP = 10;
  private static final int ROOT_BITS = 60;

  private SoftFloat() {}

  // ---- encodings

  private static int fractionBits(int f) {
    return f & 0xff;
  }

  private static int exponentMask(int f) {
    return (1 << (f >>> 8)) - 1;
  }

  private static int bias(int f) {
    return exponentMask(f) >>> 1;
  }

  private static int minExponent(int f) {
    return 1 - bias(f);
  }

  static long infinity(int f) {
    return (long) exponentMask(f) << fractionBits(f);
  }

  static long signBit(int f) {
    return infinity(f) + (1L << fractionBits(f));
  }

  static long defaultNan(int f) {
    return infinity(f) | 1L << (fractionBits(f) - 1);
  }

  private static long zero(int f, boolean negative) {
    return negative ? signBit(f) : 0;
  }

  private static long infinity(int f, boolean negative) {
    return zero(f, negative) | infinity(f);
  }

  static boolean isNegative(int f, long a) {
    return (a & signBit(f)) != 0;
  }

  static long magnitude(int f, long a) {
    return a & (signBit(f) - 1);
  }

  static boolean isNan(int f, long a) {
    return magnitude(f, a) > infinity(f);
  }

  static boolean isSignaling(int f, long a) {
    return isNan(f, a) && (a & 1L << (fractionBits(f) - 1)) == 0;
  }

  private static boolean isInfinite(int f, long a) {
    return magnitude(f, a) == infinity(f);
  }

  private static boolean isZero(int f, long a) {
    return magnitude(f, a) == 0;
  }

  /** The significand of a finite non-zero number, bit 63 set. */
  static long significand(int f, long a) {
    int fractionBits = fractionBits(f);
    long fraction = a & ((1L << fractionBits) - 1);
    if (magnitude(f, a) >>> fractionBits == 0) {
      return fraction << Long.numberOfLeadingZeros(fraction);
    }
    return (fraction | 1L << fractionBits) << (63 - fractionBits);
  }

  /** The exponent of the leading bit of a finite non-zero number. */
  private static int exponent(int f, long a) {
    int fractionBits = fractionBits(f);
    long magnitude = magnitude(f, a);
    int field = (int) (magnitude >>> fractionBits);
    if (field == 0) {
      return minExponent(f) + 63 - Long.numberOfLeadingZeros(magnitude) - fractionBits;
    }
    return field - bias(f);
  }

  // ---- rounding

  private static long shiftRightJam(long x, int distance) {
    if (distance == 0) {
      return x;
    }
    if (distance >= 64) {
      return x == 0 ? 0 : 1;
    }
    return x >>> distance | (x << -distance == 0 ? 0 : 1);
  }

  /**
   * Whether a magnitude is to be incremented, given the part cut off as an unsigned 64-bit fraction.
   *
   * @param odd whether the lowest bit that is kept is set
   */
  private static boolean roundsUp(int rm, boolean negative, boolean odd, long rest) {
    return switch (rm) {
      case RoundingMode.RNE -> rest < 0 && (odd || rest != Long.MIN_VALUE);
      case RoundingMode.RTZ -> false;
      case RoundingMode.RDN -> negative && rest != 0;
      case RoundingMode.RUP -> !negative && rest != 0;
      case RoundingMode.RMM -> rest < 0;
      default -> throw new IllegalArgumentException("rounding mode is not one of 0..4");
    };
  }

  /** Rounds {@code significand * 2^(exponent - 63)}, bit 63 set, to the format; raises NX, UF and OF. */
  private static long roundAndPack(FpStatus s, int f, boolean negative, int exponent, long significand, int rm) {
    int fractionBits = fractionBits(f);
    int kept = fractionBits + 1;
    if (exponent > bias(f)) {
      return overflow(s, f, negative, rm);
    }
    long shifted = significand;
    long field = exponent + bias(f) - 1;
    boolean tiny = exponent < minExponent(f);
    if (tiny) {
      if (exponent == minExponent(f) - 1) {
        long top = significand >>> -kept;
        boolean up = roundsUp(rm, negative, (top & 1) != 0, significand << kept);
        tiny = !up || top + 1 != 1L << kept;
      }
      shifted = shiftRightJam(significand, minExponent(f) - exponent);
      field = 0;
    }
    long top = shifted >>> -kept;
    long rest = shifted << kept;
    if (roundsUp(rm, negative, (top & 1) != 0, rest)) {
      top++;
    }
    long magnitude = (field << fractionBits) + top;
    if (magnitude >= infinity(f)) {
      return overflow(s, f, negative, rm);
    }
    if (rest != 0) {
      s.flags |= tiny ? FpFlags.NX | FpFlags.UF : FpFlags.NX;
    }
    return zero(f, negative) | magnitude;
  }

  private static long overflow(FpStatus s, int f, boolean negative, int rm) {
    s.flags |= FpFlags.OF | FpFlags.NX;
    return roundsUp(rm, negative, true, -1L) ? infinity(f, negative) : infinity(f, negative) - 1;
  }

  private static long invalid(FpStatus s, int f) {
    s.flags |= FpFlags.NV;
    return defaultNan(f);
  }

  private static long nan(FpStatus s, int f, long a, long b) {
    if (isSignaling(f, a) || isSignaling(f, b)) {
      s.flags |= FpFlags.NV;
    }
    return defaultNan(f);
  }

  // ---- arithmetic

  static long add(FpStatus s, int f, long a, long b, int rm) {
    if (isNan(f, a) || isNan(f, b)) {
      return nan(s, f, a, b);
    }
    boolean negative = isNegative(f, a);
    boolean differ = negative != isNegative(f, b);
    if (isInfinite(f, a)) {
      return differ && isInfinite(f, b) ? invalid(s, f) : a;
    }
    if (isInfinite(f, b)) {
      return b;
    }
    if (differ && magnitude(f, a) == magnitude(f, b)) {
      return zero(f, rm == RoundingMode.RDN);
    }
    if (isZero(f, b)) {
      return a;
    }
    if (isZero(f, a)) {
      return b;
    }
    long large = a;
    long small = b;
    if (magnitude(f, a) < magnitude(f, b)) {
      large = b;
      small = a;
    }
    int exponent = exponent(f, large);
    long x = significand(f, large) >>> 1;
    long y = shiftRightJam(significand(f, small) >>> 1, exponent - exponent(f, small));
    long sum = differ ? x - y : x + y;
    int shift = Long.numberOfLeadingZeros(sum);
    return roundAndPack(s, f, isNegative(f, large), exponent + 1 - shift, sum << shift, rm);
  }

  static long sub(FpStatus s, int f, long a, long b, int rm) {
    return add(s, f, a, b ^ signBit(f), rm);
  }

  static long mul(FpStatus s, int f, long a, long b, int rm) {
    if (isNan(f, a) || isNan(f, b)) {
      return nan(s, f, a, b);
    }
    boolean negative = isNegative(f, a) != isNegative(f, b);
    boolean zero = isZero(f, a) || isZero(f, b);
    if (isInfinite(f, a) || isInfinite(f, b)) {
      return zero ? invalid(s, f) : infinity(f, negative);
    }
    if (zero) {
      return zero(f, negative);
    }
    long x = significand(f, a);
    long y = significand(f, b);
    long product = Math.unsignedMultiplyHigh(x, y) | (x * y == 0 ? 0 : 1);
    int shift = Long.numberOfLeadingZeros(product);
    int exponent = exponent(f, a) + exponent(f, b) + 1;
    return roundAndPack(s, f, negative, exponent - shift, product << shift, rm);
  }

  /**
   * Whether the significands of {@code a} and {@code b} multiply to that of {@code r}, but for a power of two. When
   * {@code r} is known to be {@code a * b} to within rounding, this says that it is exactly that.
   */
  static boolean isProduct(int f, long a, long b, long r) {
    long x = significand(f, a);
    long y = significand(f, b);
    long high = Math.unsignedMultiplyHigh(x, y);
    return x * y == 0 && high << Long.numberOfLeadingZeros(high) == significand(f, r);
  }

  static long div(FpStatus s, int f, long a, long b, int rm) {
    if (isNan(f, a) || isNan(f, b)) {
      return nan(s, f, a, b);
    }
    boolean negative = isNegative(f, a) != isNegative(f, b);
    if (isInfinite(f, a)) {
      return isInfinite(f, b) ? invalid(s, f) : infinity(f, negative);
    }
    if (isInfinite(f, b)) {
      return zero(f, negative);
    }
    if (isZero(f, b)) {
      if (isZero(f, a)) {
        return invalid(s, f);
      }
      s.flags |= FpFlags.DZ;
      return infinity(f, negative);
    }
    if (isZero(f, a)) {
      return zero(f, negative);
    }
    int exponent = exponent(f, a) - exponent(f, b);
    long x = significand(f, a) >>> 11;
    long y = significand(f, b) >>> 11;
    if (x < y) {
      x <<= 1;
      exponent--;
    }
    long quotient = 1;
    long rest = x - y;
    // The rest stays below 2^53, so ten more bits at a time fit a signed division.
    for (int i = 0; i < QUOTIENT_STEPS; i++) {
      rest <<= QUOTIENT_BITS_PER_STEP;
      long digit = rest / y;
      quotient = quotient << QUOTIENT_BITS_PER_STEP | digit;
      rest -= digit * y;
    }
    long significand = quotient << (63 - QUOTIENT_STEPS * QUOTIENT_BITS_PER_STEP) | (rest == 0 ? 0 : 1);
    return roundAndPack(s, f, negative, exponent, significand, rm);
  }

  static long sqrt(FpStatus s, int f, long a, int rm) {
    if (isNan(f, a)) {
      return nan(s, f, a, a);
    }
    if (isZero(f, a)) {
      return a;
    }
    if (isNegative(f, a)) {
      return invalid(s, f);
    }
    if (isInfinite(f, a)) {
      return a;
    }
    int exponent = exponent(f, a);
    // Two integer bits, so that the exponent of what remains is even.
    long radicand = significand(f, a) >>> ((exponent & 1) ^ 1);
    long root = 0;
    long rest = 0;
    for (int i = 0; i < ROOT_BITS; i++) {
      rest = rest << 2 | radicand >>> 62;
      radicand <<= 2;
      long trial = root << 2 | 1;
      root <<= 1;
      if (rest >= trial) {
        rest -= trial;
        root |= 1;
      }
    }
    return roundAndPack(s, f, false, exponent >> 1, root << (64 - ROOT_BITS) | (rest == 0 ? 0 : 1), rm);
  }

  static long fma(FpStatus s, int f, long a, long b, long c, int rm) {
    boolean zeroProduct = isZero(f, a) || isZero(f, b);
    boolean infiniteProduct = isInfinite(f, a) || isInfinite(f, b);
    if (isNan(f, a) || isNan(f, b)) {
      nan(s, f, a, b);
      return nan(s, f, c, c);
    }
    if (zeroProduct && infiniteProduct) {
      return invalid(s, f);
    }
    if (isNan(f, c)) {
      return nan(s, f, c, c);
    }
    boolean negative = isNegative(f, a) != isNegative(f, b);
    if (infiniteProduct) {
      return isInfinite(f, c) && isNegative(f, c) != negative ? invalid(s, f) : infinity(f, negative);
    }
    if (isInfinite(f, c)) {
      return c;
    }
    if (zeroProduct) {
      return isZero(f, c) && isNegative(f, c) != negative ? zero(f, rm == RoundingMode.RDN) : c;
    }
    if (isZero(f, c)) {
      return mul(s, f, a, b, rm);
    }
    return addProduct(s, f, negative, a, b, c, rm);
  }

  /** a * b + c, all finite and non-zero: the exact 128-bit product and c are aligned, added and rounded once. */
  private static long addProduct(FpStatus s, int f, boolean negativeProduct, long a, long b, long c, int rm) {
    long x = significand(f, a);
    long y = significand(f, b);
    long high = Math.unsignedMultiplyHigh(x, y);
    long low = x * y;
    int exponent = exponent(f, a) + exponent(f, b) + 1;
    if (high < 0) {
      low = high << 63 | low >>> 1;
      high >>>= 1;
    } else {
      exponent--;
    }
    // From here on both terms have their leading bit at 126 of 128.
    long otherHigh = significand(f, c) >>> 1;
    long otherLow = 0;
    int otherExponent = exponent(f, c);
    boolean negative = negativeProduct;
    boolean differ = negativeProduct != isNegative(f, c);
    if (exponent < otherExponent || exponent == otherExponent && high < otherHigh) {
      long swap = high;
      high = otherHigh;
      otherHigh = swap;
      swap = low;
      low = otherLow;
      otherLow = swap;
      int swapExponent = exponent;
      exponent = otherExponent;
      otherExponent = swapExponent;
      negative = isNegative(f, c);
    }
    int distance = exponent - otherExponent;
    if (distance >= 64) {
      otherLow = shiftRightJam(otherHigh | (otherLow == 0 ? 0 : 1), distance - 64);
      otherHigh = 0;
    } else if (distance > 0) {
      otherLow = otherHigh << -distance | shiftRightJam(otherLow, distance);
      otherHigh >>>= distance;
    }
    if (differ) {
      long borrow = Long.compareUnsigned(low, otherLow) < 0 ? 1 : 0;
      low -= otherLow;
      high -= otherHigh + borrow;
    } else {
      low += otherLow;
      high += otherHigh + (Long.compareUnsigned(low, otherLow) < 0 ? 1 : 0);
    }
    if ((high | low) == 0) {
      return zero(f, rm == RoundingMode.RDN);
    }
    if (high == 0) {
      high = low;
      low = 0;
      exponent -= 64;
    }
    int shift = Long.numberOfLeadingZeros(high);
    if (shift > 0) {
      high = high << shift | low >>> -shift;
      low <<= shift;
    }
    return roundAndPack(s, f, negative, exponent + 1 - shift, high | (low == 0 ? 0 : 1), rm);
  }

  // ---- comparison

  static boolean eq(FpStatus s, int f, long a, long b) {
    if (isNan(f, a) || isNan(f, b)) {
      nan(s, f, a, b);
      return false;
    }
    return order(f, a) == order(f, b);
  }

  static boolean lt(FpStatus s, int f, long a, long b) {
    if (isNan(f, a) || isNan(f, b)) {
      invalid(s, f);
      return false;
    }
    return order(f, a) < order(f, b);
  }

  static boolean le(FpStatus s, int f, long a, long b) {
    if (isNan(f, a) || isNan(f, b)) {
      invalid(s, f);
      return false;
    }
    return order(f, a) <= order(f, b);
  }

  /** An integer in the order of the numbers; both zeros are 0. */
  private static long order(int f, long a) {
    return isNegative(f, a) ? -magnitude(f, a) : magnitude(f, a);
  }

  static long min(FpStatus s, int f, long a, long b) {
    if (isNan(f, a) || isNan(f, b)) {
      return otherThanNan(s, f, a, b);
    }
    return order(f, a) < order(f, b) || order(f, a) == order(f, b) && isNegative(f, a) ? a : b;
  }

  static long max(FpStatus s, int f, long a, long b) {
    if (isNan(f, a) || isNan(f, b)) {
      return otherThanNan(s, f, a, b);
    }
    return order(f, a) > order(f, b) || order(f, a) == order(f, b) && isNegative(f, b) ? a : b;
  }

  private static long otherThanNan(FpStatus s, int f, long a, long b) {
    long nan = nan(s, f, a, b);
    if (isNan(f, a)) {
      return isNan(f, b) ? nan : b;
    }
    return a;
  }

  static int classify(int f, long a) {
    long magnitude = magnitude(f, a);
    if (magnitude > infinity(f)) {
      return isSignaling(f, a) ? 1 << 8 : 1 << 9;
    }
    int kind;
    if (magnitude == infinity(f)) {
      kind = 3;
    } else if (magnitude >>> fractionBits(f) != 0) {
      kind = 2;
    } else {
      kind = magnitude == 0 ? 0 : 1;
    }
    return isNegative(f, a) ? 1 << (3 - kind) : 1 << (4 + kind);
  }

  // ---- conversions

  /**
   * Rounds to an integer and saturates.
   *
   * @param largest the largest result, unsigned; also that of a NaN
   * @param lowest the magnitude of the most negative result, unsigned
   */
  static long toInteger(FpStatus s, int f, long a, int rm, long largest, long lowest) {
    if (isNan(f, a)) {
      s.flags |= FpFlags.NV;
      return largest;
    }
    if (isZero(f, a)) {
      return 0;
    }
    boolean negative = isNegative(f, a);
    long limit = negative ? lowest : largest;
    long integer = 0;
    long rest = 1;
    boolean fits = true;
    if (isInfinite(f, a)) {
      fits = false;
    } else {
      int exponent = exponent(f, a);
      if (exponent >= 63) {
        fits = exponent == 63;
        integer = significand(f, a);
        rest = 0;
      } else if (exponent >= 0) {
        integer = significand(f, a) >>> (63 - exponent);
        rest = significand(f, a) << (exponent + 1);
      } else if (exponent == -1) {
        rest = significand(f, a);
      }
      if (roundsUp(rm, negative, (integer & 1) != 0, rest)) {
        integer++;
      }
    }
    if (!fits || Long.compareUnsigned(integer, limit) > 0) {
      s.flags |= FpFlags.NV;
      return negative ? -limit : limit;
    }
    if (rest != 0) {
      s.flags |= FpFlags.NX;
    }
    return negative ? -integer : integer;
  }

  /** Converts {@code magnitude}, unsigned, with the given sign. */
  static long fromInteger(FpStatus s, int f, boolean negative, long magnitude, int rm) {
    if (magnitude == 0) {
      return 0;
    }
    int shift = Long.numberOfLeadingZeros(magnitude);
    return roundAndPack(s, f, negative, 63 - shift, magnitude << shift, rm);
  }

  /** Converts {@code a} of format {@code from} to format {@code f}. */
  static long convert(FpStatus s, int f, int from, long a, int rm) {
    if (isNan(from, a)) {
      if (isSignaling(from, a)) {
        s.flags |= FpFlags.NV;
      }
      return defaultNan(f);
    }
    boolean negative = isNegative(from, a);
    if (isInfinite(from, a)) {
      return infinity(f, negative);
    }
    if (isZero(from, a)) {
      return zero(f, negative);
    }
    return roundAndPack(s, f, negative, exponent(from, a), significand(from, a), rm);
  }
}
