package org.ascus.isa.riscv.semantics;

/**
 * The RV64 integer instructions: I, M, Zba, Zbb, Zbc, Zbs, Zicond. Operands and results are full registers; methods
 * ending in w read the low words and return the sign-extended word. An immediate form shares the method of its
 * register form. None of them throws.
 */
public final class RvInteger {
  private static final long WORD = 0xffff_ffffL;

  private RvInteger() {}

  public static long add(long a, long b) {
    return a + b;
  }

  public static long sub(long a, long b) {
    return a - b;
  }

  public static long sll(long a, long b) {
    return a << b;
  }

  public static long slt(long a, long b) {
    return a < b ? 1 : 0;
  }

  public static long sltu(long a, long b) {
    return Long.compareUnsigned(a, b) < 0 ? 1 : 0;
  }

  public static long xor(long a, long b) {
    return a ^ b;
  }

  public static long srl(long a, long b) {
    return a >>> b;
  }

  public static long sra(long a, long b) {
    return a >> b;
  }

  public static long or(long a, long b) {
    return a | b;
  }

  public static long and(long a, long b) {
    return a & b;
  }

  public static long addw(long a, long b) {
    return (int) a + (int) b;
  }

  public static long subw(long a, long b) {
    return (int) a - (int) b;
  }

  public static long sllw(long a, long b) {
    return (int) a << (int) b;
  }

  public static long srlw(long a, long b) {
    return (int) a >>> (int) b;
  }

  public static long sraw(long a, long b) {
    return (int) a >> (int) b;
  }

  /** Where jalr goes. */
  public static long target(long a, long b) {
    return a + b & -2L;
  }

  public static boolean beq(long a, long b) {
    return a == b;
  }

  public static boolean bne(long a, long b) {
    return a != b;
  }

  public static boolean blt(long a, long b) {
    return a < b;
  }

  public static boolean bge(long a, long b) {
    return a >= b;
  }

  public static boolean bltu(long a, long b) {
    return Long.compareUnsigned(a, b) < 0;
  }

  public static boolean bgeu(long a, long b) {
    return Long.compareUnsigned(a, b) >= 0;
  }

  public static long mul(long a, long b) {
    return a * b;
  }

  public static long mulh(long a, long b) {
    return Math.multiplyHigh(a, b);
  }

  /** High half of signed times unsigned: an unsigned b with its top bit set counts 2^64 more than the signed one. */
  public static long mulhsu(long a, long b) {
    return Math.multiplyHigh(a, b) + (a & b >> 63);
  }

  public static long mulhu(long a, long b) {
    return Math.unsignedMultiplyHigh(a, b);
  }

  /** Division by zero gives -1; the one overflow wraps, in Java as in the specification. */
  public static long div(long a, long b) {
    return b == 0 ? -1 : a / b;
  }

  /** Division by zero gives all ones. */
  public static long divu(long a, long b) {
    return b == 0 ? -1 : Long.divideUnsigned(a, b);
  }

  /** Remainder of a division by zero is the dividend. */
  public static long rem(long a, long b) {
    return b == 0 ? a : a % b;
  }

  /** Remainder of a division by zero is the dividend. */
  public static long remu(long a, long b) {
    return b == 0 ? a : Long.remainderUnsigned(a, b);
  }

  public static long mulw(long a, long b) {
    return (int) a * (int) b;
  }

  public static long divw(long a, long b) {
    return (int) b == 0 ? -1 : (int) a / (int) b;
  }

  public static long divuw(long a, long b) {
    return (int) b == 0 ? -1 : (int) ((a & WORD) / (b & WORD));
  }

  public static long remw(long a, long b) {
    return (int) b == 0 ? (int) a : (int) a % (int) b;
  }

  public static long remuw(long a, long b) {
    return (int) b == 0 ? (int) a : (int) ((a & WORD) % (b & WORD));
  }

  public static long add_uw(long a, long b) {
    return (a & WORD) + b;
  }

  public static long sh1add(long a, long b) {
    return (a << 1) + b;
  }

  public static long sh2add(long a, long b) {
    return (a << 2) + b;
  }

  public static long sh3add(long a, long b) {
    return (a << 3) + b;
  }

  public static long sh1add_uw(long a, long b) {
    return ((a & WORD) << 1) + b;
  }

  public static long sh2add_uw(long a, long b) {
    return ((a & WORD) << 2) + b;
  }

  public static long sh3add_uw(long a, long b) {
    return ((a & WORD) << 3) + b;
  }

  public static long slli_uw(long a, long b) {
    return (a & WORD) << b;
  }

  public static long andn(long a, long b) {
    return a & ~b;
  }

  public static long orn(long a, long b) {
    return a | ~b;
  }

  public static long xnor(long a, long b) {
    return ~(a ^ b);
  }

  public static long clz(long a) {
    return Long.numberOfLeadingZeros(a);
  }

  public static long ctz(long a) {
    return Long.numberOfTrailingZeros(a);
  }

  public static long cpop(long a) {
    return Long.bitCount(a);
  }

  public static long clzw(long a) {
    return Integer.numberOfLeadingZeros((int) a);
  }

  public static long ctzw(long a) {
    return Integer.numberOfTrailingZeros((int) a);
  }

  public static long cpopw(long a) {
    return Integer.bitCount((int) a);
  }

  public static long max(long a, long b) {
    return Math.max(a, b);
  }

  public static long maxu(long a, long b) {
    return Long.compareUnsigned(a, b) < 0 ? b : a;
  }

  public static long min(long a, long b) {
    return Math.min(a, b);
  }

  public static long minu(long a, long b) {
    return Long.compareUnsigned(a, b) < 0 ? a : b;
  }

  public static long sext_b(long a) {
    return (byte) a;
  }

  public static long sext_h(long a) {
    return (short) a;
  }

  public static long zext_h(long a) {
    return a & 0xffff;
  }

  public static long rol(long a, long b) {
    return Long.rotateLeft(a, (int) b);
  }

  public static long ror(long a, long b) {
    return Long.rotateRight(a, (int) b);
  }

  public static long rolw(long a, long b) {
    return Integer.rotateLeft((int) a, (int) b);
  }

  public static long rorw(long a, long b) {
    return Integer.rotateRight((int) a, (int) b);
  }

  /** Each byte becomes 0xff unless it is zero. The sums below never carry from one byte into the next. */
  public static long orc_b(long a) {
    long low7 = 0x7f7f_7f7f_7f7f_7f7fL;
    long nonZero = ((a & low7) + low7 | a) & ~low7;
    return (nonZero >>> 7) * 0xff;
  }

  public static long rev8(long a) {
    return Long.reverseBytes(a);
  }

  /** Bits 63:0 of the carry-less product. */
  public static long clmul(long a, long b) {
    long product = 0;
    for (int i = 0; i < 64; i++) {
      product ^= a << i & -(b >>> i & 1);
    }
    return product;
  }

  /** Bits 127:64 of the carry-less product. */
  public static long clmulh(long a, long b) {
    return clmulr(a, b) >>> 1;
  }

  /** Bits 126:63 of the carry-less product. */
  public static long clmulr(long a, long b) {
    return Long.reverse(clmul(Long.reverse(a), Long.reverse(b)));
  }

  public static long bclr(long a, long b) {
    return a & ~(1L << b);
  }

  public static long bext(long a, long b) {
    return a >>> b & 1;
  }

  public static long binv(long a, long b) {
    return a ^ 1L << b;
  }

  public static long bset(long a, long b) {
    return a | 1L << b;
  }

  public static long czero_eqz(long a, long b) {
    return b == 0 ? 0 : a;
  }

  public static long czero_nez(long a, long b) {
    return b != 0 ? 0 : a;
  }
}
