package org.ascus.isa.riscv;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.ascus.isa.table.Flags;
import org.ascus.isa.table.Instruction;
import org.ascus.isa.table.Shape;

/** The text of {@code RiscvInterpreter.java}, made from the instruction table; {@link RiscvSources} puts it in its place. */
final class InterpreterSource {
  /** The instructions that a boot of Linux executes most, most frequent first. */
  private static final List<String> FREQUENT =
      List.of(
          "addi", "ld", "add", "sd", "slli", "beq", "or", "bne", "jalr", "xor", "auipc", "srli", "lw", "lbu", "srliw",
          "addiw", "slliw", "addw", "andi", "sub", "and", "bltu", "jal", "bgeu", "sw", "sltu", "lui");

  private static final String[] NAMES = {"Byte", "Short", "Int", "Long"};

  private InterpreterSource() {}

  static String text() {
    StringBuilder out = new StringBuilder();
    out.append(
        """
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
        """);
    // HotSpot's first compiler turns a switch into a chain of comparisons in the order of its cases; what programs
    // execute most comes first, and the second compiler's jump table would be mispredicted for those anyway.
    Map<String, Instruction> names = new LinkedHashMap<>();
    RiscvTable.get().instructions().stream().filter(i -> !i.isCompressed()).forEach(i -> names.put(i.name(), i));
    out.append("        ");
    for (String name : FREQUENT) {
      Instruction in = names.remove(name);
      out.append("if (op == ").append(constant(in)).append(") {\n").append(body(in).indent(10)).append("        } else ");
    }
    out.append("{\n          switch (op) {\n");
    for (Instruction in : names.values()) {
      String body = body(in);
      if (!body.isEmpty()) {
        out.append("            case ").append(constant(in)).append(" -> {\n").append(body.indent(14))
            .append("            }\n");
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

  /** Statements that execute {@code in}; none if it is one of the rare ones. */
  private static String body(Instruction in) {
    String call = "RvInteger." + in.semantics() + "(";
    return switch (in.shape()) {
      case R -> "x[rd] = " + call + "x[rs1], x[low >>> 22 & 63]);";
      case I -> "x[rd] = " + call + "x[rs1], w >> 32);";
      case UNARY -> "x[rd] = " + call + "x[rs1]);";
      case U_LUI -> "x[rd] = w >> 32;";
      case U_AUIPC -> "x[rd] = pc + block.offsets[i] + (w >> 32);";
      case LOAD, FLOAD -> load(in);
      case STORE, FSTORE -> store(in);
      case BRANCH -> """
          if (%sx[rs1], x[low >>> 22 & 63])) {
            s.hotEdge = w < 0;
            next = pc + block.offsets[i] + (w >> 32);
            i++;
            break leave;
          }
          """.formatted(call);
      case JAL -> """
          if (rd != 0) {
            x[rd] = pc + block.offsets[i + 1];
          }
          s.hotEdge = rd != 0 || w < 0;
          next = pc + block.offsets[i] + (w >> 32);
          i++;
          break leave;
          """;
      case JALR -> """
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
          """;
      default -> "";
    };
  }

  private static int widthLog2(Instruction in) {
    return Integer.numberOfTrailingZeros(in.accessBytes());
  }

  private static String load(Instruction in) {
    boolean fp = in.shape() == Shape.FLOAD;
    boolean signed = !in.is(Flags.UNSIGNED);
    int log2 = widthLog2(in);
    String mask = new String[] {" & 0xff", " & 0xffff", " & 0xffffffffL", ""}[log2];
    String or = fp && log2 == 2 ? "0xffffffff00000000L" : "0L";
    String value =
        "HostMemory.get" + NAMES[log2] + "(va + tlb[t + SoftTlb.ADDEND])"
            + (or.equals("0L") ? signed ? "" : mask : mask + " | " + or);
    return fpGuard(fp) + """
        long va = x[rs1] + (w >> 32);
        int t = SoftTlb.index(va);
        if (tlb[t] == (va & %s | s.context)) {
          x[rd] = %s;%s
        } else if (loadSlow(block, i, pc, rd, va, %d, %b, %s)) {
          return false;
        }
        """.formatted(tagMask(log2), value, fp ? "" : "\n  x[0] = 0;", log2, signed, or);
  }

  private static String store(Instruction in) {
    int log2 = widthLog2(in);
    String cast = new String[] {"(byte) ", "(short) ", "(int) ", ""}[log2];
    return fpGuard(in.shape() == Shape.FSTORE) + """
        long va = x[rs1] + (w >> 32);
        int t = SoftTlb.index(va);
        if (tlb[t + SoftTlb.WRITE_TAG] == (va & %s | s.context)) {
          HostMemory.put%s(va + tlb[t + SoftTlb.ADDEND], %sx[low >>> 22 & 63]);
        } else if (storeSlow(block, i, pc, va, %d, x[low >>> 22 & 63])) {
          return false;
        }
        """.formatted(tagMask(log2), NAMES[log2], cast, log2);
  }

  private static String fpGuard(boolean fp) {
    return fp ? "if (!s.fpReady() && rare.fpOff(block, i, pc)) {\n  return false;\n}\n" : "";
  }

  private static String tagMask(int log2) {
    return log2 == 0 ? "SoftTlb.PAGE_MASK" : "(SoftTlb.PAGE_MASK | " + ((1 << log2) - 1) + ")";
  }
}
