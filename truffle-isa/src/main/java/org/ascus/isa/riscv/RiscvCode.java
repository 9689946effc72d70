package org.ascus.isa.riscv;

import java.lang.constant.ClassDesc;
import java.lang.invoke.MethodHandles;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.ascus.isa.code.BlockAssembler;
import org.ascus.isa.code.CodeIsa;
import org.ascus.isa.code.Effect;
import org.ascus.isa.code.Formula;
import org.ascus.isa.code.StraightCode;
import org.ascus.isa.cpu.Block;
import org.ascus.isa.cpu.Slots;
import org.ascus.isa.decode.Packed;
import org.ascus.isa.fp.FpFlags;
import org.ascus.isa.fp.FpStatus;
import org.ascus.isa.region.Flow;
import org.ascus.isa.region.RegionIsa;
import org.ascus.isa.riscv.semantics.RvFloat;
import org.ascus.isa.riscv.semantics.RvInteger;
import org.ascus.isa.table.Flags;
import org.ascus.isa.table.Instruction;
import org.ascus.isa.table.Shape;

/** Has tiers that make code emit decoded RISC-V blocks, by the semantic methods that the table names. */
final class RiscvCode implements CodeIsa {
  private static final ClassDesc HART = RiscvHart.class.describeConstable().orElseThrow();
  private static final int DYNAMIC = 7;

  /** Bit of an atomic's immediate. */
  private static final int RELEASE = 1;

  private static final int SSTATUS = 0x100;
  private static final int FFLAGS = 1;
  private static final int FRM = 2;
  private static final int FCSR = 3;

  /** The semantic methods; their parameters tell how they are called. */
  private static final Map<String, Method> METHODS =
      Stream.of(RvInteger.class, RvFloat.class, RiscvCodeHelp.class)
          .flatMap(type -> Arrays.stream(type.getDeclaredMethods()))
          .filter(method -> Modifier.isStatic(method.getModifiers()) && !Modifier.isPrivate(method.getModifiers()))
          .collect(Collectors.toMap(Method::getName, Function.identity()));

  private static final Method TARGET = METHODS.get("target");

  /** What AMOs do; the others are left to tier 0. */
  private static final Map<Integer, Optional<Formula.Operation>> EXCHANGES =
      Map.of(
          RvOp.AMOSWAP_W, Optional.empty(),
          RvOp.AMOSWAP_D, Optional.empty(),
          RvOp.AMOADD_W, Optional.of(Formula.Operation.ADD),
          RvOp.AMOADD_D, Optional.of(Formula.Operation.ADD),
          RvOp.AMOAND_W, Optional.of(Formula.Operation.AND),
          RvOp.AMOAND_D, Optional.of(Formula.Operation.AND),
          RvOp.AMOOR_W, Optional.of(Formula.Operation.OR),
          RvOp.AMOOR_D, Optional.of(Formula.Operation.OR),
          RvOp.AMOXOR_W, Optional.of(Formula.Operation.XOR),
          RvOp.AMOXOR_D, Optional.of(Formula.Operation.XOR));

  /** Stores and outputs, in the predecessor set of a fence. */
  private static final int AFTER_STORES = 0x50;

  /** Loads and inputs, in the successor set of a fence. */
  private static final int BEFORE_LOADS = 0xa;

  /** The mode of a fence that lets loads pass earlier stores. */
  private static final int TSO = 8;

  private final RegionIsa regions;

  RiscvCode(RegionIsa regions) {
    this.regions = regions;
  }

  @Override
  public List<Class<?>> betweenRegions() {
    return List.of(RiscvHart.class, RiscvInterpreter.class, RiscvRare.class, Csrs.class);
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
  public void body(BlockAssembler to, Block block) {
    int count = count(block);
    Flow.Kind end = regions.flow(block).kind();
    int straight = end == Flow.Kind.FALL || end == Flow.Kind.STOP ? count : count - 1;
    new Body(to, block, straight).emit();
  }

  @Override
  public void branch(BlockAssembler to, Block block) {
    long w = block.code[block.code.length - 1];
    to.get(Packed.rs1(w));
    to.get(Packed.rs2(w));
    to.branch(method(RiscvBlockDecoder.instruction(Packed.op(w))));
  }

  @Override
  public void target(BlockAssembler to, Block block) {
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
      to.apply(TARGET);
      if (rd == 0 && rs1 != RiscvRegions.RA && rs1 != RiscvRegions.T0) {
        to.hotEdge();
      }
    }
    if (rd != 0) {
      to.address(to.offset(last) + to.length(last));
      to.set(rd);
    }
  }

  private static Method method(Instruction in) {
    return METHODS.get(in.semantics());
  }

  /** The straight-line part of one block. */
  private static final class Body extends StraightCode {
    private final Block block;

    /** What the CPU is known to be ready for. */
    private int checked;

    Body(BlockAssembler to, Block block, int count) {
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
            case CSR_R, CSR_I -> isFpStatus(in, w) || isStatus(in, w);
            case AMO ->
                to.emitsExchanges()
                    && (EXCHANGES.containsKey(in.index()) || isLoadReserved(in) || isStoreConditional(in));
            case CBO -> to.emitsExchanges() && in.index() == RvOp.CBO_ZERO;
            case FENCE -> Packed.imm(w) != RiscvRare.PAUSE;
            case LOAD, FLOAD, STORE, FSTORE, U_LUI, U_AUIPC -> true;
            case R, I, UNARY -> to.emits(method(in));
            default -> to.emits(method(in)) && rounds(in, w);
          };
      boolean guarded = inline && (needed(in, w) & ~checked) != 0;
      Optional<Effect.Access> access =
          !inline ? Optional.empty() : switch (shape) {
            case LOAD, FLOAD, STORE, FSTORE ->
                Optional.of(
                    new Effect.Access(
                        Packed.rs1(w), Packed.imm(w), Integer.numberOfTrailingZeros(in.accessBytes()),
                        shape == Shape.STORE || shape == Shape.FSTORE));
            case AMO ->
                Optional.of(
                    new Effect.Access(
                        Packed.rs1(w), 0, Integer.numberOfTrailingZeros(in.accessBytes()), !isLoadReserved(in)));
            case CBO -> Optional.of(new Effect.Access(Packed.rs1(w), 0, 0, true));
            default -> Optional.empty();
          };
      boolean alone = inline && in.shape() == Shape.CSR_R && changesStatus(w);
      return new Effect(inline, guarded, access, alone, reads, writes);
    }

    private boolean rounds(Instruction in, long w) {
      int mode = roundingMode(in, w);
      return mode == DYNAMIC || mode <= 4 && to.rounds(mode, in.shape() == Shape.FP_TO_INT);
    }

    private static int roundingMode(Instruction in, long w) {
      return in.shape().hasRoundingMode() ? Packed.roundingMode(w) : 0;
    }

    /** What the CPU has to be ready for before the instruction. */
    private int needed(Instruction in, long w) {
      if (isCsr(in) && Packed.imm(w) == SSTATUS) {
        return RiscvHart.STATUS_READY;
      }
      boolean csr = isCsr(in);
      if (csr && Packed.imm(w) == FFLAGS) {
        return RiscvHart.FP_READY;
      }
      if (in.is(Flags.FP) || csr) {
        int rounding = to.roundsToNearestOnly() ? RiscvHart.NEAREST_READY : RiscvHart.ROUNDING_READY;
        return csr || roundingMode(in, w) == DYNAMIC ? RiscvHart.FP_READY | rounding : RiscvHart.FP_READY;
      }
      return in.index() == RvOp.CBO_ZERO ? RiscvHart.ZERO_READY : 0;
    }

    @Override
    protected int guard(int from, int until) {
      int needed = 0;
      for (int i = from; i < until; i++) {
        needed |= needed(RiscvBlockDecoder.instruction(Packed.op(block.code[i])), block.code[i]);
      }
      int guard = needed & ~checked;
      // A device that is accessed may raise an interrupt, and what is more than the interrupt enable anything.
      long first = block.code[from];
      boolean more = isCsr(RiscvBlockDecoder.instruction(Packed.op(first))) && changesStatus(first);
      checked = more ? 0 : checked | guard & ~RiscvHart.STATUS_READY;
      return guard;
    }

    @Override
    protected void left(int index) {
      if (RiscvBlockDecoder.instruction(Packed.op(block.code[index])).is(Flags.SYSTEM)) {
        checked = 0;
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
          to.apply(method(in));
          to.set(rd);
        }
        case I -> {
          if (rd != 0) {
            to.get(rs1);
            to.constant(Packed.imm(w));
            to.apply(method(in));
            to.set(rd);
          }
        }
        case UNARY -> {
          to.get(rs1);
          to.apply(method(in));
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
        case AMO -> {
          if (isLoadReserved(in)) {
            to.loadReserved(index, effect.access().orElseThrow(), (Packed.imm(w) & RELEASE) != 0);
          } else if (isStoreConditional(in)) {
            to.storeConditional(index, effect.access().orElseThrow(), rs2);
          } else {
            to.exchange(index, effect.access().orElseThrow(), EXCHANGES.get(in.index()), rs2);
          }
          to.set(rd);
        }
        case CBO -> to.zero(index, effect.access().orElseThrow(), RiscvHart.CACHE_BLOCK);
        case FENCE -> to.fence(isFull(Packed.imm(w)));
        case CSR_R, CSR_I -> {
          if (Packed.imm(w) == SSTATUS) {
            status(w, in);
          } else {
            fpStatus(w, in);
          }
        }
        case BRANCH, JAL, JALR, SYSTEM -> throw new IllegalStateException(in.name() + " inside a block");
      }
    }

    private static boolean isLoadReserved(Instruction in) {
      return in.index() == RvOp.LR_W || in.index() == RvOp.LR_D;
    }

    private static boolean isStoreConditional(Instruction in) {
      return in.index() == RvOp.SC_W || in.index() == RvOp.SC_D;
    }

    /** Whether an access to sstatus, which is no {@linkplain #isSwap swap}, is more than a read. */
    private static boolean changesStatus(long w) {
      return Packed.imm(w) == SSTATUS && Packed.rs1(w) != 0;
    }

    /** Whether it reads sstatus, or sets or clears in it what may be the interrupt enable alone. */
    private static boolean isStatus(Instruction in, long w) {
      return Packed.imm(w) == SSTATUS
          && !isSwap(in)
          && (in.shape() == Shape.CSR_R
              ? !changesStatus(w) || Packed.rd(w) != Packed.rs1(w)
              : (Packed.rs1(w) & ~Status.SIE) == 0);
    }

    private void status(long w, Instruction in) {
      boolean register = in.shape() == Shape.CSR_R;
      if (register && changesStatus(w)) {
        to.get(Packed.rs1(w));
        to.unless(METHODS.get("isMore"));
      }
      if (Packed.rd(w) != 0) {
        to.state(Slots.STATUS);
        to.apply(METHODS.get("sstatus"));
        to.set(Packed.rd(w));
      }
      if (changesStatus(w)) {
        to.state(Slots.STATUS);
        if (register) {
          to.get(Packed.rs1(w));
        } else {
          to.constant(Packed.rs1(w));
        }
        boolean sets = in.index() == RvOp.CSRRS || in.index() == RvOp.CSRRSI;
        to.apply(METHODS.get(sets ? "with" : "without"));
        to.setState(Slots.STATUS);
      }
    }

    private static boolean isCsr(Instruction in) {
      return in.shape() == Shape.CSR_R || in.shape() == Shape.CSR_I;
    }

    private static boolean isSwap(Instruction in) {
      return in.index() == RvOp.CSRRW || in.index() == RvOp.CSRRWI;
    }

    /** Whether it reads what the floating-point unit tells, or replaces the exceptions that it has raised. */
    private static boolean isFpStatus(Instruction in, long w) {
      int csr = Packed.imm(w);
      return isSwap(in) ? csr == FFLAGS : Packed.rs1(w) == 0 && (csr == FFLAGS || csr == FRM || csr == FCSR);
    }

    private void fpStatus(long w, Instruction in) {
      int csr = Packed.imm(w);
      int rd = Packed.rd(w);
      if (rd != 0) {
        if (csr != FRM) {
          to.exceptions();
        }
        if (csr != FFLAGS) {
          to.cpuValue(METHODS.get("frm"));
          to.apply(METHODS.get(csr == FRM ? "widened" : "fcsr"));
        }
      }
      if (isSwap(in)) {
        if (in.shape() == Shape.CSR_R) {
          to.get(Packed.rs1(w));
          to.constant(FpFlags.ALL);
          to.apply(METHODS.get("and"));
        } else {
          to.constant(Packed.rs1(w));
        }
        to.setExceptions();
      }
      if (rd != 0) {
        to.set(rd);
      }
    }

    private static boolean isFull(int fence) {
      return (fence >> 8 & TSO) == 0 && (fence & AFTER_STORES) != 0 && (fence & BEFORE_LOADS) != 0;
    }

    private void compute(long w, Instruction in, int rm) {
      long[] operands = {Packed.rs1(w), Packed.rs2(w), RiscvHart.F0 + Packed.rs3(w)};
      int next = 0;
      Method method = method(in);
      for (Class<?> parameter : method.getParameterTypes()) {
        if (parameter == long.class) {
          to.get((int) operands[next++]);
        } else if (parameter == FpStatus.class) {
          to.cpuValue(METHODS.get("status"));
        } else if (rm == DYNAMIC) {
          to.cpuValue(METHODS.get("frm"));
        } else {
          to.number(rm);
        }
      }
      to.apply(method);
      to.set(Packed.rd(w));
    }
  }
}
