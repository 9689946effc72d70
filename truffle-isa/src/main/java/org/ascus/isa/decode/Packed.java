package org.ascus.isa.decode;

/**
 * A decoded instruction in one long: bits 9:0 instruction index (0 = illegal), 15:10 rd, 21:16 rs1, 27:22 rs2, 28 set
 * for a two-byte encoding, 63:32 the immediate as a signed 32-bit number.
 *
 * <p>The immediate holds what the shape needs: the sign-extended constant, the value of lui and auipc already shifted,
 * a shift amount, a CSR number (the constant of csrrwi and the like is in rs1), acquire &lt;&lt; 1 | release of an
 * atomic, a rounding mode, or rounding mode | rs3 &lt;&lt; 8 of a fused multiply-add.
 */
public final class Packed {
  /** What an illegal encoding decodes to. */
  public static final long ILLEGAL = 0;

  private static final long TWO_BYTES = 1L << 28;

  private Packed() {}

  /** Packs the parts. {@code length} is 2 or 4. */
  public static long of(int op, int rd, int rs1, int rs2, int imm, int length) {
    return (long) imm << 32 | (length == 2 ? TWO_BYTES : 0) | op | rd << 10 | rs1 << 16 | rs2 << 22;
  }

  /** The instruction index, 0 for an illegal encoding. */
  public static int op(long packed) {
    return (int) packed & 0x3ff;
  }

  /** The destination register's number. */
  public static int rd(long packed) {
    return (int) packed >>> 10 & 0x3f;
  }

  /** The first source register's number, or a five-bit constant. */
  public static int rs1(long packed) {
    return (int) packed >>> 16 & 0x3f;
  }

  /** The second source register's number. */
  public static int rs2(long packed) {
    return (int) packed >>> 22 & 0x3f;
  }

  /** The immediate. */
  public static int imm(long packed) {
    return (int) (packed >> 32);
  }

  /** The rounding mode of a floating-point instruction: 0 to 4, 7 for dynamic, 5 and 6 reserved. */
  public static int roundingMode(long packed) {
    return (int) (packed >> 32) & 7;
  }

  /** The third source register of a fused multiply-add. */
  public static int rs3(long packed) {
    return (int) (packed >> 40) & 0x1f;
  }

  /** The encoding's length in bytes, 2 or 4. */
  public static int length(long packed) {
    return 4 - ((int) packed >>> 27 & 2);
  }
}
