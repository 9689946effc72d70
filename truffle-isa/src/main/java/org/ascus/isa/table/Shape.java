package org.ascus.isa.table;

import static org.ascus.isa.table.Shape.Operand.FP;
import static org.ascus.isa.table.Shape.Operand.INT;
import static org.ascus.isa.table.Shape.Operand.NONE;

/** The form of an instruction: which register files its operands name and how its semantic method is called. */
public enum Shape {
  /** rd = f(rs1, rs2). */
  R(INT, INT, INT, 0),
  /** rd = f(rs1, imm). */
  I(INT, INT, NONE, 0),
  /** rd = f(rs1). */
  UNARY(INT, INT, NONE, 0),
  /** rd = imm. */
  U_LUI(INT, NONE, NONE, 0),
  /** rd = pc + imm. */
  U_AUIPC(INT, NONE, NONE, 0),
  /** rd = memory[rs1 + imm]. */
  LOAD(INT, INT, NONE, Flags.LOAD | Flags.TRAPS),
  /** memory[rs1 + imm] = rs2. */
  STORE(NONE, INT, INT, Flags.STORE | Flags.TRAPS),
  /** pc = f(rs1, rs2) ? pc + imm : next. */
  BRANCH(NONE, INT, INT, Flags.BRANCH | Flags.ENDS_BLOCK),
  /** rd = next; pc = pc + imm. */
  JAL(INT, NONE, NONE, Flags.JUMP | Flags.ENDS_BLOCK),
  /** rd = next; pc = (rs1 + imm) with bit 0 clear. */
  JALR(INT, INT, NONE, Flags.JUMP | Flags.ENDS_BLOCK),
  /** fp rd = memory[rs1 + imm]. */
  FLOAD(FP, INT, NONE, Flags.LOAD | Flags.FP | Flags.TRAPS),
  /** memory[rs1 + imm] = fp rs2. */
  FSTORE(NONE, INT, FP, Flags.STORE | Flags.FP | Flags.TRAPS),
  /** fp rd = f(fp rs1, fp rs2, rounding mode). */
  FP_R(FP, FP, FP, Flags.FP | Flags.TRAPS),
  /** fp rd = f(fp rs1, fp rs2): sign injection, minimum, maximum; nothing is rounded. */
  FP_R_EXACT(FP, FP, FP, Flags.FP | Flags.TRAPS),
  /** fp rd = f(fp rs1, fp rs2, fp rs3, rounding mode). */
  FP_R4(FP, FP, FP, Flags.FP | Flags.TRAPS),
  /** fp rd = f(fp rs1, rounding mode): square root and conversions between formats. */
  FP_UNARY(FP, FP, NONE, Flags.FP | Flags.TRAPS),
  /** rd = f(fp rs1, fp rs2): comparisons. */
  FP_CMP(INT, FP, FP, Flags.FP | Flags.TRAPS),
  /** rd = f(fp rs1, rounding mode): conversions to integers. */
  FP_TO_INT(INT, FP, NONE, Flags.FP | Flags.TRAPS),
  /** rd = f(fp rs1): moves of bits and classification. */
  FP_TO_BITS(INT, FP, NONE, Flags.FP | Flags.TRAPS),
  /** fp rd = f(rs1, rounding mode): conversions from integers. */
  INT_TO_FP(FP, INT, NONE, Flags.FP | Flags.TRAPS),
  /** fp rd = f(rs1): moves of bits. */
  FP_FROM_BITS(FP, INT, NONE, Flags.FP | Flags.TRAPS),
  /** Atomic memory operation at rs1: rd = old, memory = f(old, rs2); imm = acquire &lt;&lt; 1 | release. */
  AMO(INT, INT, INT, Flags.LOAD | Flags.STORE | Flags.TRAPS),
  /** rd = control register imm, changed by rs1. */
  CSR_R(INT, INT, NONE, Flags.SYSTEM | Flags.TRAPS | Flags.ENDS_BLOCK),
  /** rd = control register imm, changed by the five-bit constant in the rs1 field. */
  CSR_I(INT, NONE, NONE, Flags.SYSTEM | Flags.TRAPS | Flags.ENDS_BLOCK),
  /** No result; rs1 and rs2 where the encoding has them. */
  SYSTEM(NONE, INT, INT, Flags.SYSTEM),
  /** Cache block operation at address rs1. */
  CBO(NONE, INT, NONE, Flags.STORE | Flags.TRAPS),
  /** Memory ordering; imm = fm, predecessor and successor sets. */
  FENCE(NONE, NONE, NONE, 0);

  /** Where an operand lives. */
  public enum Operand {
    /** No such operand, or not a register. */
    NONE,
    /** An integer register. */
    INT,
    /** A floating-point register. */
    FP
  }

  private final Operand rd;
  private final Operand rs1;
  private final Operand rs2;
  private final int flags;

  Shape(Operand rd, Operand rs1, Operand rs2, int flags) {
    this.rd = rd;
    this.rs1 = rs1;
    this.rs2 = rs2;
    this.flags = flags;
  }

  /** The register file of the destination. */
  public Operand rd() {
    return rd;
  }

  /** The register file of the first source. */
  public Operand rs1() {
    return rs1;
  }

  /** The register file of the second source. */
  public Operand rs2() {
    return rs2;
  }

  /** {@link Flags} that every instruction of this shape has. */
  public int flags() {
    return flags;
  }

  /** Whether the immediate carries a rounding mode in its low three bits. */
  public boolean hasRoundingMode() {
    return switch (this) {
      case FP_R, FP_R4, FP_UNARY, FP_TO_INT, INT_TO_FP -> true;
      default -> false;
    };
  }
}
