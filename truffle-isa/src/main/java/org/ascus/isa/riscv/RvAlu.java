// Generated from riscv.isa by RiscvSources (test sources); do not edit.
package org.ascus.isa.riscv;

import org.ascus.isa.riscv.semantics.RvInteger;

/** Calls the semantic method of an instruction by its number; folds to one call where that is constant. */
public final class RvAlu {
  private RvAlu() {}

  /** The result of an instruction of shape R, I (b is the immediate) or UNARY (b is ignored). */
  public static long alu(int op, long a, long b) {
    return switch (op) {
      case RvOp.ADDI, RvOp.ADD -> RvInteger.add(a, b);
      case RvOp.SLTI, RvOp.SLT -> RvInteger.slt(a, b);
      case RvOp.SLTIU, RvOp.SLTU -> RvInteger.sltu(a, b);
      case RvOp.XORI, RvOp.XOR -> RvInteger.xor(a, b);
      case RvOp.ORI, RvOp.OR -> RvInteger.or(a, b);
      case RvOp.ANDI, RvOp.AND -> RvInteger.and(a, b);
      case RvOp.SLLI, RvOp.SLL -> RvInteger.sll(a, b);
      case RvOp.SRLI, RvOp.SRL -> RvInteger.srl(a, b);
      case RvOp.SRAI, RvOp.SRA -> RvInteger.sra(a, b);
      case RvOp.SUB -> RvInteger.sub(a, b);
      case RvOp.ADDIW, RvOp.ADDW -> RvInteger.addw(a, b);
      case RvOp.SLLIW, RvOp.SLLW -> RvInteger.sllw(a, b);
      case RvOp.SRLIW, RvOp.SRLW -> RvInteger.srlw(a, b);
      case RvOp.SRAIW, RvOp.SRAW -> RvInteger.sraw(a, b);
      case RvOp.SUBW -> RvInteger.subw(a, b);
      case RvOp.MUL -> RvInteger.mul(a, b);
      case RvOp.MULH -> RvInteger.mulh(a, b);
      case RvOp.MULHSU -> RvInteger.mulhsu(a, b);
      case RvOp.MULHU -> RvInteger.mulhu(a, b);
      case RvOp.DIV -> RvInteger.div(a, b);
      case RvOp.DIVU -> RvInteger.divu(a, b);
      case RvOp.REM -> RvInteger.rem(a, b);
      case RvOp.REMU -> RvInteger.remu(a, b);
      case RvOp.MULW -> RvInteger.mulw(a, b);
      case RvOp.DIVW -> RvInteger.divw(a, b);
      case RvOp.DIVUW -> RvInteger.divuw(a, b);
      case RvOp.REMW -> RvInteger.remw(a, b);
      case RvOp.REMUW -> RvInteger.remuw(a, b);
      case RvOp.ADD_UW -> RvInteger.add_uw(a, b);
      case RvOp.SH1ADD -> RvInteger.sh1add(a, b);
      case RvOp.SH2ADD -> RvInteger.sh2add(a, b);
      case RvOp.SH3ADD -> RvInteger.sh3add(a, b);
      case RvOp.SH1ADD_UW -> RvInteger.sh1add_uw(a, b);
      case RvOp.SH2ADD_UW -> RvInteger.sh2add_uw(a, b);
      case RvOp.SH3ADD_UW -> RvInteger.sh3add_uw(a, b);
      case RvOp.SLLI_UW -> RvInteger.slli_uw(a, b);
      case RvOp.ANDN -> RvInteger.andn(a, b);
      case RvOp.ORN -> RvInteger.orn(a, b);
      case RvOp.XNOR -> RvInteger.xnor(a, b);
      case RvOp.CLZ -> RvInteger.clz(a);
      case RvOp.CTZ -> RvInteger.ctz(a);
      case RvOp.CPOP -> RvInteger.cpop(a);
      case RvOp.CLZW -> RvInteger.clzw(a);
      case RvOp.CTZW -> RvInteger.ctzw(a);
      case RvOp.CPOPW -> RvInteger.cpopw(a);
      case RvOp.MAX -> RvInteger.max(a, b);
      case RvOp.MAXU -> RvInteger.maxu(a, b);
      case RvOp.MIN -> RvInteger.min(a, b);
      case RvOp.MINU -> RvInteger.minu(a, b);
      case RvOp.SEXT_B -> RvInteger.sext_b(a);
      case RvOp.SEXT_H -> RvInteger.sext_h(a);
      case RvOp.ZEXT_H -> RvInteger.zext_h(a);
      case RvOp.ROL -> RvInteger.rol(a, b);
      case RvOp.ROR, RvOp.RORI -> RvInteger.ror(a, b);
      case RvOp.ROLW -> RvInteger.rolw(a, b);
      case RvOp.RORW, RvOp.RORIW -> RvInteger.rorw(a, b);
      case RvOp.ORC_B -> RvInteger.orc_b(a);
      case RvOp.REV8 -> RvInteger.rev8(a);
      case RvOp.CLMUL -> RvInteger.clmul(a, b);
      case RvOp.CLMULR -> RvInteger.clmulr(a, b);
      case RvOp.CLMULH -> RvInteger.clmulh(a, b);
      case RvOp.BCLR, RvOp.BCLRI -> RvInteger.bclr(a, b);
      case RvOp.BEXT, RvOp.BEXTI -> RvInteger.bext(a, b);
      case RvOp.BINV, RvOp.BINVI -> RvInteger.binv(a, b);
      case RvOp.BSET, RvOp.BSETI -> RvInteger.bset(a, b);
      case RvOp.CZERO_EQZ -> RvInteger.czero_eqz(a, b);
      case RvOp.CZERO_NEZ -> RvInteger.czero_nez(a, b);
      default -> throw new AssertionError(op);
    };
  }

  /** Whether an instruction of shape BRANCH is taken. */
  public static boolean branch(int op, long a, long b) {
    return switch (op) {
      case RvOp.BEQ -> RvInteger.beq(a, b);
      case RvOp.BNE -> RvInteger.bne(a, b);
      case RvOp.BLT -> RvInteger.blt(a, b);
      case RvOp.BGE -> RvInteger.bge(a, b);
      case RvOp.BLTU -> RvInteger.bltu(a, b);
      case RvOp.BGEU -> RvInteger.bgeu(a, b);
      default -> throw new AssertionError(op);
    };
  }
}
