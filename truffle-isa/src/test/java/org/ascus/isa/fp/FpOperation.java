package org.ascus.isa.fp;

import static org.ascus.isa.fp.ExactFp.BINARY32;
import static org.ascus.isa.fp.ExactFp.BINARY64;

import java.math.BigInteger;
import java.util.List;

/**
 * An operation under test with both of its paths and its oracle. Operands and results are encodings or integers in the
 * low bits of a long; what the oracle says above {@code resultBits} is ignored.
 */
record FpOperation(String name, Kind kind, boolean rounds, int resultBits, Path fast, Path slow, Oracle oracle) {
  /** What the operands are. */
  enum Kind {
    ONE(1),
    TWO(2),
    THREE(3),
    INTEGER(1);

    final int arity;

    Kind(int arity) {
      this.arity = arity;
    }
  }

  /** The code under test. */
  interface Path {
    long apply(FpStatus s, long a, long b, long c, int rm);
  }

  /** What it must compute. */
  interface Oracle {
    ExactFp.Result apply(long a, long b, long c, int rm);
  }

  private static final BigInteger TWO_32 = BigInteger.ONE.shiftLeft(32);
  private static final BigInteger TWO_64 = BigInteger.ONE.shiftLeft(64);

  @Override
  public String toString() {
    return name;
  }

  private static BigInteger unsigned(long v) {
    return new BigInteger(Long.toUnsignedString(v));
  }

  private static ExactFp.Result toInteger(ExactFp f, long a, int rm, int bits, boolean signed) {
    BigInteger lowest = signed ? BigInteger.ONE.shiftLeft(bits - 1).negate() : BigInteger.ZERO;
    BigInteger largest = lowest.add(bits == 32 ? TWO_32 : TWO_64).subtract(BigInteger.ONE);
    return f.toInteger(a, rm, lowest, largest);
  }

  private static int bool(boolean b) {
    return b ? 1 : 0;
  }

  private static FpOperation of(Kind kind, boolean rounds, int bits, String name, Path fast, Path slow, Oracle oracle) {
    return new FpOperation(name, kind, rounds, bits, fast, slow, oracle);
  }

  static List<FpOperation> binary64() {
    ExactFp f = BINARY64;
    return List.of(
        of(Kind.TWO, true, 64, "add",
            (s, a, b, c, rm) -> F64.add(s, a, b, rm),
            (s, a, b, c, rm) -> F64.addSlow(s, a, b, rm),
            (a, b, c, rm) -> f.add(a, b, rm)),
        of(Kind.TWO, true, 64, "sub",
            (s, a, b, c, rm) -> F64.sub(s, a, b, rm),
            (s, a, b, c, rm) -> F64.subSlow(s, a, b, rm),
            (a, b, c, rm) -> f.sub(a, b, rm)),
        of(Kind.TWO, true, 64, "mul",
            (s, a, b, c, rm) -> F64.mul(s, a, b, rm),
            (s, a, b, c, rm) -> F64.mulSlow(s, a, b, rm),
            (a, b, c, rm) -> f.mul(a, b, rm)),
        of(Kind.TWO, true, 64, "div",
            (s, a, b, c, rm) -> F64.div(s, a, b, rm),
            (s, a, b, c, rm) -> F64.divSlow(s, a, b, rm),
            (a, b, c, rm) -> f.div(a, b, rm)),
        of(Kind.ONE, true, 64, "sqrt",
            (s, a, b, c, rm) -> F64.sqrt(s, a, rm),
            (s, a, b, c, rm) -> F64.sqrtSlow(s, a, rm),
            (a, b, c, rm) -> f.sqrt(a, rm)),
        of(Kind.THREE, true, 64, "fma",
            (s, a, b, c, rm) -> F64.fma(s, a, b, c, rm),
            (s, a, b, c, rm) -> F64.fmaSlow(s, a, b, c, rm),
            f::fma),
        of(Kind.TWO, false, 64, "min",
            (s, a, b, c, rm) -> F64.min(s, a, b),
            (s, a, b, c, rm) -> F64.minSlow(s, a, b),
            (a, b, c, rm) -> f.extreme(-1, a, b)),
        of(Kind.TWO, false, 64, "max",
            (s, a, b, c, rm) -> F64.max(s, a, b),
            (s, a, b, c, rm) -> F64.maxSlow(s, a, b),
            (a, b, c, rm) -> f.extreme(1, a, b)),
        of(Kind.TWO, false, 1, "eq",
            (s, a, b, c, rm) -> bool(F64.eq(s, a, b)),
            (s, a, b, c, rm) -> bool(F64.eqSlow(s, a, b)),
            (a, b, c, rm) -> f.compare("eq", a, b)),
        of(Kind.TWO, false, 1, "lt",
            (s, a, b, c, rm) -> bool(F64.lt(s, a, b)),
            (s, a, b, c, rm) -> bool(F64.ltSlow(s, a, b)),
            (a, b, c, rm) -> f.compare("lt", a, b)),
        of(Kind.TWO, false, 1, "le",
            (s, a, b, c, rm) -> bool(F64.le(s, a, b)),
            (s, a, b, c, rm) -> bool(F64.leSlow(s, a, b)),
            (a, b, c, rm) -> f.compare("le", a, b)),
        of(Kind.ONE, false, 32, "classify",
            (s, a, b, c, rm) -> F64.classify(a),
            (s, a, b, c, rm) -> F64.classify(a),
            (a, b, c, rm) -> new ExactFp.Result(f.classify(a), 0)),
        of(Kind.ONE, true, 32, "toInt32",
            (s, a, b, c, rm) -> F64.toInt32(s, a, rm),
            (s, a, b, c, rm) -> F64.toInt32Slow(s, a, rm),
            (a, b, c, rm) -> toInteger(f, a, rm, 32, true)),
        of(Kind.ONE, true, 32, "toUint32",
            (s, a, b, c, rm) -> F64.toUint32(s, a, rm),
            (s, a, b, c, rm) -> F64.toUint32Slow(s, a, rm),
            (a, b, c, rm) -> toInteger(f, a, rm, 32, false)),
        of(Kind.ONE, true, 64, "toInt64",
            (s, a, b, c, rm) -> F64.toInt64(s, a, rm),
            (s, a, b, c, rm) -> F64.toInt64Slow(s, a, rm),
            (a, b, c, rm) -> toInteger(f, a, rm, 64, true)),
        of(Kind.ONE, true, 64, "toUint64",
            (s, a, b, c, rm) -> F64.toUint64(s, a, rm),
            (s, a, b, c, rm) -> F64.toUint64Slow(s, a, rm),
            (a, b, c, rm) -> toInteger(f, a, rm, 64, false)),
        of(Kind.INTEGER, true, 64, "fromInt32",
            (s, a, b, c, rm) -> F64.fromInt32(s, (int) a, rm),
            (s, a, b, c, rm) -> F64.fromInt64Slow(s, (int) a, rm),
            (a, b, c, rm) -> f.fromInteger(BigInteger.valueOf((int) a), rm)),
        of(Kind.INTEGER, true, 64, "fromUint32",
            (s, a, b, c, rm) -> F64.fromUint32(s, (int) a, rm),
            (s, a, b, c, rm) -> F64.fromUint64Slow(s, a & 0xffff_ffffL, rm),
            (a, b, c, rm) -> f.fromInteger(BigInteger.valueOf(a & 0xffff_ffffL), rm)),
        of(Kind.INTEGER, true, 64, "fromInt64",
            (s, a, b, c, rm) -> F64.fromInt64(s, a, rm),
            (s, a, b, c, rm) -> F64.fromInt64Slow(s, a, rm),
            (a, b, c, rm) -> f.fromInteger(BigInteger.valueOf(a), rm)),
        of(Kind.INTEGER, true, 64, "fromUint64",
            (s, a, b, c, rm) -> F64.fromUint64(s, a, rm),
            (s, a, b, c, rm) -> F64.fromUint64Slow(s, a, rm),
            (a, b, c, rm) -> f.fromInteger(unsigned(a), rm)),
        of(Kind.ONE, true, 32, "toF32",
            (s, a, b, c, rm) -> F32.fromF64(s, a, rm),
            (s, a, b, c, rm) -> F32.fromF64Slow(s, a, rm),
            (a, b, c, rm) -> f.convertTo(BINARY32, a, rm)));
  }

  static List<FpOperation> binary32() {
    ExactFp f = BINARY32;
    return List.of(
        of(Kind.TWO, true, 32, "add",
            (s, a, b, c, rm) -> F32.add(s, (int) a, (int) b, rm),
            (s, a, b, c, rm) -> F32.addSlow(s, (int) a, (int) b, rm),
            (a, b, c, rm) -> f.add(a, b, rm)),
        of(Kind.TWO, true, 32, "sub",
            (s, a, b, c, rm) -> F32.sub(s, (int) a, (int) b, rm),
            (s, a, b, c, rm) -> F32.subSlow(s, (int) a, (int) b, rm),
            (a, b, c, rm) -> f.sub(a, b, rm)),
        of(Kind.TWO, true, 32, "mul",
            (s, a, b, c, rm) -> F32.mul(s, (int) a, (int) b, rm),
            (s, a, b, c, rm) -> F32.mulSlow(s, (int) a, (int) b, rm),
            (a, b, c, rm) -> f.mul(a, b, rm)),
        of(Kind.TWO, true, 32, "div",
            (s, a, b, c, rm) -> F32.div(s, (int) a, (int) b, rm),
            (s, a, b, c, rm) -> F32.divSlow(s, (int) a, (int) b, rm),
            (a, b, c, rm) -> f.div(a, b, rm)),
        of(Kind.ONE, true, 32, "sqrt",
            (s, a, b, c, rm) -> F32.sqrt(s, (int) a, rm),
            (s, a, b, c, rm) -> F32.sqrtSlow(s, (int) a, rm),
            (a, b, c, rm) -> f.sqrt(a, rm)),
        of(Kind.THREE, true, 32, "fma",
            (s, a, b, c, rm) -> F32.fma(s, (int) a, (int) b, (int) c, rm),
            (s, a, b, c, rm) -> F32.fmaSlow(s, (int) a, (int) b, (int) c, rm),
            f::fma),
        of(Kind.TWO, false, 32, "min",
            (s, a, b, c, rm) -> F32.min(s, (int) a, (int) b),
            (s, a, b, c, rm) -> F32.minSlow(s, (int) a, (int) b),
            (a, b, c, rm) -> f.extreme(-1, a, b)),
        of(Kind.TWO, false, 32, "max",
            (s, a, b, c, rm) -> F32.max(s, (int) a, (int) b),
            (s, a, b, c, rm) -> F32.maxSlow(s, (int) a, (int) b),
            (a, b, c, rm) -> f.extreme(1, a, b)),
        of(Kind.TWO, false, 1, "eq",
            (s, a, b, c, rm) -> bool(F32.eq(s, (int) a, (int) b)),
            (s, a, b, c, rm) -> bool(F32.eqSlow(s, (int) a, (int) b)),
            (a, b, c, rm) -> f.compare("eq", a, b)),
        of(Kind.TWO, false, 1, "lt",
            (s, a, b, c, rm) -> bool(F32.lt(s, (int) a, (int) b)),
            (s, a, b, c, rm) -> bool(F32.ltSlow(s, (int) a, (int) b)),
            (a, b, c, rm) -> f.compare("lt", a, b)),
        of(Kind.TWO, false, 1, "le",
            (s, a, b, c, rm) -> bool(F32.le(s, (int) a, (int) b)),
            (s, a, b, c, rm) -> bool(F32.leSlow(s, (int) a, (int) b)),
            (a, b, c, rm) -> f.compare("le", a, b)),
        of(Kind.ONE, false, 32, "classify",
            (s, a, b, c, rm) -> F32.classify((int) a),
            (s, a, b, c, rm) -> F32.classify((int) a),
            (a, b, c, rm) -> new ExactFp.Result(f.classify(a), 0)),
        of(Kind.ONE, true, 32, "toInt32",
            (s, a, b, c, rm) -> F32.toInt32(s, (int) a, rm),
            (s, a, b, c, rm) -> F32.toInt32Slow(s, (int) a, rm),
            (a, b, c, rm) -> toInteger(f, a, rm, 32, true)),
        of(Kind.ONE, true, 32, "toUint32",
            (s, a, b, c, rm) -> F32.toUint32(s, (int) a, rm),
            (s, a, b, c, rm) -> F32.toUint32Slow(s, (int) a, rm),
            (a, b, c, rm) -> toInteger(f, a, rm, 32, false)),
        of(Kind.ONE, true, 64, "toInt64",
            (s, a, b, c, rm) -> F32.toInt64(s, (int) a, rm),
            (s, a, b, c, rm) -> F32.toInt64Slow(s, (int) a, rm),
            (a, b, c, rm) -> toInteger(f, a, rm, 64, true)),
        of(Kind.ONE, true, 64, "toUint64",
            (s, a, b, c, rm) -> F32.toUint64(s, (int) a, rm),
            (s, a, b, c, rm) -> F32.toUint64Slow(s, (int) a, rm),
            (a, b, c, rm) -> toInteger(f, a, rm, 64, false)),
        of(Kind.INTEGER, true, 32, "fromInt32",
            (s, a, b, c, rm) -> F32.fromInt32(s, (int) a, rm),
            (s, a, b, c, rm) -> F32.fromInt64Slow(s, (int) a, rm),
            (a, b, c, rm) -> f.fromInteger(BigInteger.valueOf((int) a), rm)),
        of(Kind.INTEGER, true, 32, "fromUint32",
            (s, a, b, c, rm) -> F32.fromUint32(s, (int) a, rm),
            (s, a, b, c, rm) -> F32.fromUint64Slow(s, a & 0xffff_ffffL, rm),
            (a, b, c, rm) -> f.fromInteger(BigInteger.valueOf(a & 0xffff_ffffL), rm)),
        of(Kind.INTEGER, true, 32, "fromInt64",
            (s, a, b, c, rm) -> F32.fromInt64(s, a, rm),
            (s, a, b, c, rm) -> F32.fromInt64Slow(s, a, rm),
            (a, b, c, rm) -> f.fromInteger(BigInteger.valueOf(a), rm)),
        of(Kind.INTEGER, true, 32, "fromUint64",
            (s, a, b, c, rm) -> F32.fromUint64(s, a, rm),
            (s, a, b, c, rm) -> F32.fromUint64Slow(s, a, rm),
            (a, b, c, rm) -> f.fromInteger(unsigned(a), rm)),
        of(Kind.ONE, false, 64, "toF64",
            (s, a, b, c, rm) -> F64.fromF32(s, (int) a),
            (s, a, b, c, rm) -> F64.fromF32Slow(s, (int) a),
            (a, b, c, rm) -> f.convertTo(BINARY64, a, rm)));
  }
}
