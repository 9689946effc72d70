package org.ascus.isa.riscv;

import java.util.Locale;
import org.ascus.isa.table.Flags;
import org.ascus.isa.table.Instruction;
import org.ascus.isa.table.Shape;

/** The text of {@code RiscvInterpreter.java}, made from the instruction table; {@link RiscvSources} puts it in its place. */
final class InterpreterSource {
  private InterpreterSource() {}

  static String text() {
    StringBuilder out = new StringBuilder();
    out.append(
        """
        // Generated from riscv.isa by RiscvSources (test sources); do not edit.
        package org.ascus.isa.riscv;

        import org.ascus.isa.cpu.Block;
        import org.ascus.isa.cpu.VCpu;
        import org.ascus.isa.mmu.SoftTlb;
        import org.ascus.isa.riscv.semantics.RvInteger;
        import org.ascus.machine.bus.host.HostMemory;

        /**
         * Tier 0: interprets decoded blocks. The common integer instructions are cases of one switch that C2 compiles well;
         * the rest is in {@link RiscvRare}. A register number of a packed instruction here is a slot of the register file.
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
          void run(Block first, int count) {
            Block block = first;
            int length = count;
            while (block != null) {
              if (!runBlock(block, length)) {
                return;
              }
              block = hart.nextToInterpret();
              length = block == null ? 0 : block.code.length;
            }
          }

          /** False if control left the block before its end, so that the hart must be looked at. */
          private boolean runBlock(Block block, int count) {
            RiscvHart s = hart;
            long[] x = s.regs;
            long[] tlb = s.tlb;
            long[] code = block.code;
            long pc = s.pc;
            int i = 0;
            long next;
            leave:
            {
              for (; i < count; i++) {
                long w = code[i];
                int low = (int) w;
                int rd = low >>> 10 & 63;
                int rs1 = low >>> 16 & 63;
                switch (low & 0x3ff) {
        """);
    for (Instruction in : RiscvTable.get().instructions()) {
      if (!in.isCompressed()) {
        emit(out, in);
      }
    }
    out.append(
        """
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
        """);
    return out.toString();
  }

  private static String constant(Instruction in) {
    return "RvOp." + in.name().toUpperCase(Locale.ROOT).replace('.', '_');
  }

  private static void emit(StringBuilder out, Instruction in) {
    String label = "          case " + constant(in) + " -> ";
    String call = "RvInteger." + in.semantics() + "(";
    switch (in.shape()) {
      case R -> out.append(label).append("x[rd] = ").append(call).append("x[rs1], x[low >>> 22 & 63]);\n");
      case I -> out.append(label).append("x[rd] = ").append(call).append("x[rs1], w >> 32);\n");
      case UNARY -> out.append(label).append("x[rd] = ").append(call).append("x[rs1]);\n");
      case U_LUI -> out.append(label).append("x[rd] = w >> 32;\n");
      case U_AUIPC -> out.append(label).append("x[rd] = pc + block.offsets[i] + (w >> 32);\n");
      case LOAD, FLOAD -> load(out, label, in);
      case STORE, FSTORE -> store(out, label, in);
      case BRANCH ->
          out.append(label)
              .append("{\n            if (").append(call).append("x[rs1], x[low >>> 22 & 63])) {\n")
              .append("              s.hotEdge = w < 0;\n")
              .append("              next = pc + block.offsets[i] + (w >> 32);\n")
              .append("              i++;\n              break leave;\n            }\n          }\n");
      case JAL ->
          out.append(label)
              .append("{\n            if (rd != 0) {\n              x[rd] = pc + block.offsets[i + 1];\n            }\n")
              .append("            s.hotEdge = rd != 0 || w < 0;\n")
              .append("            next = pc + block.offsets[i] + (w >> 32);\n")
              .append("            i++;\n            break leave;\n          }\n");
      case JALR ->
          out.append(label)
              .append("{\n            next = x[rs1] + (w >> 32) & -2L;\n")
              .append("            if (rd != 0) {\n              x[rd] = pc + block.offsets[i + 1];\n            }\n")
              .append("            if (rd == 0 && rs1 != 1 && rs1 != 5) {\n              block.noteJump(next - pc);\n")
              .append("              s.hotEdge = true;\n            } else {\n              s.hotEdge = rd != 0;\n")
              .append("            }\n")
              .append("            i++;\n            break leave;\n          }\n");
      default -> {}
    }
  }

  private static int widthLog2(Instruction in) {
    return Integer.numberOfTrailingZeros(in.accessBytes());
  }

  private static void load(StringBuilder out, String label, Instruction in) {
    boolean fp = in.shape() == Shape.FLOAD;
    boolean signed = !in.is(Flags.UNSIGNED);
    int log2 = widthLog2(in);
    String get =
        "HostMemory.get" + new String[] {"Byte", "Short", "Int", "Long"}[log2] + "(va + tlb[t + SoftTlb.ADDEND])";
    String mask = new String[] {"0xff", "0xffff", "0xffffffffL", ""}[log2];
    String or = fp && log2 == 2 ? "0xffffffff00000000L" : "0L";
    if (!signed) {
      get = get + " & " + mask;
    }
    if (!or.equals("0L")) {
      get = get + " & 0xffffffffL | " + or;
    }
    out.append(label).append("{\n");
    fpGuard(out, fp);
    out.append("            long va = x[rs1] + (w >> 32);\n            int t = SoftTlb.index(va);\n")
        .append("            if (tlb[t] == (va & ").append(tagMask(log2)).append(" | s.context)) {\n")
        .append("              x[rd] = ").append(get).append(";\n");
    if (!fp) {
      out.append("              x[0] = 0;\n");
    }
    out.append("            } else if (loadSlow(block, i, pc, rd, va, ").append(log2).append(", ").append(signed)
        .append(", ").append(or).append(")) {\n              return false;\n            }\n          }\n");
  }

  private static void store(StringBuilder out, String label, Instruction in) {
    int log2 = widthLog2(in);
    String put = "HostMemory.put" + new String[] {"Byte", "Short", "Int", "Long"}[log2];
    String cast = new String[] {"(byte) ", "(short) ", "(int) ", ""}[log2];
    out.append(label).append("{\n");
    fpGuard(out, in.shape() == Shape.FSTORE);
    out.append("            long va = x[rs1] + (w >> 32);\n            int t = SoftTlb.index(va);\n")
        .append("            if (tlb[t + SoftTlb.WRITE_TAG] == (va & ").append(tagMask(log2)).append(" | s.context)) {\n")
        .append("              ").append(put).append("(va + tlb[t + SoftTlb.ADDEND], ").append(cast)
        .append("x[low >>> 22 & 63]);\n")
        .append("            } else if (storeSlow(block, i, pc, va, ").append(log2)
        .append(", x[low >>> 22 & 63])) {\n              return false;\n            }\n          }\n");
  }

  private static void fpGuard(StringBuilder out, boolean fp) {
    if (fp) {
      out.append("            if (!s.fpReady() && rare.fpOff(block, i, pc)) {\n              return false;\n            }\n");
    }
  }

  private static String tagMask(int log2) {
    return log2 == 0 ? "SoftTlb.PAGE_MASK" : "(SoftTlb.PAGE_MASK | " + ((1 << log2) - 1) + ")";
  }
}
