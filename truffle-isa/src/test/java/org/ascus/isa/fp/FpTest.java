package org.ascus.isa.fp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every operation, on both paths, against {@link ExactFp}. {@code -Dascus.fp.cases=N} runs N random cases an operation
 * instead of those that a build has time for.
 */
class FpTest {
  private static final int MODES = 5;
  private static final int RANDOM_CASES = Integer.getInteger("ascus.fp.cases", 100_000);
  private static final long SEED = 0x754_2019;

  private static final long[] INTEGERS = LongStream.concat(
          LongStream.of(0, 0x7fff_ffffL, 0x8000_0000L, 0xffff_ffffL, Long.MAX_VALUE, Long.MIN_VALUE),
          LongStream.of(24, 25, 31, 32, 53, 54, 62, 63)
              .flatMap(n -> LongStream.rangeClosed(-3, 3).flatMap(d -> LongStream.of((1L << n) + d, d - (1L << n)))))
      .toArray();

  static Stream<Arguments> operations() {
    return Stream.concat(
        FpOperation.binary32().stream().map(op -> Arguments.of(ExactFp.BINARY32, op)),
        FpOperation.binary64().stream().map(op -> Arguments.of(ExactFp.BINARY64, op)));
  }

  @ParameterizedTest
  @MethodSource("operations")
  void specialValuesGiveTheDefinedResultAndFlagsInAllCombinations(ExactFp f, FpOperation op) {
    long[] values = op.kind() == FpOperation.Kind.INTEGER ? INTEGERS : specials(f);
    long[] none = {0};
    for (long a : values) {
      for (long b : op.kind().arity > 1 ? values : none) {
        for (long c : op.kind().arity > 2 ? values : none) {
          for (int rm = 0; rm < (op.rounds() ? MODES : 1); rm++) {
            check(op, a, b, c, rm);
          }
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("operations")
  void randomEncodingsGiveTheDefinedResultAndFlags(ExactFp f, FpOperation op) {
    SplittableRandom random = new SplittableRandom(SEED);
    boolean integers = op.kind() == FpOperation.Kind.INTEGER;
    for (int i = 0; i < RANDOM_CASES; i++) {
      long a = integers ? random.nextLong() >> random.nextInt(64) : randomEncoding(f, random);
      long b = op.kind().arity < 2 ? 0 : random.nextBoolean() ? randomEncoding(f, random) : neighbour(f, a, random);
      long c = op.kind().arity < 3 ? 0 : switch (random.nextInt(3)) {
        case 0 -> neighbour(f, f.mul(a, b, RoundingMode.RNE).bits(), random);
        case 1 -> neighbour(f, a, random);
        default -> randomEncoding(f, random);
      };
      check(op, a, b, c, random.nextBoolean() ? RoundingMode.RNE : random.nextInt(MODES));
    }
  }

  private static void check(FpOperation op, long a, long b, long c, int rm) {
    ExactFp.Result want = op.oracle().apply(a, b, c, rm);
    check(op, "slow", op.slow(), want, 0, a, b, c, rm);
    check(op, "fast", op.fast(), want, 0, a, b, c, rm);
    check(op, "fast, NX set", op.fast(), want, FpFlags.NX, a, b, c, rm);
  }

  private static void check(
      FpOperation op,
      String path,
      FpOperation.Path code,
      ExactFp.Result want,
      int set,
      long a,
      long b,
      long c,
      int rm) {
    FpStatus s = new FpStatus();
    s.flags = set;
    long got = code.apply(s, a, b, c, rm);
    if ((got ^ want.bits()) << -op.resultBits() != 0 || s.flags != (want.flags() | set)) {
      fail("%s (%s) of %x %x %x in mode %d: %s, not %s",
          op, path, a, b, c, rm, new ExactFp.Result(got, s.flags), want);
    }
  }

  /** Both signs of the values where something changes. */
  private static long[] specials(ExactFp f) {
    int n = f.fractionBits();
    long bias = (1L << (f.exponentBits() - 1)) - 1;
    long one = bias << n;
    long infinity = (2 * bias + 1) << n;
    long minNormal = 1L << n;
    long quiet = 1L << (n - 1);
    long[] positive = {
      0, 1, 2, minNormal - 1, minNormal, minNormal + 1, 2 * minNormal,
      one - minNormal - quiet, one - minNormal, one - 1, one, one + 1, one + quiet, one + minNormal,
      one + minNormal + quiet, ((bias + n) << n) + 1, infinity - minNormal, infinity - 1,
      infinity, infinity + 1, infinity | quiet, infinity | quiet | 5
    };
    return LongStream.of(positive).flatMap(v -> LongStream.of(v, v | 1L << (n + f.exponentBits()))).toArray();
  }

  private static long mask(ExactFp f) {
    return -1L >>> (63 - f.exponentBits() - f.fractionBits());
  }

  private static long randomEncoding(ExactFp f, SplittableRandom random) {
    int n = f.fractionBits();
    int bias = (1 << (f.exponentBits() - 1)) - 1;
    long field = switch (random.nextInt(8)) {
      case 0 -> 0;
      case 1 -> random.nextInt(1, 3);
      case 2 -> 2L * bias + 1 - random.nextInt(4);
      case 3, 4 -> bias + random.nextInt(-4, 68);
      case 5 -> bias / 2 + random.nextInt(-n, n);
      default -> random.nextInt(2 * bias + 2);
    };
    long fraction = switch (random.nextInt(4)) {
      case 0 -> random.nextLong() << random.nextInt(n);
      case 1 -> -(1L << random.nextInt(n)) + random.nextInt(-1, 2);
      default -> random.nextLong();
    };
    long sign = random.nextLong(2) << (n + f.exponentBits());
    return sign | field << n | fraction & ((1L << n) - 1);
  }

  /** Close to {@code a} in magnitude: a few units or a few binary orders away, of either sign. */
  private static long neighbour(ExactFp f, long a, SplittableRandom random) {
    long step = random.nextBoolean() ? random.nextInt(-3, 4) : (long) random.nextInt(-60, 61) << f.fractionBits();
    long flip = random.nextLong(2) << (f.fractionBits() + f.exponentBits());
    return (a + step ^ flip) & mask(f);
  }

  @Test
  void hostArithmeticAgreesWithTheOracle() {
    SplittableRandom random = new SplittableRandom(SEED);
    ExactFp f = ExactFp.BINARY64;
    for (int i = 0; i < 20_000; i++) {
      long a = randomEncoding(f, random);
      long b = random.nextBoolean() ? randomEncoding(f, random) : neighbour(f, a, random);
      long c = neighbour(f, f.mul(a, b, RoundingMode.RNE).bits(), random);
      double x = Double.longBitsToDouble(a);
      double y = Double.longBitsToDouble(b);
      double z = Double.longBitsToDouble(c);
      List<Double> host = List.of(x + y, x * y, x / y, Math.sqrt(x), Math.fma(x, y, z), (double) (float) x);
      List<Double> oracle = Stream.of(f.add(a, b, 0), f.mul(a, b, 0), f.div(a, b, 0), f.sqrt(a, 0), f.fma(a, b, c, 0),
              f.convertTo(ExactFp.BINARY32, a, 0))
          .map(r -> Double.longBitsToDouble(r.bits())).toList();
      assertThat(oracle.subList(0, 5)).isEqualTo(host.subList(0, 5));
      float narrowed = Float.intBitsToFloat((int) f.convertTo(ExactFp.BINARY32, a, 0).bits());
      assertThat((double) narrowed).isEqualTo(host.get(5));
    }
  }

  @Test
  void flagsAccumulate() {
    FpStatus s = new FpStatus();
    long one = Double.doubleToRawLongBits(1);
    F64.div(s, one, 0, RoundingMode.RNE);
    assertThat(s.flags).isEqualTo(FpFlags.DZ);
    F64.div(s, one, Double.doubleToRawLongBits(3), RoundingMode.RNE);
    assertThat(s.flags).isEqualTo(FpFlags.DZ | FpFlags.NX);
    F64.sqrt(s, Double.doubleToRawLongBits(-1), RoundingMode.RNE);
    assertThat(s.flags).isEqualTo(FpFlags.DZ | FpFlags.NX | FpFlags.NV);
  }

  @Test
  void infinityTimesZeroIsInvalidEvenWhenAQuietNanIsAdded() {
    FpStatus s = new FpStatus();
    int infinity = Float.floatToRawIntBits(Float.POSITIVE_INFINITY);
    assertThat(F32.fma(s, infinity, 0, F32.DEFAULT_NAN, RoundingMode.RNE)).isEqualTo(F32.DEFAULT_NAN);
    assertThat(s.flags).isEqualTo(FpFlags.NV);
  }

  @Test
  void whatIsRoundedUpToTheSmallestNormalFromJustBelowDoesNotUnderflow() {
    FpStatus s = new FpStatus();
    long minNormal = Double.doubleToRawLongBits(Double.MIN_NORMAL);
    long belowOne = Double.doubleToRawLongBits(Math.nextDown(1.0));
    long aboveMinNormal = minNormal + 1;
    assertThat(F64.mul(s, aboveMinNormal, belowOne, RoundingMode.RUP)).isEqualTo(aboveMinNormal);
    assertThat(s.flags).isEqualTo(FpFlags.NX);
    s.flags = 0;
    assertThat(F64.mul(s, minNormal, belowOne, RoundingMode.RNE)).isEqualTo(minNormal);
    assertThat(s.flags).isEqualTo(FpFlags.NX | FpFlags.UF);
  }
}
