// Generated from riscv.isa by RiscvSources (test sources); do not edit.
package org.ascus.isa.riscv;

import org.ascus.isa.cpu.BetweenRegions;
import org.ascus.isa.cpu.Block;
import org.ascus.isa.cpu.VCpu;
import org.ascus.isa.mmu.SoftTlb;
import org.ascus.isa.riscv.semantics.RvInteger;
import org.ascus.machine.bus.host.HostMemory;

/**
 * Tier 0: interprets decoded blocks. The common integer instructions are in one method, the most frequent first; the
 * rest is in {@link RiscvRare}. A register number of a packed instruction here is a slot of the register file.
 */
final class RiscvInterpreter {
  /** A trap value that stands for the bits of the instruction at pc. */
  static final long UNKNOWN_BITS = 1L << 62;

  private final RiscvHart hart;
  private final RiscvRare rare;

  RiscvInterpreter(RiscvHart hart, RiscvRare rare) {
    this.hart = hart;
    this.rare = rare;
  }

  /**
   * Runs the first {@code count} instructions of {@code first}, whose first is at the hart's pc, then whole blocks
   * that follow as long as they are in the jump cache, fit the budget and are not compiled.
   */
  @BetweenRegions
  void run(Block first, int count) {
    Block block = first;
    int length = count;
    while (block != null) {
      long start = hart.pc;
      long mapping = hart.mapping();
      if (!runBlock(block, 0, length)) {
        return;
      }
      block = hart.nextToInterpret(block, start, mapping);
      length = block == null ? 0 : block.code.length;
    }
  }

  /** See {@link VCpu#step}. */
  boolean step(Block block, int from, int until) {
    RiscvHart s = hart;
    long start = s.pc - block.offsets[from];
    s.pc = start;
    s.budget += from;
    return runBlock(block, from, until) && s.pc == start + block.offsets[until];
  }

  /**
   * Runs instructions {@code from} to {@code count - 1} of {@code block}, which begins at the hart's pc.
   *
   * @return false if control left the block before its end, so that the hart must be looked at
   */
  @BetweenRegions
  private boolean runBlock(Block block, int from, int count) {
    RiscvHart s = hart;
    long[] x = s.regs;
    long[] tlb = s.tlb;
    long[] code = block.code;
    long pc = s.pc;
    int i = from;
    long next;
    leave:
    {
      for (; i < count; i++) {
        long w = code[i];
        int low = (int) w;
        int rd = low >>> 10 & 63;
        int rs1 = low >>> 16 & 63;
        int op = low & 0x3ff;
        if (op == RvOp.ADDI) {
          x[rd] = RvInteger.add(x[rs1], w >> 32);
        } else if (op == RvOp.LD) {
          long va = x[rs1] + (w >> 32);
          int t = SoftTlb.index(va);
          if (tlb[t] == (va & (SoftTlb.PAGE_MASK | 7) | s.context)) {
            x[rd] = HostMemory.getLong(va + tlb[t + SoftTlb.ADDEND]);
            x[0] = 0;
          } else if (loadSlow(block, i, pc, rd, va, 3, true, 0L)) {
            return false;
          }
        } else if (op == RvOp.ADD) {
          x[rd] = RvInteger.add(x[rs1], x[low >>> 22 & 63]);
        } else if (op == RvOp.SD) {
          long va = x[rs1] + (w >> 32);
          int t = SoftTlb.index(va);
          if (tlb[t + SoftTlb.WRITE_TAG] == (va & (SoftTlb.PAGE_MASK | 7) | s.context)) {
            HostMemory.putLong(va + tlb[t + SoftTlb.ADDEND], x[low >>> 22 & 63]);
          } else if (storeSlow(block, i, pc, va, 3, x[low >>> 22 & 63])) {
            return false;
          }
        } else if (op == RvOp.SLLI) {
          x[rd] = RvInteger.sll(x[rs1], w >> 32);
        } else if (op == RvOp.BEQ) {
          if (RvInteger.beq(x[rs1], x[low >>> 22 & 63])) {
            s.hotEdge = w < 0;
            next = pc + block.offsets[i] + (w >> 32);
            i++;
            break leave;
          }
        } else if (op == RvOp.OR) {
          x[rd] = RvInteger.or(x[rs1], x[low >>> 22 & 63]);
        } else if (op == RvOp.BNE) {
          if (RvInteger.bne(x[rs1], x[low >>> 22 & 63])) {
            s.hotEdge = w < 0;
            next = pc + block.offsets[i] + (w >> 32);
            i++;
            break leave;
          }
        } else if (op == RvOp.JALR) {
          next = x[rs1] + (w >> 32) & -2L;
          if (rd != 0) {
            x[rd] = pc + block.offsets[i + 1];
          }
          if (rd == 0 && rs1 != 1 && rs1 != 5) {
            block.noteJump(next - pc);
            s.hotEdge = true;
          } else {
            s.hotEdge = rd != 0;
          }
          i++;
          break leave;
        } else if (op == RvOp.XOR) {
          x[rd] = RvInteger.xor(x[rs1], x[low >>> 22 & 63]);
        } else if (op == RvOp.AUIPC) {
          x[rd] = pc + block.offsets[i] + (w >> 32);
        } else if (op == RvOp.SRLI) {
          x[rd] = RvInteger.srl(x[rs1], w >> 32);
        } else if (op == RvOp.LW) {
          long va = x[rs1] + (w >> 32);
          int t = SoftTlb.index(va);
          if (tlb[t] == (va & (SoftTlb.PAGE_MASK | 3) | s.context)) {
            x[rd] = HostMemory.getInt(va + tlb[t + SoftTlb.ADDEND]);
            x[0] = 0;
          } else if (loadSlow(block, i, pc, rd, va, 2, true, 0L)) {
            return false;
          }
        } else if (op == RvOp.LBU) {
          long va = x[rs1] + (w >> 32);
          int t = SoftTlb.index(va);
          if (tlb[t] == (va & SoftTlb.PAGE_MASK | s.context)) {
            x[rd] = HostMemory.getByte(va + tlb[t + SoftTlb.ADDEND]) & 0xff;
            x[0] = 0;
          } else if (loadSlow(block, i, pc, rd, va, 0, false, 0L)) {
            return false;
          }
        } else if (op == RvOp.SRLIW) {
          x[rd] = RvInteger.srlw(x[rs1], w >> 32);
        } else if (op == RvOp.ADDIW) {
          x[rd] = RvInteger.addw(x[rs1], w >> 32);
        } else if (op == RvOp.SLLIW) {
          x[rd] = RvInteger.sllw(x[rs1], w >> 32);
        } else if (op == RvOp.ADDW) {
          x[rd] = RvInteger.addw(x[rs1], x[low >>> 22 & 63]);
        } else if (op == RvOp.ANDI) {
          x[rd] = RvInteger.and(x[rs1], w >> 32);
        } else if (op == RvOp.SUB) {
          x[rd] = RvInteger.sub(x[rs1], x[low >>> 22 & 63]);
        } else if (op == RvOp.AND) {
          x[rd] = RvInteger.and(x[rs1], x[low >>> 22 & 63]);
        } else if (op == RvOp.BLTU) {
          if (RvInteger.bltu(x[rs1], x[low >>> 22 & 63])) {
            s.hotEdge = w < 0;
            next = pc + block.offsets[i] + (w >> 32);
            i++;
            break leave;
          }
        } else if (op == RvOp.JAL) {
          if (rd != 0) {
            x[rd] = pc + block.offsets[i + 1];
          }
          s.hotEdge = rd != 0 || w < 0;
          next = pc + block.offsets[i] + (w >> 32);
          i++;
          break leave;
        } else if (op == RvOp.BGEU) {
          if (RvInteger.bgeu(x[rs1], x[low >>> 22 & 63])) {
            s.hotEdge = w < 0;
            next = pc + block.offsets[i] + (w >> 32);
            i++;
            break leave;
          }
        } else if (op == RvOp.SW) {
          long va = x[rs1] + (w >> 32);
          int t = SoftTlb.index(va);
          if (tlb[t + SoftTlb.WRITE_TAG] == (va & (SoftTlb.PAGE_MASK | 3) | s.context)) {
            HostMemory.putInt(va + tlb[t + SoftTlb.ADDEND], (int) x[low >>> 22 & 63]);
          } else if (storeSlow(block, i, pc, va, 2, x[low >>> 22 & 63])) {
            return false;
          }
        } else if (op == RvOp.SLTU) {
          x[rd] = RvInteger.sltu(x[rs1], x[low >>> 22 & 63]);
        } else if (op == RvOp.LUI) {
          x[rd] = w >> 32;
        } else {
          switch (op) {
            case RvOp.BLT -> {
              if (RvInteger.blt(x[rs1], x[low >>> 22 & 63])) {
                s.hotEdge = w < 0;
                next = pc + block.offsets[i] + (w >> 32);
                i++;
                break leave;
              }
            }
            case RvOp.BGE -> {
              if (RvInteger.bge(x[rs1], x[low >>> 22 & 63])) {
                s.hotEdge = w < 0;
                next = pc + block.offsets[i] + (w >> 32);
                i++;
                break leave;
              }
            }
            case RvOp.LB -> {
              long va = x[rs1] + (w >> 32);
              int t = SoftTlb.index(va);
              if (tlb[t] == (va & SoftTlb.PAGE_MASK | s.context)) {
                x[rd] = HostMemory.getByte(va + tlb[t + SoftTlb.ADDEND]);
                x[0] = 0;
              } else if (loadSlow(block, i, pc, rd, va, 0, true, 0L)) {
                return false;
              }
            }
            case RvOp.LH -> {
              long va = x[rs1] + (w >> 32);
              int t = SoftTlb.index(va);
              if (tlb[t] == (va & (SoftTlb.PAGE_MASK | 1) | s.context)) {
                x[rd] = HostMemory.getShort(va + tlb[t + SoftTlb.ADDEND]);
                x[0] = 0;
              } else if (loadSlow(block, i, pc, rd, va, 1, true, 0L)) {
                return false;
              }
            }
            case RvOp.LHU -> {
              long va = x[rs1] + (w >> 32);
              int t = SoftTlb.index(va);
              if (tlb[t] == (va & (SoftTlb.PAGE_MASK | 1) | s.context)) {
                x[rd] = HostMemory.getShort(va + tlb[t + SoftTlb.ADDEND]) & 0xffff;
                x[0] = 0;
              } else if (loadSlow(block, i, pc, rd, va, 1, false, 0L)) {
                return false;
              }
            }
            case RvOp.LWU -> {
              long va = x[rs1] + (w >> 32);
              int t = SoftTlb.index(va);
              if (tlb[t] == (va & (SoftTlb.PAGE_MASK | 3) | s.context)) {
                x[rd] = HostMemory.getInt(va + tlb[t + SoftTlb.ADDEND]) & 0xffffffffL;
                x[0] = 0;
              } else if (loadSlow(block, i, pc, rd, va, 2, false, 0L)) {
                return false;
              }
            }
            case RvOp.SB -> {
              long va = x[rs1] + (w >> 32);
              int t = SoftTlb.index(va);
              if (tlb[t + SoftTlb.WRITE_TAG] == (va & SoftTlb.PAGE_MASK | s.context)) {
                HostMemory.putByte(va + tlb[t + SoftTlb.ADDEND], (byte) x[low >>> 22 & 63]);
              } else if (storeSlow(block, i, pc, va, 0, x[low >>> 22 & 63])) {
                return false;
              }
            }
            case RvOp.SH -> {
              long va = x[rs1] + (w >> 32);
              int t = SoftTlb.index(va);
              if (tlb[t + SoftTlb.WRITE_TAG] == (va & (SoftTlb.PAGE_MASK | 1) | s.context)) {
                HostMemory.putShort(va + tlb[t + SoftTlb.ADDEND], (short) x[low >>> 22 & 63]);
              } else if (storeSlow(block, i, pc, va, 1, x[low >>> 22 & 63])) {
                return false;
              }
            }
            case RvOp.SLTI -> {
              x[rd] = RvInteger.slt(x[rs1], w >> 32);
            }
            case RvOp.SLTIU -> {
              x[rd] = RvInteger.sltu(x[rs1], w >> 32);
            }
            case RvOp.XORI -> {
              x[rd] = RvInteger.xor(x[rs1], w >> 32);
            }
            case RvOp.ORI -> {
              x[rd] = RvInteger.or(x[rs1], w >> 32);
            }
            case RvOp.SRAI -> {
              x[rd] = RvInteger.sra(x[rs1], w >> 32);
            }
            case RvOp.SLL -> {
              x[rd] = RvInteger.sll(x[rs1], x[low >>> 22 & 63]);
            }
            case RvOp.SLT -> {
              x[rd] = RvInteger.slt(x[rs1], x[low >>> 22 & 63]);
            }
            case RvOp.SRL -> {
              x[rd] = RvInteger.srl(x[rs1], x[low >>> 22 & 63]);
            }
            case RvOp.SRA -> {
              x[rd] = RvInteger.sra(x[rs1], x[low >>> 22 & 63]);
            }
            case RvOp.SRAIW -> {
              x[rd] = RvInteger.sraw(x[rs1], w >> 32);
            }
            case RvOp.SUBW -> {
              x[rd] = RvInteger.subw(x[rs1], x[low >>> 22 & 63]);
            }
            case RvOp.SLLW -> {
              x[rd] = RvInteger.sllw(x[rs1], x[low >>> 22 & 63]);
            }
            case RvOp.SRLW -> {
              x[rd] = RvInteger.srlw(x[rs1], x[low >>> 22 & 63]);
            }
            case RvOp.SRAW -> {
              x[rd] = RvInteger.sraw(x[rs1], x[low >>> 22 & 63]);
            }
            case RvOp.MUL -> {
              x[rd] = RvInteger.mul(x[rs1], x[low >>> 22 & 63]);
            }
            case RvOp.MULH -> {
              x[rd] = RvInteger.mulh(x[rs1], x[low >>> 22 & 63]);
            }
            case RvOp.MULHSU -> {
              x[rd] = RvInteger.mulhsu(x[rs1], x[low >>> 22 & 63]);
            }
            case RvOp.MULHU -> {
              x[rd] = RvInteger.mulhu(x[rs1], x[low >>> 22 & 63]);
            }
            case RvOp.DIV -> {
              x[rd] = RvInteger.div(x[rs1], x[low >>> 22 & 63]);
            }
            case RvOp.DIVU -> {
              x[rd] = RvInteger.divu(x[rs1], x[low >>> 22 & 63]);
            }
            case RvOp.REM -> {
              x[rd] = RvInteger.rem(x[rs1], x[low >>> 22 & 63]);
            }
            case RvOp.REMU -> {
              x[rd] = RvInteger.remu(x[rs1], x[low >>> 22 & 63]);
            }
            case RvOp.MULW -> {
              x[rd] = RvInteger.mulw(x[rs1], x[low >>> 22 & 63]);
            }
            case RvOp.DIVW -> {
              x[rd] = RvInteger.divw(x[rs1], x[low >>> 22 & 63]);
            }
            case RvOp.DIVUW -> {
              x[rd] = RvInteger.divuw(x[rs1], x[low >>> 22 & 63]);
            }
            case RvOp.REMW -> {
              x[rd] = RvInteger.remw(x[rs1], x[low >>> 22 & 63]);
            }
            case RvOp.REMUW -> {
              x[rd] = RvInteger.remuw(x[rs1], x[low >>> 22 & 63]);
            }
            case RvOp.ADD_UW -> {
              x[rd] = RvInteger.add_uw(x[rs1], x[low >>> 22 & 63]);
            }
            case RvOp.SH1ADD -> {
              x[rd] = RvInteger.sh1add(x[rs1], x[low >>> 22 & 63]);
            }
            case RvOp.SH2ADD -> {
              x[rd] = RvInteger.sh2add(x[rs1], x[low >>> 22 & 63]);
            }
            case RvOp.SH3ADD -> {
              x[rd] = RvInteger.sh3add(x[rs1], x[low >>> 22 & 63]);
            }
            case RvOp.SH1ADD_UW -> {
              x[rd] = RvInteger.sh1add_uw(x[rs1], x[low >>> 22 & 63]);
            }
            case RvOp.SH2ADD_UW -> {
              x[rd] = RvInteger.sh2add_uw(x[rs1], x[low >>> 22 & 63]);
            }
            case RvOp.SH3ADD_UW -> {
              x[rd] = RvInteger.sh3add_uw(x[rs1], x[low >>> 22 & 63]);
            }
            case RvOp.SLLI_UW -> {
              x[rd] = RvInteger.slli_uw(x[rs1], w >> 32);
            }
            case RvOp.ANDN -> {
              x[rd] = RvInteger.andn(x[rs1], x[low >>> 22 & 63]);
            }
            case RvOp.ORN -> {
              x[rd] = RvInteger.orn(x[rs1], x[low >>> 22 & 63]);
            }
            case RvOp.XNOR -> {
              x[rd] = RvInteger.xnor(x[rs1], x[low >>> 22 & 63]);
            }
            case RvOp.CLZ -> {
              x[rd] = RvInteger.clz(x[rs1]);
            }
            case RvOp.CTZ -> {
              x[rd] = RvInteger.ctz(x[rs1]);
            }
            case RvOp.CPOP -> {
              x[rd] = RvInteger.cpop(x[rs1]);
            }
            case RvOp.CLZW -> {
              x[rd] = RvInteger.clzw(x[rs1]);
            }
            case RvOp.CTZW -> {
              x[rd] = RvInteger.ctzw(x[rs1]);
            }
            case RvOp.CPOPW -> {
              x[rd] = RvInteger.cpopw(x[rs1]);
            }
            case RvOp.MAX -> {
              x[rd] = RvInteger.max(x[rs1], x[low >>> 22 & 63]);
            }
            case RvOp.MAXU -> {
              x[rd] = RvInteger.maxu(x[rs1], x[low >>> 22 & 63]);
            }
            case RvOp.MIN -> {
              x[rd] = RvInteger.min(x[rs1], x[low >>> 22 & 63]);
            }
            case RvOp.MINU -> {
              x[rd] = RvInteger.minu(x[rs1], x[low >>> 22 & 63]);
            }
            case RvOp.SEXT_B -> {
              x[rd] = RvInteger.sext_b(x[rs1]);
            }
            case RvOp.SEXT_H -> {
              x[rd] = RvInteger.sext_h(x[rs1]);
            }
            case RvOp.ZEXT_H -> {
              x[rd] = RvInteger.zext_h(x[rs1]);
            }
            case RvOp.ROL -> {
              x[rd] = RvInteger.rol(x[rs1], x[low >>> 22 & 63]);
            }
            case RvOp.ROR -> {
              x[rd] = RvInteger.ror(x[rs1], x[low >>> 22 & 63]);
            }
            case RvOp.RORI -> {
              x[rd] = RvInteger.ror(x[rs1], w >> 32);
            }
            case RvOp.ROLW -> {
              x[rd] = RvInteger.rolw(x[rs1], x[low >>> 22 & 63]);
            }
            case RvOp.RORW -> {
              x[rd] = RvInteger.rorw(x[rs1], x[low >>> 22 & 63]);
            }
            case RvOp.RORIW -> {
              x[rd] = RvInteger.rorw(x[rs1], w >> 32);
            }
            case RvOp.ORC_B -> {
              x[rd] = RvInteger.orc_b(x[rs1]);
            }
            case RvOp.REV8 -> {
              x[rd] = RvInteger.rev8(x[rs1]);
            }
            case RvOp.CLMUL -> {
              x[rd] = RvInteger.clmul(x[rs1], x[low >>> 22 & 63]);
            }
            case RvOp.CLMULR -> {
              x[rd] = RvInteger.clmulr(x[rs1], x[low >>> 22 & 63]);
            }
            case RvOp.CLMULH -> {
              x[rd] = RvInteger.clmulh(x[rs1], x[low >>> 22 & 63]);
            }
            case RvOp.BCLR -> {
              x[rd] = RvInteger.bclr(x[rs1], x[low >>> 22 & 63]);
            }
            case RvOp.BEXT -> {
              x[rd] = RvInteger.bext(x[rs1], x[low >>> 22 & 63]);
            }
            case RvOp.BINV -> {
              x[rd] = RvInteger.binv(x[rs1], x[low >>> 22 & 63]);
            }
            case RvOp.BSET -> {
              x[rd] = RvInteger.bset(x[rs1], x[low >>> 22 & 63]);
            }
            case RvOp.BCLRI -> {
              x[rd] = RvInteger.bclr(x[rs1], w >> 32);
            }
            case RvOp.BEXTI -> {
              x[rd] = RvInteger.bext(x[rs1], w >> 32);
            }
            case RvOp.BINVI -> {
              x[rd] = RvInteger.binv(x[rs1], w >> 32);
            }
            case RvOp.BSETI -> {
              x[rd] = RvInteger.bset(x[rs1], w >> 32);
            }
            case RvOp.CZERO_EQZ -> {
              x[rd] = RvInteger.czero_eqz(x[rs1], x[low >>> 22 & 63]);
            }
            case RvOp.CZERO_NEZ -> {
              x[rd] = RvInteger.czero_nez(x[rs1], x[low >>> 22 & 63]);
            }
            case RvOp.FLW -> {
              if (!s.fpReady() && rare.fpOff(block, i, pc)) {
                return false;
              }
              long va = x[rs1] + (w >> 32);
              int t = SoftTlb.index(va);
              if (tlb[t] == (va & (SoftTlb.PAGE_MASK | 3) | s.context)) {
                x[rd] = HostMemory.getInt(va + tlb[t + SoftTlb.ADDEND]) & 0xffffffffL | 0xffffffff00000000L;
              } else if (loadSlow(block, i, pc, rd, va, 2, true, 0xffffffff00000000L)) {
                return false;
              }
            }
            case RvOp.FSW -> {
              if (!s.fpReady() && rare.fpOff(block, i, pc)) {
                return false;
              }
              long va = x[rs1] + (w >> 32);
              int t = SoftTlb.index(va);
              if (tlb[t + SoftTlb.WRITE_TAG] == (va & (SoftTlb.PAGE_MASK | 3) | s.context)) {
                HostMemory.putInt(va + tlb[t + SoftTlb.ADDEND], (int) x[low >>> 22 & 63]);
              } else if (storeSlow(block, i, pc, va, 2, x[low >>> 22 & 63])) {
                return false;
              }
            }
            case RvOp.FLD -> {
              if (!s.fpReady() && rare.fpOff(block, i, pc)) {
                return false;
              }
              long va = x[rs1] + (w >> 32);
              int t = SoftTlb.index(va);
              if (tlb[t] == (va & (SoftTlb.PAGE_MASK | 7) | s.context)) {
                x[rd] = HostMemory.getLong(va + tlb[t + SoftTlb.ADDEND]);
              } else if (loadSlow(block, i, pc, rd, va, 3, true, 0L)) {
                return false;
              }
            }
            case RvOp.FSD -> {
              if (!s.fpReady() && rare.fpOff(block, i, pc)) {
                return false;
              }
              long va = x[rs1] + (w >> 32);
              int t = SoftTlb.index(va);
              if (tlb[t + SoftTlb.WRITE_TAG] == (va & (SoftTlb.PAGE_MASK | 7) | s.context)) {
                HostMemory.putLong(va + tlb[t + SoftTlb.ADDEND], x[low >>> 22 & 63]);
              } else if (storeSlow(block, i, pc, va, 3, x[low >>> 22 & 63])) {
                return false;
              }
            }
            default -> {
              s.executed = i;
              s.pc = pc + block.offsets[i + 1];
              rare.execute(w, pc + block.offsets[i]);
              s.executed = 0;
              x[0] = 0;
              if (s.event != VCpu.NONE) {
                s.pc = s.event == VCpu.TRAP ? pc + block.offsets[i] : s.pc;
                s.budget -= i + 1;
                return false;
              }
              if (s.pc != pc + block.offsets[i + 1]) {
                s.budget -= i + 1;
                return true;
              }
            }
          }
        }
      }
      next = pc + block.offsets[count];
      break leave;
    }
    s.budget -= count;
    s.pc = next;
    return true;
  }

  /** A load that missed the TLB; true if the block must be left, with pc and budget exact. */
  private boolean loadSlow(Block block, int i, long pc, int rd, long va, int widthLog2, boolean signed, long or) {
    RiscvHart s = hart;
    s.executed = i;
    long value = s.loadSlow(va, widthLog2);
    s.executed = 0;
    if (s.event != VCpu.TRAP && rd != 0) {
      int unused = 64 - (8 << widthLog2);
      s.regs[rd] = (signed ? value << unused >> unused : value << unused >>> unused) | or;
    }
    return left(block, i, pc);
  }

  private boolean storeSlow(Block block, int i, long pc, long va, int widthLog2, long value) {
    RiscvHart s = hart;
    s.executed = i;
    s.storeSlow(va, widthLog2, value);
    s.executed = 0;
    return left(block, i, pc);
  }

  private boolean left(Block block, int i, long pc) {
    RiscvHart s = hart;
    if (s.event == VCpu.NONE) {
      return false;
    }
    s.pc = pc + block.offsets[s.event == VCpu.TRAP ? i : i + 1];
    s.budget -= i + 1;
    return true;
  }
}
