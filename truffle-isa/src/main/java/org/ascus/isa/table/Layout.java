package org.ascus.isa.table;

import java.util.OptionalInt;

/**
 * Where the operands of one instruction are in its encoding. A register is {@code (bits >>> shift & mask) + base}; an
 * operand that is implied has mask 0 and its value as base. The immediate is gathered from segments.
 */
public final class Layout {
  /** A register operand of the encoding. */
  record Register(int shift, int mask, int base) {
    static final Register ABSENT = new Register(0, 0, 0);

    int get(int bits) {
      return (bits >>> shift & mask) + base;
    }

    int put(int value) {
      return (value - base & mask) << shift;
    }

    int encodingMask() {
      return mask << shift;
    }
  }

  /** Bits {@code from} and up of the encoding, as many as {@code mask} has, are bits {@code to} and up of the value. */
  record Segment(int from, int mask, int to) {}

  /** A value of some field that makes the encoding another instruction or a reserved one. */
  record Forbidden(int mask, int value) {}

  private final Register rd;
  private final Register rs1;
  private final Register rs2;
  private final Segment[] segments;
  private final int immBase;
  private final int signShift;
  private final Forbidden[] forbidden;

  /** {@code signBit} is the immediate's sign bit, or 31 if it is unsigned. */
  Layout(
      Register rd, Register rs1, Register rs2, Segment[] segments, int immBase, int signBit, Forbidden[] forbidden) {
    this.rd = rd;
    this.rs1 = rs1;
    this.rs2 = rs2;
    this.segments = segments;
    this.immBase = immBase;
    this.signShift = 31 - signBit;
    this.forbidden = forbidden;
  }

  /** The number of the destination register. */
  public int rd(int bits) {
    return rd.get(bits);
  }

  /** The number of the first source register. */
  public int rs1(int bits) {
    return rs1.get(bits);
  }

  /** The number of the second source register. */
  public int rs2(int bits) {
    return rs2.get(bits);
  }

  /** The immediate, sign-extended to 32 bits if it is signed. */
  public int imm(int bits) {
    int imm = 0;
    for (Segment s : segments) {
      imm |= (bits >>> s.from & s.mask) << s.to;
    }
    return (imm << signShift >> signShift) + immBase;
  }

  /** Whether the encoding names a destination register. */
  public boolean hasRd() {
    return rd.mask != 0;
  }

  /** Whether the encoding names a first source register. */
  public boolean hasRs1() {
    return rs1.mask != 0;
  }

  /** Whether the encoding names a second source register. */
  public boolean hasRs2() {
    return rs2.mask != 0;
  }

  /** Whether the encoding has an immediate. */
  public boolean hasImm() {
    return segments.length != 0;
  }

  boolean allows(int bits) {
    for (Forbidden f : forbidden) {
      if ((bits & f.mask) == f.value) {
        return false;
      }
    }
    return true;
  }

  /**
   * The operand bits for these values, to be combined with the fixed bits; empty if the encoding cannot express them.
   * Operands that the encoding implies must be given with the implied value.
   */
  public OptionalInt encode(int rdValue, int rs1Value, int rs2Value, int immValue) {
    int bits = rd.put(rdValue) | rs1.put(rs1Value) | rs2.put(rs2Value);
    for (Segment s : segments) {
      bits |= (immValue >>> s.to & s.mask) << s.from;
    }
    boolean faithful =
        rd(bits) == rdValue && rs1(bits) == rs1Value && rs2(bits) == rs2Value && imm(bits) == immValue && allows(bits);
    return faithful ? OptionalInt.of(bits) : OptionalInt.empty();
  }

  /** The bits of the encoding that hold operands. */
  public int operandMask() {
    int mask = rd.encodingMask() | rs1.encodingMask() | rs2.encodingMask();
    for (Segment s : segments) {
      mask |= s.mask << s.from;
    }
    return mask;
  }
}
