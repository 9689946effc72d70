package org.ascus.isa.riscv;

import java.lang.invoke.VarHandle;
import org.ascus.isa.cpu.BetweenRegions;
import org.ascus.isa.cpu.Block;
import org.ascus.isa.cpu.VCpu;
import org.ascus.isa.decode.Packed;

/**
 * The instructions that are no plain integer computation, load, store or jump: atomics, system instructions and
 * floating point. Each tier calls them here. The caller has put the address of the next instruction into the hart's pc
 * and made its instruction count exact.
 */
final class RiscvRare {
  /** Predecessor and successor sets that make a fence a PAUSE (Zihintpause). */
  static final int PAUSE = 0x010;

  private final RiscvHart hart;

  RiscvRare(RiscvHart hart) {
    this.hart = hart;
  }

  /**
   * Executes one instruction.
   *
   * @param w packed, with slots for registers
   * @param pc its own address
   */
  @BetweenRegions
  void execute(long w, long pc) {
    RiscvHart s = hart;
    long[] x = s.regs;
    int op = Packed.op(w);
    int rd = Packed.rd(w);
    long a = x[Packed.rs1(w)];
    long b = x[Packed.rs2(w)];
    switch (op) {
      case 0 -> {
        if (!AlignedJumps.execute(s, w, pc)) {
          s.illegal(RiscvInterpreter.UNKNOWN_BITS);
        }
      }
      case RvOp.FENCE -> fence(Packed.imm(w));
      case RvOp.CSRRW, RvOp.CSRRS, RvOp.CSRRC -> csr(op, rd, Packed.imm(w), a, Packed.rs1(w) != 0);
      case RvOp.CSRRWI, RvOp.CSRRSI, RvOp.CSRRCI -> csr(op, rd, Packed.imm(w), Packed.rs1(w), Packed.rs1(w) != 0);
      case RvOp.LR_W -> amoResult(rd, s.atomics.loadReserved(a, 4));
      case RvOp.LR_D -> amoResult(rd, s.atomics.loadReserved(a, 8));
      case RvOp.SC_W -> amoResult(rd, s.atomics.storeConditional(a, 4, b));
      case RvOp.SC_D -> amoResult(rd, s.atomics.storeConditional(a, 8, b));
      case RvOp.AMOSWAP_W -> amoResult(rd, s.atomics.amo(Amo.SWAP, a, 4, b));
      case RvOp.AMOADD_W -> amoResult(rd, s.atomics.amo(Amo.ADD, a, 4, b));
      case RvOp.AMOXOR_W -> amoResult(rd, s.atomics.amo(Amo.XOR, a, 4, b));
      case RvOp.AMOAND_W -> amoResult(rd, s.atomics.amo(Amo.AND, a, 4, b));
      case RvOp.AMOOR_W -> amoResult(rd, s.atomics.amo(Amo.OR, a, 4, b));
      case RvOp.AMOMIN_W -> amoResult(rd, s.atomics.amo(Amo.MIN, a, 4, b));
      case RvOp.AMOMAX_W -> amoResult(rd, s.atomics.amo(Amo.MAX, a, 4, b));
      case RvOp.AMOMINU_W -> amoResult(rd, s.atomics.amo(Amo.MINU, a, 4, b));
      case RvOp.AMOMAXU_W -> amoResult(rd, s.atomics.amo(Amo.MAXU, a, 4, b));
      case RvOp.AMOSWAP_D -> amoResult(rd, s.atomics.amo(Amo.SWAP, a, 8, b));
      case RvOp.AMOADD_D -> amoResult(rd, s.atomics.amo(Amo.ADD, a, 8, b));
      case RvOp.AMOXOR_D -> amoResult(rd, s.atomics.amo(Amo.XOR, a, 8, b));
      case RvOp.AMOAND_D -> amoResult(rd, s.atomics.amo(Amo.AND, a, 8, b));
      case RvOp.AMOOR_D -> amoResult(rd, s.atomics.amo(Amo.OR, a, 8, b));
      case RvOp.AMOMIN_D -> amoResult(rd, s.atomics.amo(Amo.MIN, a, 8, b));
      case RvOp.AMOMAX_D -> amoResult(rd, s.atomics.amo(Amo.MAX, a, 8, b));
      case RvOp.AMOMINU_D -> amoResult(rd, s.atomics.amo(Amo.MINU, a, 8, b));
      case RvOp.AMOMAXU_D -> amoResult(rd, s.atomics.amo(Amo.MAXU, a, 8, b));
      case RvOp.FENCE_I -> {
        s.codeSpace().awaitProtected(s);
        s.event = VCpu.LEAVE;
      }
      case RvOp.ECALL -> s.trap(Cause.ECALL_U + s.mode, 0);
      case RvOp.EBREAK -> s.trap(Cause.BREAKPOINT, pc);
      case RvOp.MRET -> {
        if (s.mode != Status.M) {
          s.illegal(RiscvInterpreter.UNKNOWN_BITS);
        } else {
          s.csrs.mret();
          leaveIfInterrupted();
        }
      }
      case RvOp.SRET -> {
        if (s.mode == Status.U || s.mode == Status.S && (s.csrs.mstatus() & Status.TSR) != 0) {
          s.illegal(RiscvInterpreter.UNKNOWN_BITS);
        } else {
          s.csrs.sret();
          leaveIfInterrupted();
        }
      }
      case RvOp.WFI -> {
        if (s.csrs.wfiTraps()) {
          s.illegal(RiscvInterpreter.UNKNOWN_BITS);
        } else {
          s.event = VCpu.HALT;
        }
      }
      case RvOp.SFENCE_VMA, RvOp.SINVAL_VMA -> {
        if (s.mode == Status.U || s.mode == Status.S && (s.csrs.mstatus() & Status.TVM) != 0) {
          s.illegal(RiscvInterpreter.UNKNOWN_BITS);
        } else {
          s.flush(a, Packed.rs1(w) == 0, b, Packed.rs2(w) == 0);
        }
      }
      case RvOp.SFENCE_W_INVAL, RvOp.SFENCE_INVAL_IR -> {
        if (s.mode == Status.U) {
          s.illegal(RiscvInterpreter.UNKNOWN_BITS);
        }
      }
      case RvOp.CBO_ZERO -> {
        if (s.csrs.cacheBlockAllowed(true)) {
          s.zeroBlock(a);
        } else {
          s.illegal(RiscvInterpreter.UNKNOWN_BITS);
        }
      }
      case RvOp.CBO_CLEAN, RvOp.CBO_FLUSH -> {
        if (s.csrs.cacheBlockAllowed(false)) {
          s.manageBlock(a);
        } else {
          s.illegal(RiscvInterpreter.UNKNOWN_BITS);
        }
      }
      case RvOp.CBO_INVAL -> {
        if (s.csrs.cacheInvalAllowed()) {
          s.manageBlock(a);
        } else {
          s.illegal(RiscvInterpreter.UNKNOWN_BITS);
        }
      }
      default -> floatingPoint(op, w, rd, a, b);
    }
  }

  private void fence(int sets) {
    if (sets == PAUSE && hart.codeSpace().onlyCpu() == null) {
      // A hart that spins waits for another one, which may have no host core to run on.
      Thread.yield();
    }
    VarHandle.fullFence();
  }

  private void leaveIfInterrupted() {
    if (hart.csrs.interruptReady()) {
      hart.event = VCpu.LEAVE;
    }
  }

  private void amoResult(int rd, long value) {
    if (hart.event != VCpu.TRAP && rd != 0) {
      hart.regs[rd] = value;
    }
  }

  @BetweenRegions
  private void csr(int op, int rd, int number, long operand, boolean named) {
    RiscvHart s = hart;
    boolean swap = op == RvOp.CSRRW || op == RvOp.CSRRWI;
    boolean write = swap || named;
    if (!s.csrs.accessible(number, write)) {
      s.illegal(RiscvInterpreter.UNKNOWN_BITS);
      return;
    }
    long old = swap && rd == 0 ? 0 : s.csrs.read(number);
    if (write) {
      boolean set = op == RvOp.CSRRS || op == RvOp.CSRRSI;
      long modified = s.csrs.readToModify(number);
      s.csrs.write(number, swap ? operand : set ? modified | operand : modified & ~operand);
      if (s.csrs.interruptReady()) {
        s.event = VCpu.LEAVE;
      }
    }
    if (rd != 0) {
      s.regs[rd] = old;
    }
  }

  private void floatingPoint(int op, long w, int rd, long a, long b) {
    RiscvHart s = hart;
    if (!s.fpReady() && s.csrs.fpOff()) {
      s.illegal(RiscvInterpreter.UNKNOWN_BITS);
      return;
    }
    int rm = 0;
    if (RiscvBlockDecoder.hasRoundingMode(op)) {
      rm = Packed.roundingMode(w);
      if (rm == 7) {
        rm = s.csrs.frm;
      }
      if (rm > 4) {
        s.illegal(RiscvInterpreter.UNKNOWN_BITS);
        return;
      }
    }
    s.csrs.fpDirty();
    long result = RvFpu.apply(op, s.fp, a, b, s.regs[RiscvHart.F0 + Packed.rs3(w)], rm);
    if (rd != 0) {
      s.regs[rd] = result;
    }
  }

  /** Before a floating-point load or store while the unit is not known to be on: true if the block was left. */
  boolean fpOff(Block block, int i, long pc) {
    RiscvHart s = hart;
    if (!s.csrs.fpOff()) {
      s.csrs.fpDirty();
      return false;
    }
    s.illegal(RiscvInterpreter.UNKNOWN_BITS);
    s.pc = pc + block.offsets[i];
    s.budget -= i + 1;
    return true;
  }
}
