package org.ascus.isa.riscv;

import static java.lang.constant.ConstantDescs.CD_boolean;
import static java.lang.constant.ConstantDescs.CD_int;
import static java.lang.constant.ConstantDescs.CD_long;

import java.lang.classfile.CodeBuilder;
import java.lang.classfile.Label;
import java.lang.constant.ClassDesc;
import java.lang.constant.MethodTypeDesc;
import java.lang.invoke.MethodHandles;
import java.lang.reflect.Method;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.ascus.isa.bytecode.BytecodeIsa;
import org.ascus.isa.bytecode.Effect;
import org.ascus.isa.bytecode.RegionAssembler;
import org.ascus.isa.bytecode.StraightCode;
import org.ascus.isa.cpu.Block;
import org.ascus.isa.decode.Packed;
import org.ascus.isa.fp.FpStatus;
import org.ascus.isa.region.Flow;
import org.ascus.isa.region.RegionIsa;
import org.ascus.isa.riscv.semantics.RvFloat;
import org.ascus.isa.riscv.semantics.RvInteger;
import org.ascus.isa.table.Flags;
import org.ascus.isa.table.Instruction;
import org.ascus.isa.table.Shape;

/** Emits decoded RISC-V blocks as bytecode that calls the semantic methods the table names. */
final class RiscvBytecode implements BytecodeIsa {
  private static final ClassDesc HART = RegionAssembler.desc(RiscvHart.class);
  private static final ClassDesc HELP = RegionAssembler.desc(RiscvBytecodeHelp.class);
  private static final ClassDesc INTEGER = RegionAssembler.desc(RvInteger.class);
  private static final ClassDesc FLOAT = RegionAssembler.desc(RvFloat.class);
  private static final ClassDesc STATUS = RegionAssembler.desc(FpStatus.class);
  private static final MethodTypeDesc BINARY = MethodTypeDesc.of(CD_long, CD_long, CD_long);
  private static final MethodTypeDesc UNARY = MethodTypeDesc.of(CD_long, CD_long);
  private static final MethodTypeDesc CONDITION = MethodTypeDesc.of(CD_boolean, CD_long, CD_long);
  private static final int DYNAMIC = 7;

  /** What RvFloat's methods take; their parameters tell how they are called. */
  private static final Map<String, Method> FLOAT_METHODS =
      Arrays.stream(RvFloat.class.getDeclaredMethods()).collect(Collectors.toMap(Method::getName, Function.identity()));

  private final RegionIsa regions;

  RiscvBytecode(RegionIsa regions) {
    this.regions = regions;
  }

  @Override
  public MethodHandles.Lookup lookup() {
    return MethodHandles.lookup();
  }

  @Override
  public ClassDesc cpu() {
    return HART;
  }

  @Override
  public int count(Block block) {
    return regions.flow(block).kind() == Flow.Kind.STOP ? block.code.length - 1 : block.code.length;
  }

  @Override
  public void registers(Block block, RegionIsa.RegisterUse use) {
    int count = count(block);
    for (int i = 0; i < count; i++) {
      long w = block.code[i];
      Instruction in = RiscvBlockDecoder.instruction(Packed.op(w));
      if (in.shape().rd() != Shape.Operand.NONE) {
        use.written(Packed.rd(w));
      }
      if (in.shape().rs1() != Shape.Operand.NONE) {
        use.read(Packed.rs1(w));
      }
      if (in.shape().rs2() != Shape.Operand.NONE) {
        use.read(Packed.rs2(w));
      }
      if (in.readsRs3()) {
        use.read(RiscvHart.F0 + Packed.rs3(w));
      }
    }
  }

  @Override
  public void body(RegionAssembler to, Block block) {
    int count = count(block);
    Flow.Kind end = regions.flow(block).kind();
    int straight = end == Flow.Kind.FALL || end == Flow.Kind.STOP ? count : count - 1;
    new Body(to, block, straight).emit();
  }

  @Override
  public void branch(RegionAssembler to, Block block, Label taken) {
    long w = block.code[block.code.length - 1];
    Instruction in = RiscvBlockDecoder.instruction(Packed.op(w));
    to.get(Packed.rs1(w));
    to.get(Packed.rs2(w));
    // C1 makes a value of a method's boolean first and branches on that then.
    switch (in.index()) {
      case RvOp.BEQ -> to.code().lcmp().ifeq(taken);
      case RvOp.BNE -> to.code().lcmp().ifne(taken);
      case RvOp.BLT -> to.code().lcmp().iflt(taken);
      case RvOp.BGE -> to.code().lcmp().ifge(taken);
      default -> to.code().invokestatic(INTEGER, in.semantics(), CONDITION).ifne(taken);
    }
  }

  @Override
  public void target(RegionAssembler to, Block block) {
    int last = block.code.length - 1;
    long w = block.code[last];
    Instruction in = RiscvBlockDecoder.instruction(Packed.op(w));
    int rd = Packed.rd(w);
    int rs1 = Packed.rs1(w);
    if (in.shape() == Shape.JAL) {
      to.address(to.offset(last) + Packed.imm(w));
    } else {
      to.get(rs1);
      to.constant(Packed.imm(w));
      to.code().ladd();
      to.constant(-2L);
      to.code().land();
      if (rd == 0 && rs1 != RiscvRegions.RA && rs1 != RiscvRegions.T0) {
        to.isaCpu();
        to.code().iconst_1().putfield(HART, "hotEdge", CD_boolean);
      }
    }
    if (rd != 0) {
      to.address(to.offset(last) + to.length(last));
      to.set(rd);
    }
  }

  /** The straight-line part of one block. */
  private static final class Body extends StraightCode {
    private final Block block;
    private boolean fpReady;
    private boolean frmLegal;

    Body(RegionAssembler to, Block block, int count) {
      super(to, count);
      this.block = block;
    }

    @Override
    protected Effect effect(int index) {
      long w = block.code[index];
      Instruction in = RiscvBlockDecoder.instruction(Packed.op(w));
      Shape shape = in.shape();
      long reads =
          (shape.rs1() == Shape.Operand.NONE ? 0 : 1L << Packed.rs1(w))
              | (shape.rs2() == Shape.Operand.NONE ? 0 : 1L << Packed.rs2(w))
              | (in.readsRs3() ? 1L << RiscvHart.F0 + Packed.rs3(w) : 0);
      long writes = shape.rd() == Shape.Operand.NONE ? 0 : 1L << Packed.rd(w);
      boolean inline =
          switch (shape) {
            case AMO, CSR_R, CSR_I, CBO, FENCE -> false;
            default -> roundingMode(in, w) <= 4 || roundingMode(in, w) == DYNAMIC;
          };
      boolean guarded = inline && in.is(Flags.FP) && !(fpReady && (roundingMode(in, w) != DYNAMIC || frmLegal));
      Optional<Effect.Access> access =
          switch (shape) {
            case LOAD, FLOAD, STORE, FSTORE ->
                Optional.of(
                    new Effect.Access(
                        Packed.rs1(w), Packed.imm(w), Integer.numberOfTrailingZeros(in.accessBytes()),
                        shape == Shape.STORE || shape == Shape.FSTORE));
            default -> Optional.empty();
          };
      return new Effect(inline, guarded, access, reads, writes);
    }

    private static int roundingMode(Instruction in, long w) {
      return in.shape().hasRoundingMode() ? Packed.roundingMode(w) : 0;
    }

    @Override
    protected Optional<Runnable> guard(int from, int until) {
      boolean dynamic = false;
      boolean fp = false;
      for (int i = from; i < until; i++) {
        Instruction in = RiscvBlockDecoder.instruction(Packed.op(block.code[i]));
        if (effect(i).guarded()) {
          fp = true;
          dynamic |= roundingMode(in, block.code[i]) == DYNAMIC;
        }
      }
      if (!fp) {
        return Optional.empty();
      }
      fpReady = true;
      frmLegal |= dynamic;
      int rm = dynamic ? DYNAMIC : 0;
      return Optional.of(
          () -> {
            to.isaCpu();
            code().loadConstant(rm);
            code().invokestatic(HELP, "fpReady", MethodTypeDesc.of(CD_boolean, HART, CD_int));
          });
    }

    @Override
    protected void left(int index) {
      if (RiscvBlockDecoder.instruction(Packed.op(block.code[index])).is(Flags.SYSTEM)) {
        fpReady = false;
        frmLegal = false;
      }
    }

    @Override
    protected void instruction(int index, Effect effect) {
      long w = block.code[index];
      Instruction in = RiscvBlockDecoder.instruction(Packed.op(w));
      int rd = Packed.rd(w);
      int rs1 = Packed.rs1(w);
      int rs2 = Packed.rs2(w);
      switch (in.shape()) {
        case R -> {
          to.get(rs1);
          to.get(rs2);
          code().invokestatic(INTEGER, in.semantics(), BINARY);
          to.set(rd);
        }
        case I -> {
          if (rd != 0) {
            to.get(rs1);
            to.constant(Packed.imm(w));
            code().invokestatic(INTEGER, in.semantics(), BINARY);
            to.set(rd);
          }
        }
        case UNARY -> {
          to.get(rs1);
          code().invokestatic(INTEGER, in.semantics(), UNARY);
          to.set(rd);
        }
        case U_LUI -> {
          to.constant(Packed.imm(w));
          to.set(rd);
        }
        case U_AUIPC -> {
          to.address(to.offset(index) + Packed.imm(w));
          to.set(rd);
        }
        case LOAD -> {
          to.load(index, effect.access().orElseThrow(), !in.is(Flags.UNSIGNED), false);
          to.set(rd);
        }
        case FLOAD -> {
          to.load(index, effect.access().orElseThrow(), false, in.accessBytes() == 4);
          to.set(rd);
        }
        case STORE, FSTORE -> to.store(index, effect.access().orElseThrow(), rs2);
        case FP_R, FP_R_EXACT, FP_R4, FP_UNARY, FP_CMP, FP_TO_INT, FP_TO_BITS, INT_TO_FP, FP_FROM_BITS ->
            compute(w, in, roundingMode(in, w));
        case AMO, CSR_R, CSR_I, CBO, FENCE -> throw new IllegalStateException(in.name() + " is left to tier 0");
        case BRANCH, JAL, JALR, SYSTEM -> throw new IllegalStateException(in.name() + " inside a block");
      }
    }

    private CodeBuilder code() {
      return to.code();
    }

    private void compute(long w, Instruction in, int rm) {
      long[] operands = {Packed.rs1(w), Packed.rs2(w), RiscvHart.F0 + Packed.rs3(w)};
      int next = 0;
      Method method = FLOAT_METHODS.get(in.semantics());
      for (Class<?> parameter : method.getParameterTypes()) {
        if (parameter == long.class) {
          to.get((int) operands[next++]);
        } else if (parameter == FpStatus.class) {
          to.isaCpu();
          code().getfield(HART, "fp", STATUS);
        } else if (rm == DYNAMIC) {
          to.isaCpu();
          code().invokestatic(HELP, "frm", MethodTypeDesc.of(CD_int, HART));
        } else {
          code().loadConstant(rm);
        }
      }
      code().invokestatic(FLOAT, in.semantics(), type(method));
      to.set(Packed.rd(w));
    }

    private static MethodTypeDesc type(Method method) {
      return MethodTypeDesc.of(
          CD_long, Arrays.stream(method.getParameterTypes()).map(RegionAssembler::desc).toArray(ClassDesc[]::new));
    }
  }
}
