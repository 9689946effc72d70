package org.ascus.isa.riscv;

import com.oracle.truffle.api.CompilerDirectives.TruffleBoundary;
import com.oracle.truffle.api.frame.VirtualFrame;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.ascus.isa.cpu.Block;
import org.ascus.isa.cpu.VCpu;
import org.ascus.isa.decode.Packed;
import org.ascus.isa.node.BlockNode;
import org.ascus.isa.node.InstructionNode;
import org.ascus.isa.node.LoadNode;
import org.ascus.isa.node.RegionFrame;
import org.ascus.isa.node.StoreNode;
import org.ascus.isa.node.TerminatorNode;
import org.ascus.isa.region.Flow;
import org.ascus.isa.region.RegionIsa;
import org.ascus.isa.region.TruffleRegion;
import org.ascus.isa.table.Flags;
import org.ascus.isa.table.Instruction;
import org.ascus.isa.table.Shape;

/** Turns decoded RISC-V blocks into nodes; the table says which node an instruction is. */
final class RiscvRegions implements RegionIsa {
  static final int RA = 1;
  static final int T0 = 5;

  @Override
  public Flow flow(Block block) {
    int last = block.code.length - 1;
    long w = block.code[last];
    int at = block.offsets[last];
    int next = block.bytes();
    Instruction in = RiscvBlockDecoder.instruction(Packed.op(w));
    if (in == null) {
      return new Flow(Flow.Kind.STOP, at, next);
    }
    return switch (in.shape()) {
      case BRANCH -> new Flow(Flow.Kind.BRANCH, at + Packed.imm(w), next);
      case JAL -> new Flow(Packed.rd(w) == 0 ? Flow.Kind.JUMP : Flow.Kind.CALL, at + Packed.imm(w), next);
      case JALR -> {
        boolean isReturn = Packed.rs1(w) == RA || Packed.rs1(w) == T0;
        Flow.Kind jump = isReturn || block.jumpTargets == null ? Flow.Kind.LEAVE : Flow.Kind.SWITCH;
        yield new Flow(Packed.rd(w) == 0 ? jump : Flow.Kind.CALL_INDIRECT, 0, next);
      }
      default ->
          endsForInterpreter(in, w)
              ? new Flow(Flow.Kind.STOP, at, next)
              : new Flow(Flow.Kind.FALL, next, next);
    };
  }

  private static boolean endsForInterpreter(Instruction in, long w) {
    return in.shape() == Shape.SYSTEM || RiscvBlockDecoder.endsBlock(w);
  }

  @Override
  public BlockNode nodes(
      Block block, int offset, Edge taken, Edge next, Optional<TruffleRegion> callee, Map<Integer, Integer> blocks,
      RegisterUse use) {
    int count = block.code.length;
    Flow flow = flow(block);
    List<InstructionNode> body = new ArrayList<>();
    int straight = flow.kind() == Flow.Kind.FALL ? count : count - 1;
    // An instruction left to the interpreter is not counted here: the interpreter will.
    int counted = flow.kind() == Flow.Kind.STOP ? straight : count;
    for (int i = 0; i < straight; i++) {
      node(body, block.code[i], offset + block.offsets[i], counted - i, use);
    }
    long w = block.code[count - 1];
    int at = offset + block.offsets[count - 1];
    int behind = offset + block.bytes();
    TerminatorNode end =
        switch (flow.kind()) {
          case BRANCH -> {
            use.read(Packed.rs1(w));
            use.read(Packed.rs2(w));
            yield new Branch(w, taken, offset + flow.taken(), next, offset + flow.next());
          }
          case JUMP, FALL -> new TerminatorNode.Jump(taken.index(), offset + flow.taken(), taken.back());
          case CALL -> {
            use.written(Packed.rd(w));
            yield new Call(next, behind, Packed.rd(w), offset + flow.taken(), callee.orElse(null));
          }
          case CALL_INDIRECT, LEAVE -> {
            use.read(Packed.rs1(w));
            use.written(Packed.rd(w));
            yield new Computed(w, next, behind, new int[0], new int[0]);
          }
          case SWITCH -> {
            use.read(Packed.rs1(w));
            int[] targets =
                Arrays.stream(block.jumpTargets)
                    .map(t -> t == 0 ? Integer.MIN_VALUE : offset + t)
                    .filter(blocks::containsKey)
                    .toArray();
            yield new Computed(w, next, behind, targets, Arrays.stream(targets).map(blocks::get).toArray());
          }
          case STOP -> new TerminatorNode.Stop(at);
        };
    return new BlockNode(body.toArray(InstructionNode[]::new), end, counted);
  }

  private static void node(List<InstructionNode> body, long w, int offset, int remaining, RegisterUse use) {
    Instruction in = RiscvBlockDecoder.instruction(Packed.op(w));
    int length = Packed.length(w);
    int rd = Packed.rd(w);
    int rs1 = Packed.rs1(w);
    int rs2 = Packed.rs2(w);
    if (in.rdIsFp() || in.shape().rd() == Shape.Operand.INT) {
      use.written(rd);
    }
    if (in.shape().rs1() != Shape.Operand.NONE) {
      use.read(rs1);
    }
    if (in.shape().rs2() != Shape.Operand.NONE) {
      use.read(rs2);
    }
    int log2 = Integer.numberOfTrailingZeros(Math.max(1, in.accessBytes()));
    switch (in.shape()) {
      case R -> body.add(new Alu(offset, length, remaining, in.index(), rd, rs1, rs2));
      case I, UNARY -> {
        if (rd != 0) {
          body.add(new AluImmediate(offset, length, remaining, in.index(), rd, rs1, Packed.imm(w)));
        }
      }
      case U_LUI -> body.add(new Constant(offset, length, remaining, rd, Packed.imm(w)));
      case U_AUIPC -> body.add(new PcRelative(offset, length, remaining, rd, Packed.imm(w)));
      case LOAD ->
          body.add(
              new LoadNode(offset, length, remaining, rd, rs1, Packed.imm(w), log2, !in.is(Flags.UNSIGNED), 0));
      case STORE -> body.add(new StoreNode(offset, length, remaining, rs1, rs2, Packed.imm(w), log2));
      case FLOAD -> {
        body.add(new FpGuard(offset, length, remaining));
        long box = log2 == 2 ? 0xffffffff00000000L : 0;
        body.add(new LoadNode(offset, length, remaining, rd, rs1, Packed.imm(w), log2, false, box));
      }
      case FSTORE -> {
        body.add(new FpGuard(offset, length, remaining));
        body.add(new StoreNode(offset, length, remaining, rs1, rs2, Packed.imm(w), log2));
      }
      case FP_R4 -> {
        use.read(RiscvHart.F0 + Packed.rs3(w));
        body.add(new Fp(offset, length, remaining, w, in));
      }
      case FP_R, FP_R_EXACT, FP_UNARY, FP_CMP, FP_TO_INT, FP_TO_BITS, INT_TO_FP, FP_FROM_BITS ->
          body.add(new Fp(offset, length, remaining, w, in));
      case AMO, CSR_R, CSR_I, CBO, FENCE -> body.add(new Rare(offset, length, remaining, w, in));
      case BRANCH, JAL, JALR, SYSTEM -> throw new IllegalStateException(in.name() + " inside a block");
    }
  }

  /** rd = f(rs1, rs2). */
  private static final class Alu extends InstructionNode {
    private final int op;
    private final int rd;
    private final int rs1;
    private final int rs2;

    Alu(int offset, int length, int remaining, int op, int rd, int rs1, int rs2) {
      super(offset, length, remaining);
      this.op = op;
      this.rd = rd;
      this.rs1 = rs1;
      this.rs2 = rs2;
    }

    @Override
    public boolean execute(VirtualFrame frame, VCpu cpu) {
      set(frame, rd, RvAlu.alu(op, get(frame, rs1), get(frame, rs2)));
      return true;
    }
  }

  /** rd = f(rs1, constant). */
  private static final class AluImmediate extends InstructionNode {
    private final int op;
    private final int rd;
    private final int rs1;
    private final long immediate;

    AluImmediate(int offset, int length, int remaining, int op, int rd, int rs1, long immediate) {
      super(offset, length, remaining);
      this.op = op;
      this.rd = rd;
      this.rs1 = rs1;
      this.immediate = immediate;
    }

    @Override
    public boolean execute(VirtualFrame frame, VCpu cpu) {
      set(frame, rd, RvAlu.alu(op, get(frame, rs1), immediate));
      return true;
    }
  }

  private static final class Constant extends InstructionNode {
    private final int rd;
    private final long value;

    Constant(int offset, int length, int remaining, int rd, long value) {
      super(offset, length, remaining);
      this.rd = rd;
      this.value = value;
    }

    @Override
    public boolean execute(VirtualFrame frame, VCpu cpu) {
      set(frame, rd, value);
      return true;
    }
  }

  private static final class PcRelative extends InstructionNode {
    private final int rd;
    private final long displacement;

    PcRelative(int offset, int length, int remaining, int rd, long displacement) {
      super(offset, length, remaining);
      this.rd = rd;
      this.displacement = displacement;
    }

    @Override
    public boolean execute(VirtualFrame frame, VCpu cpu) {
      set(frame, rd, pc(frame) + displacement);
      return true;
    }
  }

  /** In front of floating-point loads and stores: traps when the unit is off, else marks its state dirty. */
  private static final class FpGuard extends InstructionNode {
    FpGuard(int offset, int length, int remaining) {
      super(offset, length, remaining);
    }

    @Override
    public boolean execute(VirtualFrame frame, VCpu cpu) {
      RiscvHart hart = (RiscvHart) cpu;
      if (!hart.fpReady()) {
        enable(hart);
        return goesOn(frame, cpu);
      }
      return true;
    }

    @TruffleBoundary
    private static void enable(RiscvHart hart) {
      if (hart.csrs.fpOff()) {
        hart.illegal(RiscvInterpreter.UNKNOWN_BITS);
      } else {
        hart.csrs.fpDirty();
      }
    }
  }

  /** A floating-point computation. */
  private static final class Fp extends InstructionNode {
    private final int op;
    private final int rd;
    private final int rs1;
    private final int rs2;
    private final int rs3;
    private final int roundingMode;

    Fp(int offset, int length, int remaining, long w, Instruction in) {
      super(offset, length, remaining);
      op = in.index();
      rd = Packed.rd(w);
      rs1 = Packed.rs1(w);
      rs2 = in.shape().rs2() == Shape.Operand.NONE ? rs1 : Packed.rs2(w);
      rs3 = in.shape() == Shape.FP_R4 ? RiscvHart.F0 + Packed.rs3(w) : rs1;
      roundingMode = in.shape().hasRoundingMode() ? Packed.roundingMode(w) : 0;
    }

    @Override
    public boolean execute(VirtualFrame frame, VCpu cpu) {
      RiscvHart hart = (RiscvHart) cpu;
      int rm = roundingMode == 7 ? hart.csrs.frm : roundingMode;
      if (!hart.fpReady() || rm > 4) {
        check(hart, rm);
        if (!goesOn(frame, cpu)) {
          return false;
        }
      }
      set(frame, rd, RvFpu.apply(op, hart.fp, get(frame, rs1), get(frame, rs2), get(frame, rs3), rm));
      return true;
    }

    @TruffleBoundary
    private static void check(RiscvHart hart, int rm) {
      if (hart.csrs.fpOff() || rm > 4) {
        hart.illegal(RiscvInterpreter.UNKNOWN_BITS);
      } else {
        hart.csrs.fpDirty();
      }
    }
  }

  /** What the tiers share in {@link RiscvRare}: operands go to the register file and the result comes back from it. */
  private static final class Rare extends InstructionNode {
    private final long w;
    private final int rd;
    private final int rs1;
    private final int rs2;
    private final boolean system;

    Rare(int offset, int length, int remaining, long w, Instruction in) {
      super(offset, length, remaining);
      this.w = w;
      rd = in.shape().rd() == Shape.Operand.NONE ? 0 : Packed.rd(w);
      rs1 = in.shape().rs1() == Shape.Operand.NONE ? 0 : Packed.rs1(w);
      rs2 = in.shape().rs2() == Shape.Operand.NONE ? 0 : Packed.rs2(w);
      system = in.is(Flags.SYSTEM);
    }

    @Override
    public boolean execute(VirtualFrame frame, VCpu cpu) {
      syncBudget(frame, cpu);
      long[] regs = cpu.regs;
      if (rs1 != 0) {
        regs[rs1] = frame.getLongStatic(rs1);
      }
      if (rs2 != 0) {
        regs[rs2] = frame.getLongStatic(rs2);
      }
      if (rd != 0) {
        regs[rd] = frame.getLongStatic(rd);
      }
      run((RiscvHart) cpu, w, pc(frame), length);
      if (rd != 0) {
        frame.setLongStatic(rd, regs[rd]);
      }
      if (system) {
        frame.setLongStatic(RegionFrame.CONTEXT, cpu.context);
      }
      return goesOn(frame, cpu);
    }

    @TruffleBoundary
    private static void run(RiscvHart hart, long w, long pc, int length) {
      hart.pc = pc + length;
      hart.rare.execute(w, pc);
    }
  }

  private static final class Branch extends TerminatorNode {
    private final int op;
    private final int rs1;
    private final int rs2;

    Branch(long w, Edge taken, int takenOffset, Edge next, int nextOffset) {
      super(Kind.BRANCH, taken.index(), takenOffset, taken.back(), next.index(), nextOffset, next.back());
      op = Packed.op(w);
      rs1 = Packed.rs1(w);
      rs2 = Packed.rs2(w);
    }

    @Override
    public boolean condition(VirtualFrame frame) {
      long a = rs1 == 0 ? 0 : frame.getLongStatic(rs1);
      long b = rs2 == 0 ? 0 : frame.getLongStatic(rs2);
      return RvAlu.branch(op, a, b);
    }
  }

  /** jal with a link. */
  private static final class Call extends TerminatorNode {
    private final int rd;
    private final int target;

    Call(Edge next, int behind, int rd, int target, TruffleRegion callee) {
      super(Kind.CALL, next.index(), behind, false, EXIT, 0, false, callee, new int[0], new int[0]);
      this.rd = rd;
      this.target = target;
    }

    @Override
    public long target(VirtualFrame frame, VCpu cpu) {
      long entry = frame.getLongStatic(RegionFrame.ENTRY_PC);
      frame.setLongStatic(rd, entry + takenOffset);
      return entry + target;
    }
  }

  /** jalr: an indirect call when it links, else a return or computed jump. */
  private static final class Computed extends TerminatorNode {
    private final int rd;
    private final int rs1;
    private final long displacement;
    private final boolean head;

    Computed(long w, Edge next, int behind, int[] switchOffsets, int[] switchBlocks) {
      super(
          switchBlocks.length > 0 ? Kind.SWITCH : Packed.rd(w) == 0 ? Kind.LEAVE : Kind.CALL,
          Packed.rd(w) == 0 ? EXIT : next.index(), behind, false, EXIT, 0, false, null, switchOffsets, switchBlocks);
      rd = Packed.rd(w);
      rs1 = Packed.rs1(w);
      displacement = Packed.imm(w);
      head = rd == 0 && rs1 != RA && rs1 != T0;
    }

    @Override
    public long target(VirtualFrame frame, VCpu cpu) {
      long target = (rs1 == 0 ? 0 : frame.getLongStatic(rs1)) + displacement & -2L;
      if (rd != 0) {
        frame.setLongStatic(rd, frame.getLongStatic(RegionFrame.ENTRY_PC) + takenOffset);
      }
      if (head) {
        cpu.hotEdge = true;
      }
      return target;
    }
  }
}
