package org.ascus.isa.riscv.semantics;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigInteger;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.stream.LongStream;
import org.ascus.isa.riscv.RiscvTable;
import org.ascus.isa.riscv.RvAlu;
import org.ascus.isa.table.Instruction;
import org.ascus.isa.table.Shape;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** The integer instructions against references on unlimited integers, written from the text of the specification. */
class RvIntegerTest {
  private static final BigInteger ONE = BigInteger.ONE;
  private static final BigInteger ZERO = BigInteger.ZERO;
  private static final BigInteger TWO_64 = ONE.shiftLeft(64);
  private static final long[] EDGES = {
    0, 1, 2, 3, 7, 31, 32, 33, 63, 64, 65, -1, -2, -64, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fff_ffffL,
    0x8000_0000L, 0xffff_ffffL, 0x1_0000_0000L, -0x8000_0000L, -0x8000_0001L, Long.MAX_VALUE, Long.MIN_VALUE,
    Long.MIN_VALUE + 1, 0xffff_ffff_0000_0000L, 0x7fff_ffff_8000_0000L, 0x0123_4567_89ab_cdefL,
    0xff00_0001_0080_007fL, 0x8000_0000_0000_0001L, 0x5555_5555_5555_5555L
  };

  /** Operands of one evaluation: u unsigned, w the low word, n the shift amount. */
  private record Operands(long first, long second) {
    BigInteger a() {
      return BigInteger.valueOf(first);
    }

    BigInteger b() {
      return BigInteger.valueOf(second);
    }

    BigInteger ua() {
      return a().mod(TWO_64);
    }

    BigInteger ub() {
      return b().mod(TWO_64);
    }

    BigInteger aw() {
      return signed(a(), 32);
    }

    BigInteger bw() {
      return signed(b(), 32);
    }

    BigInteger uaw() {
      return a().mod(ONE.shiftLeft(32));
    }

    BigInteger ubw() {
      return b().mod(ONE.shiftLeft(32));
    }

    int n() {
      return b().mod(BigInteger.valueOf(64)).intValue();
    }

    int nw() {
      return b().mod(BigInteger.valueOf(32)).intValue();
    }
  }

  private static final Map<String, Reference> REFERENCES = new HashMap<>();

  private interface Reference {
    BigInteger of(Operands x);
  }

  private static void is(String names, Reference reference) {
    for (String name : names.split(" ")) {
      REFERENCES.put(name, reference);
    }
  }

  /** The low {@code bits} as a signed number. */
  private static BigInteger signed(BigInteger value, int bits) {
    BigInteger low = value.mod(ONE.shiftLeft(bits));
    return low.testBit(bits - 1) ? low.subtract(ONE.shiftLeft(bits)) : low;
  }

  private static BigInteger truth(boolean condition) {
    return condition ? ONE : ZERO;
  }

  private static BigInteger number(long value) {
    return BigInteger.valueOf(value);
  }

  private static BigInteger word(BigInteger value) {
    return signed(value, 32);
  }

  private static BigInteger quotient(BigInteger a, BigInteger b) {
    return b.signum() == 0 ? ONE.negate() : a.divide(b);
  }

  private static BigInteger remainder(BigInteger a, BigInteger b) {
    return b.signum() == 0 ? a : a.remainder(b);
  }

  private static BigInteger carryless(BigInteger a, BigInteger b) {
    BigInteger product = ZERO;
    for (int i = 0; i < 64; i++) {
      product = b.testBit(i) ? product.xor(a.shiftLeft(i)) : product;
    }
    return product;
  }

  private static BigInteger rotateLeft(BigInteger value, int n, int width) {
    return value.shiftLeft(n).or(value.shiftRight(width - n));
  }

  private static BigInteger mapBytes(BigInteger value, boolean reverse) {
    BigInteger result = ZERO;
    for (int i = 0; i < 8; i++) {
      BigInteger octet = value.shiftRight(8 * i).and(number(0xff));
      BigInteger mapped = reverse ? octet : octet.signum() == 0 ? ZERO : number(0xff);
      result = result.or(mapped.shiftLeft(reverse ? 56 - 8 * i : 8 * i));
    }
    return result;
  }

  static {
    is("add addi", x -> x.a().add(x.b()));
    is("sub", x -> x.a().subtract(x.b()));
    is("sll slli", x -> x.a().shiftLeft(x.n()));
    is("slt slti", x -> truth(x.a().compareTo(x.b()) < 0));
    is("sltu sltiu", x -> truth(x.ua().compareTo(x.ub()) < 0));
    is("xor xori", x -> x.a().xor(x.b()));
    is("srl srli", x -> x.ua().shiftRight(x.n()));
    is("sra srai", x -> x.a().shiftRight(x.n()));
    is("or ori", x -> x.a().or(x.b()));
    is("and andi", x -> x.a().and(x.b()));
    is("addw addiw", x -> word(x.a().add(x.b())));
    is("subw", x -> word(x.a().subtract(x.b())));
    is("sllw slliw", x -> word(x.a().shiftLeft(x.nw())));
    is("srlw srliw", x -> word(x.uaw().shiftRight(x.nw())));
    is("sraw sraiw", x -> x.aw().shiftRight(x.nw()));
    is("mul", x -> x.a().multiply(x.b()));
    is("mulh", x -> x.a().multiply(x.b()).shiftRight(64));
    is("mulhsu", x -> x.a().multiply(x.ub()).shiftRight(64));
    is("mulhu", x -> x.ua().multiply(x.ub()).shiftRight(64));
    is("div", x -> quotient(x.a(), x.b()));
    is("divu", x -> quotient(x.ua(), x.ub()));
    is("rem", x -> remainder(x.a(), x.b()));
    is("remu", x -> remainder(x.ua(), x.ub()));
    is("mulw", x -> word(x.a().multiply(x.b())));
    is("divw", x -> word(quotient(x.aw(), x.bw())));
    is("divuw", x -> word(quotient(x.uaw(), x.ubw())));
    is("remw", x -> word(remainder(x.aw(), x.bw())));
    is("remuw", x -> word(remainder(x.uaw(), x.ubw())));
    is("add.uw", x -> x.uaw().add(x.b()));
    is("sh1add", x -> x.a().shiftLeft(1).add(x.b()));
    is("sh2add", x -> x.a().shiftLeft(2).add(x.b()));
    is("sh3add", x -> x.a().shiftLeft(3).add(x.b()));
    is("sh1add.uw", x -> x.uaw().shiftLeft(1).add(x.b()));
    is("sh2add.uw", x -> x.uaw().shiftLeft(2).add(x.b()));
    is("sh3add.uw", x -> x.uaw().shiftLeft(3).add(x.b()));
    is("slli.uw", x -> x.uaw().shiftLeft(x.n()));
    is("andn", x -> x.a().andNot(x.b()));
    is("orn", x -> x.a().or(x.b().not()));
    is("xnor", x -> x.a().xor(x.b()).not());
    is("clz", x -> number(64 - x.ua().bitLength()));
    is("clzw", x -> number(32 - x.uaw().bitLength()));
    is("ctz", x -> number(x.first == 0 ? 64 : x.a().getLowestSetBit()));
    is("ctzw", x -> number(x.uaw().signum() == 0 ? 32 : x.a().getLowestSetBit()));
    is("cpop", x -> number(x.ua().bitCount()));
    is("cpopw", x -> number(x.uaw().bitCount()));
    is("max", x -> x.a().max(x.b()));
    is("maxu", x -> x.ua().max(x.ub()));
    is("min", x -> x.a().min(x.b()));
    is("minu", x -> x.ua().min(x.ub()));
    is("sext.b", x -> signed(x.a(), 8));
    is("sext.h", x -> signed(x.a(), 16));
    is("zext.h", x -> x.a().mod(number(0x10000)));
    is("rol", x -> rotateLeft(x.ua(), x.n(), 64));
    is("ror rori", x -> rotateLeft(x.ua(), 64 - x.n(), 64));
    is("rolw", x -> word(rotateLeft(x.uaw(), x.nw(), 32)));
    is("rorw roriw", x -> word(rotateLeft(x.uaw(), 32 - x.nw(), 32)));
    is("orc.b", x -> mapBytes(x.ua(), false));
    is("rev8", x -> mapBytes(x.ua(), true));
    is("clmul", x -> carryless(x.ua(), x.ub()));
    is("clmulh", x -> carryless(x.ua(), x.ub()).shiftRight(64));
    is("clmulr", x -> carryless(x.ua(), x.ub()).shiftRight(63));
    is("bclr bclri", x -> x.a().clearBit(x.n()));
    is("bext bexti", x -> truth(x.a().testBit(x.n())));
    is("binv binvi", x -> x.a().flipBit(x.n()));
    is("bset bseti", x -> x.a().setBit(x.n()));
    is("czero.eqz", x -> x.second == 0 ? ZERO : x.a());
    is("czero.nez", x -> x.second != 0 ? ZERO : x.a());
    is("beq", x -> truth(x.first == x.second));
    is("bne", x -> truth(x.first != x.second));
    is("blt", x -> truth(x.a().compareTo(x.b()) < 0));
    is("bge", x -> truth(x.a().compareTo(x.b()) >= 0));
    is("bltu", x -> truth(x.ua().compareTo(x.ub()) < 0));
    is("bgeu", x -> truth(x.ua().compareTo(x.ub()) >= 0));
  }

  @TestFactory
  Iterable<DynamicTest> agreesWithItsReference() {
    return RiscvTable.get().instructions().stream()
        .filter(i -> !i.isCompressed())
        .filter(i -> switch (i.shape()) {
          case R, I, UNARY, BRANCH -> true;
          default -> false;
        })
        .map(i -> DynamicTest.dynamicTest(i.name(), () -> check(i)))
        .toList();
  }

  private static void check(Instruction instruction) {
    assertThat(REFERENCES).as("references").containsKey(instruction.name());
    Random random = new Random(instruction.name().hashCode());
    long[] values = LongStream.concat(LongStream.of(EDGES), random.longs(12)).toArray();
    for (long a : values) {
      for (long b : values) {
        long expected = REFERENCES.get(instruction.name()).of(new Operands(a, b)).longValue();
        long actual =
            instruction.shape() == Shape.BRANCH
                ? RvAlu.branch(instruction.index(), a, b) ? 1 : 0
                : RvAlu.alu(instruction.index(), a, b);
        if (actual != expected) {
          throw new AssertionError(
              String.format(
                  Locale.ROOT, "%s %#x, %#x: %#x, should be %#x", instruction.name(), a, b, actual, expected));
        }
      }
    }
  }

  @Test
  void divisionNeverThrows() {
    assertThat(RvInteger.div(5, 0)).isEqualTo(-1);
    assertThat(RvInteger.div(Long.MIN_VALUE, -1)).isEqualTo(Long.MIN_VALUE);
    assertThat(RvInteger.rem(Long.MIN_VALUE, -1)).isZero();
    assertThat(RvInteger.divw(Integer.MIN_VALUE, -1)).isEqualTo(Integer.MIN_VALUE);
    assertThat(RvInteger.remw(0x1_0000_0005L, 0x1_0000_0000L)).isEqualTo(5);
  }
}
