package org.ascus.isa.bytecode;

import static java.lang.constant.ConstantDescs.CD_boolean;
import static java.lang.constant.ConstantDescs.CD_int;
import static java.lang.constant.ConstantDescs.CD_long;
import static java.lang.constant.ConstantDescs.CD_void;

import java.lang.classfile.CodeBuilder;
import java.lang.classfile.Label;
import java.lang.constant.ClassDesc;
import java.lang.constant.MethodTypeDesc;
import java.lang.invoke.VarHandle;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.ascus.isa.code.BlockAssembler;
import org.ascus.isa.code.Effect;
import org.ascus.isa.code.Formula;
import org.ascus.isa.code.Semantics;
import org.ascus.isa.code.Stretch;
import org.ascus.isa.cpu.VCpu;
import org.ascus.isa.mmu.SoftTlb;

/**
 * Emits the bytecode of one region's instructions. The virtual address of the region's head is a JVM local, and so is
 * the data context. What is seldom needed is collected and emitted behind the code.
 */
public abstract class RegionAssembler extends BlockAssembler {
  static final ClassDesc VCPU = desc(VCpu.class);
  static final ClassDesc HELP = desc(RegionHelp.class);
  static final ClassDesc LONGS = CD_long.arrayType();

  /** The parameters of {@link org.ascus.isa.cpu.CompiledCode#run}. */
  static final int CPU = 1;

  static final int HEAD = 2;
  static final int PLACE = 4;

  static final int UNSAFE = 5;
  static final int TLB_ARRAY = 6;
  static final int CONTEXT = 7;
  static final int VALUE = 9;
  static final int ADDRESS = 11;
  private static final int TLB_OFFSET = 13;
  static final int DISTANCE = PLACE;
  private static final int ISA_CPU = 15;
  static final int REGISTERS = 16;
  static final int BUDGET = 17;
  static final int FIRST_REGISTER = 19;

  private static final long TLB_MASK = 8L * SoftTlb.INDEX_MASK;

  private final CodeBuilder code;
  private final HostAccess host;
  private final int[] local = new int[64];
  private final int firstFree;
  private final List<Runnable> slowPaths = new ArrayList<>();
  private final Map<Stretch.Group, Integer> hostAddresses = new HashMap<>();
  private Stretch current;
  private Label slow;
  private Label taken;

  /** @param used register slots that get a local */
  RegionAssembler(CodeBuilder code, int[] used) {
    this.code = code;
    this.host = new HostAccess(code);
    int next = FIRST_REGISTER;
    for (int slot : used) {
      local[slot] = next;
      next += 2;
    }
    firstFree = next;
  }

  public static ClassDesc desc(Class<?> type) {
    return type.describeConstable().orElseThrow();
  }

  public final CodeBuilder code() {
    return code;
  }

  final HostAccess host() {
    return host;
  }

  final int local(int slot) {
    return local[slot];
  }

  @Override
  public final void constant(long value) {
    code.loadConstant(value);
  }

  @Override
  public final void number(int value) {
    code.loadConstant(value);
  }

  /** Pushes the CPU. */
  public final void cpu() {
    code.aload(CPU);
  }

  @Override
  public final void cpuValue(Method method) {
    code.aload(ISA_CPU);
    apply(method);
  }

  @Override
  public final void state(int slot) {
    code.aload(REGISTERS).loadConstant(slot).laload();
  }

  @Override
  public final void setState(int slot) {
    code.lstore(VALUE);
    code.aload(REGISTERS).loadConstant(slot).lload(VALUE).lastore();
  }

  @Override
  public final void unless(Method method) {
    apply(method);
    code.ifne(slow);
  }

  @Override
  public final void exceptions() {
    cpu();
    code.invokestatic(HELP, "exceptions", MethodTypeDesc.of(CD_long, VCPU));
  }

  @Override
  public final void setExceptions() {
    cpu();
    code.invokestatic(HELP, "setExceptions", MethodTypeDesc.of(CD_void, CD_long, VCPU));
  }

  @Override
  public final boolean rounds(int mode, boolean toInteger) {
    return true;
  }

  @Override
  public final boolean roundsToNearestOnly() {
    return false;
  }

  /** What every region begins with: the locals that do not change. */
  void prepare(ClassDesc isaClass) {
    host.prepare();
    code.aload(CPU).checkcast(isaClass).astore(ISA_CPU);
    array("tlb", TLB_ARRAY);
    array("regs", REGISTERS);
    reloadContext();
  }

  /**
   * Loads an array of the CPU's into a local. Its length is asked for since the second compiler, if there may be no
   * array for all it knows, fences off each access to an element: without one that would be an access to host memory.
   */
  private void array(String name, int local) {
    field(name, LONGS);
    code.dup().arraylength().pop().astore(local);
  }

  /** Pushes a field of the CPU. */
  final void field(String name, ClassDesc type) {
    cpu();
    code.getfield(VCPU, name, type);
  }

  /** Has {@code path}, which starts with a label of its own, emitted behind the region's code. */
  final void slowPath(Runnable path) {
    slowPaths.add(path);
  }

  @Override
  public final void address(int offset) {
    code.lload(HEAD);
    if (offset != 0) {
      constant(offset);
      code.ladd();
    }
  }

  /** Takes {@code instructions} off the budget. */
  abstract void spend(int instructions);

  /** Pushes the instructions that are left in the budget. */
  abstract void budget();

  /** The data context may have changed. */
  final void reloadContext() {
    field("context", CD_long);
    code.lstore(CONTEXT);
  }

  @Override
  public final boolean emits(Method method) {
    return true;
  }

  @Override
  public final void apply(Method method) {
    ClassDesc[] parameters =
        Arrays.stream(method.getParameterTypes()).map(RegionAssembler::desc).toArray(ClassDesc[]::new);
    code.invokestatic(
        desc(method.getDeclaringClass()), method.getName(),
        MethodTypeDesc.of(desc(method.getReturnType()), parameters));
  }

  /** Where the branch that {@link #branch} emits next goes. */
  final void branchesTo(Label target) {
    taken = target;
  }

  @Override
  public final void branch(Method method) {
    // C1 makes a value of a method's boolean first and branches on that then.
    if (Semantics.of(method).orElse(null) instanceof Formula.Select select && isPlain(select)) {
      code.lcmp();
      switch (select.condition().relation()) {
        case EQUAL -> code.ifeq(taken);
        case NOT_EQUAL -> code.ifne(taken);
        case LESS -> code.iflt(taken);
        case GREATER_EQUAL -> code.ifge(taken);
        default -> throw new IllegalStateException();
      }
    } else {
      apply(method);
      code.ifne(taken);
    }
  }

  @Override
  protected final int maxGroups() {
    return Integer.MAX_VALUE;
  }

  @Override
  protected final void begin(Stretch stretch, int guard) {
    slow = code.newLabel();
    if (guard != 0) {
      cpu();
      code.invokevirtual(VCPU, "ready", MethodTypeDesc.of(CD_int)).loadConstant(guard).iand();
      code.loadConstant(guard).if_icmpne(slow);
    }
    int local = firstFree;
    hostAddresses.clear();
    for (Stretch.Group group : stretch.groups()) {
      hostAddresses.put(group, local);
      check(group, local);
      local += 2;
    }
    current = stretch;
  }

  @Override
  protected final void end() {
    left(current.from(), current.until(), current.reads(), current.writes(), slow);
  }

  /**
   * Emits that at {@code slow} instructions {@code from} to {@code until - 1} are left to tier 0; control resumes here.
   *
   * @param reads slots that they read, as a bit set
   * @param writes slots that they write
   */
  abstract void left(int from, int until, long reads, long writes, Label slow);

  @Override
  protected final void left(int index, Effect effect) {
    Label always = code.newLabel();
    code.goto_(always);
    left(index, index + 1, effect.reads(), effect.writes(), always);
  }

  @Override
  public final void load(int index, Effect.Access access, boolean signed, boolean boxed) {
    int widthLog2 = access.widthLog2();
    host.load(widthLog2, () -> hostAddress(index, access));
    if (widthLog2 < 3) {
      if (signed) {
        code.i2l();
      } else if (widthLog2 < 2) {
        code.loadConstant(widthLog2 == 0 ? 0xff : 0xffff).iand().i2l();
      } else {
        code.i2l();
        constant(0xffffffffL);
        code.land();
      }
    }
    if (boxed) {
      constant(RegionHelp.BOX);
      code.lor();
    }
  }

  @Override
  public final void store(int index, Effect.Access access, int source) {
    int widthLog2 = access.widthLog2();
    host.store(
        widthLog2,
        () -> hostAddress(index, access),
        () -> {
          get(source);
          if (widthLog2 < 3) {
            code.l2i();
          }
          if (widthLog2 == 0) {
            code.i2b();
          } else if (widthLog2 == 1) {
            code.i2s();
          }
        });
  }

  @Override
  public final boolean emitsExchanges() {
    return false;
  }

  @Override
  public final void exchange(int index, Effect.Access access, Optional<Formula.Operation> operation, int source) {
    throw new IllegalStateException("exchanges are left to tier 0");
  }

  @Override
  public final void loadReserved(int index, Effect.Access access, boolean fence) {
    throw new IllegalStateException("reservations are left to tier 0");
  }

  @Override
  public final void storeConditional(int index, Effect.Access access, int source) {
    throw new IllegalStateException("reservations are left to tier 0");
  }

  @Override
  public final void zero(int index, Effect.Access access, int bytes) {
    throw new IllegalStateException("zeroing is left to tier 0");
  }

  @Override
  public final void fence(boolean full) {
    code.invokestatic(desc(VarHandle.class), "fullFence", MethodTypeDesc.of(CD_void));
  }

  private void hostAddress(int index, Effect.Access access) {
    Stretch.Group group = current.group(index);
    code.lload(hostAddresses.get(group));
    int distance = access.displacement() - group.first();
    if (distance != 0) {
      constant(distance);
      code.ladd();
    }
  }

  /** Computes the host address of the group's first byte; goes to {@link #slow} unless all hit the TLB. */
  private void check(Stretch.Group group, int local) {
    get(group.base());
    if (group.first() != 0) {
      constant(group.first());
      code.ladd();
    }
    code.dup2().lstore(ADDRESS);
    code.loadConstant(SoftTlb.INDEX_SHIFT - 3).lushr();
    constant(TLB_MASK);
    code.land();
    if (HostAccess.firstElement() != 0) {
      constant(HostAccess.firstElement());
      code.ladd();
    }
    code.lstore(TLB_OFFSET);
    boolean both = group.loads() && group.stores();
    tlb(group.loads() ? SoftTlb.READ_TAG : SoftTlb.WRITE_TAG);
    code.lload(ADDRESS);
    if (group.checked() != group.first()) {
      constant(group.checked() - group.first());
      code.ladd();
    }
    constant(SoftTlb.PAGE_MASK | (1 << group.widthLog2()) - 1);
    code.land().lload(CONTEXT).lor();
    if (both) {
      code.dup2().lstore(VALUE);
    }
    code.lcmp().ifne(slow);
    if (both) {
      tlb(SoftTlb.WRITE_TAG);
      code.lload(VALUE).lcmp().ifne(slow);
    }
    code.lload(ADDRESS);
    tlb(SoftTlb.ADDEND);
    code.ladd().lstore(local);
  }

  private static boolean isPlain(Formula.Select select) {
    Formula.Condition condition = select.condition();
    return condition.wide()
        && condition.relation().compareTo(Formula.Relation.GREATER_EQUAL) <= 0
        && condition.a().equals(new Formula.Parameter(0))
        && condition.b().equals(new Formula.Parameter(1))
        && select.yes().equals(new Formula.Constant(1))
        && select.no().equals(new Formula.Constant(0));
  }

  private void tlb(int field) {
    host.element(
        TLB_ARRAY,
        () -> {
          code.lload(TLB_OFFSET);
          if (field != 0) {
            constant(8L * field);
            code.ladd();
          }
        });
  }

  /** Pops a virtual address: control leaves the region for there. */
  final void storePc() {
    code.lstore(VALUE);
    cpu();
    code.lload(VALUE).putfield(VCPU, "pc", CD_long);
  }

  @Override
  public final void hotEdge() {
    cpu();
    code.iconst_1().putfield(VCPU, "hotEdge", CD_boolean);
  }

  final void emitSlowPaths() {
    slowPaths.forEach(Runnable::run);
  }
}
