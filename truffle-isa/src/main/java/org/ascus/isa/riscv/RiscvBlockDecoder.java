package org.ascus.isa.riscv;

import java.util.Arrays;
import org.ascus.isa.cpu.Block;
import org.ascus.isa.decode.Decoder;
import org.ascus.isa.decode.Packed;
import org.ascus.isa.table.Flags;
import org.ascus.isa.table.Instruction;
import org.ascus.isa.table.Shape;
import org.ascus.machine.bus.BusFault;
import org.ascus.machine.bus.FlatView;
import org.ascus.machine.bus.RamRegion;

/** Decodes basic blocks: up to the next jump, the end of the page, or {@value Block#MAX_INSTRUCTIONS} instructions. */
final class RiscvBlockDecoder {
  private static final int SATP = 0x180;
  private static final Instruction[] BY_OP = byOp();
  private static final boolean[] ROUNDS = rounds();

  private RiscvBlockDecoder() {}

  private static Instruction[] byOp() {
    Instruction[] all = new Instruction[RiscvTable.get().size() + 1];
    RiscvTable.get().instructions().forEach(in -> all[in.index()] = in);
    return all;
  }

  private static boolean[] rounds() {
    boolean[] result = new boolean[BY_OP.length];
    for (int i = 1; i < BY_OP.length; i++) {
      result[i] = BY_OP[i] != null && BY_OP[i].shape().hasRoundingMode();
    }
    return result;
  }

  static boolean hasRoundingMode(int op) {
    return ROUNDS[op];
  }

  static Instruction instruction(int op) {
    return BY_OP[op];
  }

  /** Decodes at {@code pc} = {@code physical}; null after a fetch trap of the first instruction. */
  static Block decode(RiscvHart hart, Decoder decoder, long pc, long physical) {
    synchronized (hart.codeSpace()) {
      return decodeLocked(hart, decoder, pc, physical);
    }
  }

  private static Block decodeLocked(RiscvHart hart, Decoder decoder, long pc, long physical) {
    FlatView.Range range;
    try {
      range = hart.memory.view().find(physical, 2);
    } catch (BusFault e) {
      hart.fetchAccessFault(pc);
      return null;
    }
    if (!(range.region() instanceof RamRegion ram)) {
      hart.fetchAccessFault(pc);
      return null;
    }
    long base = physical - (physical - range.start() + range.offset());
    long pageEnd = Math.min((physical | 4095) + 1, range.end());
    hart.codeSpace().protect(hart, ram.ram(), base, physical);
    boolean aligned = !hart.config.has("c");
    long[] code = new long[Block.MAX_INSTRUCTIONS];
    short[] offsets = new short[Block.MAX_INSTRUCTIONS + 1];
    int count = 0;
    int at = 0;
    long second = -1;
    while (count < Block.MAX_INSTRUCTIONS && physical + at < pageEnd) {
      int bits = ram.ram().getShort(physical + at - base) & 0xffff;
      int length = (bits & 3) == 3 ? 4 : 2;
      if (length == 4 && physical + at + 2 >= pageEnd) {
        if (count > 0) {
          break;
        }
        long next = hart.fetchSecondPage((pc | 4095) + 1);
        if (next < 0) {
          return null;
        }
        int high;
        try {
          FlatView.Range nextRange = hart.memory.view().find(next, 2);
          if (!(nextRange.region() instanceof RamRegion nextRam)) {
            throw BusFault.UNASSIGNED;
          }
          long nextBase = next - (next - nextRange.start() + nextRange.offset());
          hart.codeSpace().protect(hart, nextRam.ram(), nextBase, next);
          nextRam.ram().markCode(next - nextBase, 2);
          high = nextRam.ram().getShort(next - nextBase) & 0xffff;
        } catch (BusFault e) {
          hart.fetchAccessFault((pc | 4095) + 1);
          return null;
        }
        second = next & -4096L;
        bits |= high << 16;
      } else if (length == 4) {
        bits |= (ram.ram().getShort(physical + at + 2 - base) & 0xffff) << 16;
      }
      long w = decoder.decode(bits);
      code[count] = aligned ? AlignedJumps.checked(slots(w)) : slots(w);
      at += length;
      offsets[++count] = (short) at;
      if (second >= 0 || endsBlock(w)) {
        break;
      }
    }
    // Marked first and read again: a store in between would have gone unseen.
    int inPage = (int) Math.min(at, pageEnd - physical);
    ram.ram().markCode(physical - base, inPage);
    for (int i = 0, from = 0; i < count && second < 0; from = offsets[++i]) {
      int bits = ram.ram().getShort(physical + from - base) & 0xffff;
      bits |= offsets[i + 1] - from == 4 ? (ram.ram().getShort(physical + from + 2 - base) & 0xffff) << 16 : 0;
      long w = slots(decoder.decode(bits));
      if ((aligned ? AlignedJumps.checked(w) : w) != code[i]) {
        return decodeLocked(hart, decoder, pc, physical);
      }
    }
    long[] all = Arrays.copyOf(code, count);
    int threshold = hart.codeSpace().threshold(physical, all, hart.threshold);
    Block block = new Block(physical, all, Arrays.copyOf(offsets, count + 1), second, threshold);
    hart.codeSpace().add(block);
    return block;
  }

  static boolean endsBlock(long w) {
    int op = Packed.op(w);
    if (op == 0) {
      return true;
    }
    Instruction in = BY_OP[op];
    if (in.shape() == Shape.CSR_R || in.shape() == Shape.CSR_I) {
      return Packed.imm(w) == SATP;
    }
    return in.is(Flags.ENDS_BLOCK);
  }

  /** Register numbers become slots of the register file; computing into x0 becomes a no-op. */
  private static long slots(long w) {
    int op = Packed.op(w);
    if (op == 0) {
      return 0;
    }
    Instruction in = BY_OP[op];
    int rd = Packed.rd(w) + (in.rdIsFp() ? RiscvHart.F0 : 0);
    int rs1 = Packed.rs1(w) + (in.rs1IsFp() ? RiscvHart.F0 : 0);
    int rs2 = Packed.rs2(w) + (in.rs2IsFp() ? RiscvHart.F0 : 0);
    int imm = Packed.imm(w);
    if (rd == 0) {
      switch (in.shape()) {
        case R, I, UNARY, U_LUI, U_AUIPC -> {
          op = RvOp.ADDI;
          rs1 = 0;
          imm = 0;
        }
        default -> {}
      }
    }
    return Packed.of(op, rd, rs1, rs2, imm, Packed.length(w));
  }
}
