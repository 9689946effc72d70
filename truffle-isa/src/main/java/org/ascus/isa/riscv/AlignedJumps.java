package org.ascus.isa.riscv;

import org.ascus.isa.decode.Packed;
import org.ascus.isa.riscv.semantics.RvInteger;
import org.ascus.isa.table.Instruction;

/**
 * Jumps on a hart without compressed instructions, which trap when their target is not a multiple of four bytes
 * (unprivileged specification, "Unconditional Jumps" and "Conditional Branches"): at the jump, and without writing the
 * link. Targets of direct jumps are known when they are decoded, so aligned ones stay as they are.
 *
 * <p>The others become a packed instruction with number 0, which every tier leaves to {@link RiscvRare}; bit 5 of a
 * register field, free in integer instructions, tells them from each other and from illegal instructions.
 */
final class AlignedJumps {
  private static final int MARK = 32;

  private AlignedJumps() {}

  /** What is decoded in place of {@code w}. */
  static long checked(long w) {
    Instruction in = RiscvBlockDecoder.instruction(Packed.op(w));
    if (in == null) {
      return w;
    }
    int rd = Packed.rd(w);
    int rs1 = Packed.rs1(w);
    int rs2 = Packed.rs2(w);
    int imm = Packed.imm(w);
    boolean misaligned = (imm & 2) != 0;
    return switch (in.shape()) {
      case JALR -> Packed.of(0, rd, rs1, MARK, imm, Packed.length(w));
      case JAL -> misaligned ? Packed.of(0, rd | MARK, 0, 0, imm, Packed.length(w)) : w;
      case BRANCH -> misaligned ? Packed.of(0, condition(in.index()), rs1 | MARK, rs2, imm, Packed.length(w)) : w;
      default -> w;
    };
  }

  private static int condition(int op) {
    return switch (op) {
      case RvOp.BEQ -> 0;
      case RvOp.BNE -> 1;
      case RvOp.BLT -> 2;
      case RvOp.BGE -> 3;
      case RvOp.BLTU -> 4;
      case RvOp.BGEU -> 5;
      default -> throw new IllegalStateException("no branch: " + op);
    };
  }

  /** Executes what {@link #checked} made, at {@code pc}; false if it made nothing of {@code w}. */
  static boolean execute(RiscvHart hart, long w, long pc) {
    int rd = Packed.rd(w);
    int rs1 = Packed.rs1(w);
    int imm = Packed.imm(w);
    if ((Packed.rs2(w) & MARK) != 0) {
      jalr(hart, rd, hart.regs[rs1] + imm & -2L, pc);
    } else if ((rd & MARK) != 0) {
      hart.trap(Cause.FETCH_MISALIGNED, pc + imm);
    } else if ((rs1 & MARK) != 0) {
      if (taken(rd, hart.regs[rs1 & ~MARK], hart.regs[Packed.rs2(w)])) {
        hart.trap(Cause.FETCH_MISALIGNED, pc + imm);
      }
    } else {
      return false;
    }
    return true;
  }

  private static void jalr(RiscvHart hart, int rd, long target, long pc) {
    if ((target & 2) != 0) {
      hart.trap(Cause.FETCH_MISALIGNED, target);
      return;
    }
    if (rd != 0) {
      hart.regs[rd] = pc + 4;
      hart.hotEdge = true;
    }
    hart.pc = target;
  }

  private static boolean taken(int condition, long a, long b) {
    return switch (condition) {
      case 0 -> RvInteger.beq(a, b);
      case 1 -> RvInteger.bne(a, b);
      case 2 -> RvInteger.blt(a, b);
      case 3 -> RvInteger.bge(a, b);
      case 4 -> RvInteger.bltu(a, b);
      default -> RvInteger.bgeu(a, b);
    };
  }
}
