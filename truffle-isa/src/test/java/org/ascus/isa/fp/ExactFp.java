package org.ascus.isa.fp;

import java.math.BigInteger;

/**
 * The oracle: results and flags from the definitions in IEEE 754-2019, with unbounded integers. Shares nothing with
 * what it checks but the constants. Slow and plain on purpose.
 *
 * @param exponentBits width of the exponent field
 * @param fractionBits width of the fraction field
 */
record ExactFp(int exponentBits, int fractionBits) {
  static final ExactFp BINARY32 = new ExactFp(8, 23);
  static final ExactFp BINARY64 = new ExactFp(11, 52);

  /** Bits beyond the wider precision that make a truncated quotient or root decide every rounding. */
  private static final int GUARD = 64;

  /** A result: the encoding (or integer), zero-extended, and the flags raised. */
  record Result(long bits, int flags) {
    @Override
    public String toString() {
      return Long.toHexString(bits) + " flags " + Integer.toBinaryString(flags);
    }
  }

  /** (-1)^negative * (integer + dust) * 2^exponent, the dust being 0 or somewhere strictly between 0 and 1. */
  private record Exact(boolean negative, BigInteger integer, int exponent, boolean dust) {
    boolean isZero() {
      return integer.signum() == 0;
    }

    /** The signed m with m * 2^quantum the value, which has no dust and an exponent of at least quantum. */
    BigInteger multiplesOf(int quantum) {
      BigInteger m = integer.shiftLeft(exponent - quantum);
      return negative ? m.negate() : m;
    }
  }

  private int bias() {
    return (1 << (exponentBits - 1)) - 1;
  }

  private int lowestExponent() {
    return 1 - bias() - fractionBits;
  }

  private long inf() {
    return ((1L << exponentBits) - 1) << fractionBits;
  }

  private long sign(boolean negative) {
    return negative ? 1L << (exponentBits + fractionBits) : 0;
  }

  private boolean negative(long a) {
    return (a & sign(true)) != 0;
  }

  private long abs(long a) {
    return a & ~sign(true);
  }

  boolean nan(long a) {
    return abs(a) > inf();
  }

  boolean signaling(long a) {
    return nan(a) && (a >> (fractionBits - 1) & 1) == 0;
  }

  private Result nanResult(long... operands) {
    int flags = 0;
    for (long a : operands) {
      flags |= signaling(a) ? FpFlags.NV : 0;
    }
    return new Result(defaultNan(), flags);
  }

  private Result invalid() {
    return new Result(defaultNan(), FpFlags.NV);
  }

  private long defaultNan() {
    return inf() | 1L << (fractionBits - 1);
  }

  /** The value of a finite encoding. */
  private Exact value(long a) {
    int field = (int) (abs(a) >> fractionBits);
    long fraction = a & ((1L << fractionBits) - 1);
    long integer = field == 0 ? fraction : fraction | 1L << fractionBits;
    int exponent = lowestExponent() + Math.max(field, 1) - 1;
    return new Exact(negative(a), BigInteger.valueOf(integer), exponent, false);
  }

  private static Exact product(Exact x, Exact y) {
    return new Exact(x.negative ^ y.negative, x.integer.multiply(y.integer), x.exponent + y.exponent, false);
  }

  private static Exact sum(Exact x, Exact y) {
    int exponent = Math.min(x.exponent, y.exponent);
    BigInteger signed = x.multiplesOf(exponent).add(y.multiplesOf(exponent));
    return new Exact(signed.signum() < 0, signed.abs(), exponent, false);
  }

  /** x rounded to a multiple of 2^quantum, as that multiple. */
  private static BigInteger roundTo(Exact x, int quantum, int rm) {
    int cut = quantum - x.exponent;
    BigInteger down = cut <= 0 ? x.integer.shiftLeft(-cut) : x.integer.shiftRight(cut);
    BigInteger rest = cut <= 0 ? BigInteger.ZERO : x.integer.subtract(down.shiftLeft(cut));
    boolean exact = rest.signum() == 0 && !x.dust;
    if (exact) {
      return down;
    }
    int half = cut <= 0 ? -1 : rest.compareTo(BigInteger.ONE.shiftLeft(cut - 1));
    if (half == 0 && x.dust) {
      half = 1;
    }
    boolean up = switch (rm) {
      case RoundingMode.RNE -> half > 0 || half == 0 && down.testBit(0);
      case RoundingMode.RTZ -> false;
      case RoundingMode.RDN -> x.negative;
      case RoundingMode.RUP -> !x.negative;
      case RoundingMode.RMM -> half >= 0;
      default -> throw new IllegalArgumentException();
    };
    return up ? down.add(BigInteger.ONE) : down;
  }

  private static boolean isMultiple(Exact x, int quantum) {
    return !x.dust && x.integer.getLowestSetBit() + x.exponent >= quantum;
  }

  private Result round(Exact x, int rm) {
    int freeQuantum = x.integer.bitLength() + x.exponent - (fractionBits + 1);
    int quantum = Math.max(freeQuantum, lowestExponent());
    BigInteger rounded = roundTo(x, quantum, rm);
    int flags = 0;
    if (!isMultiple(x, quantum)) {
      flags |= FpFlags.NX;
      // Tiny: rounded as if the exponent had no lower bound, it lies below the smallest normal number.
      BigInteger free = roundTo(x, freeQuantum, rm);
      if (free.bitLength() + freeQuantum < 1 - bias() + 1) {
        flags |= FpFlags.UF;
      }
    }
    if (rounded.bitLength() + quantum > bias() + 1) {
      boolean toInfinity = switch (rm) {
        case RoundingMode.RTZ -> false;
        case RoundingMode.RDN -> x.negative;
        case RoundingMode.RUP -> !x.negative;
        default -> true;
      };
      return new Result(sign(x.negative) | (toInfinity ? inf() : inf() - 1), FpFlags.OF | FpFlags.NX);
    }
    if (rounded.signum() == 0) {
      return new Result(sign(x.negative), flags);
    }
    int scale = rounded.bitLength() - (fractionBits + 1);
    if (scale > 0) {
      rounded = rounded.shiftRight(scale);
      quantum += scale;
    } else if (quantum > lowestExponent()) {
      int down = Math.min(-scale, quantum - lowestExponent());
      rounded = rounded.shiftLeft(down);
      quantum -= down;
    }
    boolean normal = rounded.bitLength() > fractionBits;
    long field = normal ? quantum - lowestExponent() + 1 : 0;
    long fraction = rounded.longValue() & ((1L << fractionBits) - 1);
    return new Result(sign(x.negative) | field << fractionBits | fraction, flags);
  }

  private Result zeroSum(boolean a, boolean b, int rm) {
    return new Result(sign(a == b ? a : rm == RoundingMode.RDN), 0);
  }

  Result add(long a, long b, int rm) {
    if (nan(a) || nan(b)) {
      return nanResult(a, b);
    }
    if (abs(a) == inf() || abs(b) == inf()) {
      boolean both = abs(a) == abs(b);
      return both && a != b ? invalid() : new Result(abs(a) == inf() ? a : b, 0);
    }
    Exact sum = sum(value(a), value(b));
    return sum.isZero() ? zeroSum(negative(a), negative(b), rm) : round(sum, rm);
  }

  Result sub(long a, long b, int rm) {
    return add(a, b ^ sign(true), rm);
  }

  Result mul(long a, long b, int rm) {
    if (nan(a) || nan(b)) {
      return nanResult(a, b);
    }
    boolean negative = negative(a) ^ negative(b);
    if (abs(a) == inf() || abs(b) == inf()) {
      return abs(a) == 0 || abs(b) == 0 ? invalid() : new Result(sign(negative) | inf(), 0);
    }
    if (abs(a) == 0 || abs(b) == 0) {
      return new Result(sign(negative), 0);
    }
    return round(product(value(a), value(b)), rm);
  }

  Result div(long a, long b, int rm) {
    if (nan(a) || nan(b)) {
      return nanResult(a, b);
    }
    boolean negative = negative(a) ^ negative(b);
    if (abs(a) == inf() && abs(b) == inf() || abs(a) == 0 && abs(b) == 0) {
      return invalid();
    }
    if (abs(a) == inf()) {
      return new Result(sign(negative) | inf(), 0);
    }
    if (abs(b) == 0) {
      return new Result(sign(negative) | inf(), FpFlags.DZ);
    }
    if (abs(b) == inf() || abs(a) == 0) {
      return new Result(sign(negative), 0);
    }
    Exact x = value(a);
    Exact y = value(b);
    BigInteger[] quotient = x.integer.shiftLeft(2 * GUARD).divideAndRemainder(y.integer);
    int exponent = x.exponent - y.exponent - 2 * GUARD;
    return round(new Exact(negative, quotient[0], exponent, quotient[1].signum() != 0), rm);
  }

  Result sqrt(long a, int rm) {
    if (nan(a)) {
      return nanResult(a);
    }
    if (abs(a) == 0 || a == inf()) {
      return new Result(a, 0);
    }
    if (negative(a)) {
      return invalid();
    }
    Exact x = value(a);
    int scale = 2 * GUARD + (x.exponent & 1);
    BigInteger[] root = x.integer.shiftLeft(scale).sqrtAndRemainder();
    return round(new Exact(false, root[0], (x.exponent - scale) / 2, root[1].signum() != 0), rm);
  }

  Result fma(long a, long b, long c, int rm) {
    boolean invalidProduct = !nan(a) && !nan(b)
        && (abs(a) == inf() && abs(b) == 0 || abs(a) == 0 && abs(b) == inf());
    if (invalidProduct) {
      return invalid();
    }
    if (nan(a) || nan(b) || nan(c)) {
      return nanResult(a, b, c);
    }
    boolean negative = negative(a) ^ negative(b);
    if (abs(a) == inf() || abs(b) == inf()) {
      long product = sign(negative) | inf();
      return abs(c) == inf() && c != product ? invalid() : new Result(product, 0);
    }
    if (abs(c) == inf()) {
      return new Result(c, 0);
    }
    Exact sum = sum(product(value(a), value(b)), value(c));
    return sum.isZero() ? zeroSum(negative, negative(c), rm) : round(sum, rm);
  }

  Result compare(String relation, long a, long b) {
    if (nan(a) || nan(b)) {
      boolean quiet = relation.equals("eq");
      return new Result(0, !quiet || signaling(a) || signaling(b) ? FpFlags.NV : 0);
    }
    int order = order(a, b);
    boolean holds = switch (relation) {
      case "eq" -> order == 0;
      case "lt" -> order < 0;
      case "le" -> order <= 0;
      default -> throw new IllegalArgumentException(relation);
    };
    return new Result(holds ? 1 : 0, 0);
  }

  private int order(long a, long b) {
    if (abs(a) == inf() || abs(b) == inf()) {
      return Integer.compare(infinitySign(a), infinitySign(b));
    }
    return value(a).multiplesOf(lowestExponent()).compareTo(value(b).multiplesOf(lowestExponent()));
  }

  private int infinitySign(long a) {
    return abs(a) < inf() ? 0 : negative(a) ? -1 : 1;
  }

  /** The greater of two for {@code direction} 1, the lesser for -1. */
  Result extreme(int direction, long a, long b) {
    int flags = signaling(a) || signaling(b) ? FpFlags.NV : 0;
    if (nan(a)) {
      return new Result(nan(b) ? defaultNan() : b, flags);
    }
    if (nan(b)) {
      return new Result(a, flags);
    }
    int order = order(a, b);
    if (order == 0 && a != b) {
      order = negative(a) ? -1 : 1;
    }
    return new Result(order * direction >= 0 ? a : b, flags);
  }

  int classify(long a) {
    if (nan(a)) {
      return signaling(a) ? 1 << 8 : 1 << 9;
    }
    int kind = abs(a) == inf() ? 0 : abs(a) == 0 ? 3 : abs(a) < 1L << fractionBits ? 2 : 1;
    return 1 << (negative(a) ? kind : 7 - kind);
  }

  /** To an integer between the bounds; bits of the result as a long, sign-extended. */
  Result toInteger(long a, int rm, BigInteger lowest, BigInteger largest) {
    if (nan(a)) {
      return new Result(largest.longValue(), FpFlags.NV);
    }
    if (abs(a) == inf()) {
      return new Result((negative(a) ? lowest : largest).longValue(), FpFlags.NV);
    }
    Exact x = value(a);
    BigInteger magnitude = roundTo(x, 0, rm);
    BigInteger value = negative(a) ? magnitude.negate() : magnitude;
    if (value.compareTo(largest) > 0) {
      return new Result(largest.longValue(), FpFlags.NV);
    }
    if (value.compareTo(lowest) < 0) {
      return new Result(lowest.longValue(), FpFlags.NV);
    }
    boolean exact = abs(a) == 0 || isMultiple(x, 0);
    return new Result(value.longValue(), exact ? 0 : FpFlags.NX);
  }

  Result fromInteger(BigInteger value, int rm) {
    return value.signum() == 0 ? new Result(0, 0) : round(new Exact(value.signum() < 0, value.abs(), 0, false), rm);
  }

  Result convertTo(ExactFp target, long a, int rm) {
    if (nan(a)) {
      return new Result(target.defaultNan(), signaling(a) ? FpFlags.NV : 0);
    }
    if (abs(a) == inf() || abs(a) == 0) {
      return new Result(target.sign(negative(a)) | (abs(a) == 0 ? 0 : target.inf()), 0);
    }
    return target.round(value(a), rm);
  }
}
