package org.ascus.isa.hostcode;

import static org.ascus.isa.hostcode.X64Assembler.R10;
import static org.ascus.isa.hostcode.X64Assembler.R11;
import static org.ascus.isa.hostcode.X64Assembler.R12;
import static org.ascus.isa.hostcode.X64Assembler.R13;
import static org.ascus.isa.hostcode.X64Assembler.R14;
import static org.ascus.isa.hostcode.X64Assembler.R8;
import static org.ascus.isa.hostcode.X64Assembler.R9;
import static org.ascus.isa.hostcode.X64Assembler.RAX;
import static org.ascus.isa.hostcode.X64Assembler.RBP;
import static org.ascus.isa.hostcode.X64Assembler.RBX;
import static org.ascus.isa.hostcode.X64Assembler.RCX;
import static org.ascus.isa.hostcode.X64Assembler.RDI;
import static org.ascus.isa.hostcode.X64Assembler.RDX;
import static org.ascus.isa.hostcode.X64Assembler.RSI;

import java.lang.reflect.Method;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import org.ascus.isa.code.BlockAssembler;
import org.ascus.isa.code.Effect;
import org.ascus.isa.code.Formula;
import org.ascus.isa.code.Semantics;
import org.ascus.isa.code.Stretch;
import org.ascus.isa.cpu.Block;
import org.ascus.isa.cpu.VCpu;
import org.ascus.isa.hostcode.X64Assembler.Label;
import org.ascus.isa.mmu.SoftTlb;

/**
 * Emits the host code of a region's instructions. Each guest register is in the register file when control may leave;
 * what was written to one lately is in a host register as well.
 */
final class HostAssembler extends BlockAssembler {
  /** Keep the values of guest registers. */
  private static final int[] CACHE = {R8, R9, R10, R11, RSI};

  /** Keep the host addresses of a stretch's groups. */
  private static final int[] GROUPS = {RBP, RDI};

  private static final int TLB_MASK = 8 * SoftTlb.INDEX_MASK;

  private final X64Assembler code;
  private final HostCode host;
  private final long region;
  private final HostFormulas formulas;
  private final Deque<Formula> stack = new ArrayDeque<>();
  private final List<Runnable> slowPaths = new ArrayList<>();
  private final List<Label> resumes = new ArrayList<>();

  /** The slot whose value a host register of {@link #CACHE} has, or 0. */
  private final int[] cached = new int[CACHE.length];

  private int victim;
  private boolean misses;
  private boolean hot;
  private Stretch current;
  private Label slow;
  private Label taken;

  HostAssembler(X64Assembler code, HostCode host, int region) {
    this.code = code;
    this.host = host;
    this.region = region;
    this.formulas = new HostFormulas(code, this::home, GROUPS);
  }

  /** Whether there was something to emit that cannot be. */
  boolean misses() {
    return misses;
  }

  /** Where code goes on behind each step. */
  int[] resumes() {
    return resumes.stream().mapToInt(code::position).toArray();
  }

  /** The host register that has the value of {@code slot}, or -1. */
  private int home(int slot) {
    for (int i = 0; i < CACHE.length; i++) {
      if (slot != 0 && cached[i] == slot) {
        return CACHE[i];
      }
    }
    return -1;
  }

  private void forget() {
    Arrays.fill(cached, 0);
  }

  @Override
  public void begin(Block block, int offset, int count) {
    super.begin(block, offset, count);
    forget();
    hot = false;
  }

  @Override
  public void get(int slot) {
    stack.push(slot == 0 ? new Formula.Constant(0) : new Formula.Register(slot));
  }

  @Override
  public void set(int slot) {
    Formula value = stack.pop();
    if (slot == 0) {
      return;
    }
    boolean pending = !stack.isEmpty();
    if (pending && (stack.peek().registers() >>> slot & 1) != 0) {
      formulas.compute(stack.pop(), RAX, 1);
      stack.push(new Formula.Computed());
    }
    int to = allocate(slot, value.registers());
    formulas.compute(value, CACHE[to], pending ? 1 : 0);
    code.store(CACHE[to], RBX, 8 * slot, 3);
    for (int i = 0; i < CACHE.length; i++) {
      if (cached[i] == slot) {
        cached[i] = 0;
      }
    }
    cached[to] = slot;
  }

  /** The one of {@link #CACHE} for a new value of {@code slot}; none that has one of {@code needed}. */
  private int allocate(int slot, long needed) {
    int chosen = -1;
    for (int i = 0; i < CACHE.length; i++) {
      if (cached[i] == 0 || cached[i] == slot && (needed >>> slot & 1) == 0) {
        chosen = i;
      }
    }
    while (chosen < 0) {
      victim = (victim + 1) % CACHE.length;
      if ((needed >>> cached[victim] & 1) == 0) {
        chosen = victim;
      }
    }
    return chosen;
  }

  @Override
  public void constant(long value) {
    stack.push(new Formula.Constant(value));
  }

  @Override
  public void number(int value) {
    constant(value);
  }

  @Override
  public void address(int offset) {
    stack.push(new Formula.Address(offset));
  }

  @Override
  public void isaCpu() {
    throw new IllegalStateException("host code has no objects");
  }

  @Override
  public boolean emits(Method method) {
    boolean known = Semantics.of(method).filter(HostFormulas::fits).isPresent();
    misses |= !known;
    return known;
  }

  @Override
  public void apply(Method method) {
    stack.push(applied(method));
  }

  private Formula applied(Method method) {
    Formula[] arguments = new Formula[method.getParameterCount()];
    for (int i = arguments.length - 1; i >= 0; i--) {
      arguments[i] = stack.pop();
    }
    return Semantics.of(method).orElseThrow().with(i -> arguments[i]);
  }

  /** Where the branch that {@link #branch} emits next goes. */
  void branchesTo(Label target) {
    taken = target;
  }

  @Override
  public void branch(Method method) {
    if (applied(method) instanceof Formula.Select select) {
      code.jumpIf(formulas.compare(select.condition(), 0), taken);
    } else {
      throw new IllegalStateException(method + " is no condition");
    }
  }

  @Override
  public void hotEdge() {
    hot = true;
  }

  boolean isHot() {
    return hot;
  }

  /** Pops into rax. */
  void popTarget() {
    formulas.compute(stack.pop(), RAX, 1);
  }

  /** Has in rax the virtual address {@code offset} bytes from the head. */
  void virtualAddress(int offset) {
    code.lea(RAX, R14, offset);
  }

  /** Has {@code path}, which starts with a label of its own, emitted behind the region's code. */
  void slowPath(Runnable path) {
    slowPaths.add(path);
  }

  void emitSlowPaths() {
    // Some add others.
    for (int i = 0; i < slowPaths.size(); i++) {
      slowPaths.get(i).run();
    }
  }

  @Override
  protected int maxGroups() {
    return GROUPS.length;
  }

  @Override
  protected void begin(Stretch stretch, int guard) {
    current = stretch;
    slow = new Label();
    if (guard != 0) {
      code.load(RAX, RBX, 8 * VCpu.READY, 2, false);
      code.aluConstant(X64Assembler.AND, false, RAX, guard);
      code.aluConstant(X64Assembler.CMP, false, RAX, guard);
      code.jumpIf(X64Assembler.NOT_EQUAL, slow);
    }
    for (int i = 0; i < stretch.groups().size(); i++) {
      check(stretch.groups().get(i), GROUPS[i]);
    }
  }

  /** Computes the host address of the group's first byte; goes to {@link #slow} unless all hit the TLB. */
  private void check(Stretch.Group group, int address) {
    int home = home(group.base());
    if (group.base() == 0) {
      code.move(address, (long) group.first());
    } else if (home >= 0) {
      code.lea(address, home, group.first());
    } else {
      code.load(address, RBX, 8 * group.base(), 3, false);
      if (group.first() != 0) {
        code.aluConstant(X64Assembler.ADD, true, address, group.first());
      }
    }
    code.move(false, RCX, address);
    code.shift(X64Assembler.SHR, false, RCX, SoftTlb.INDEX_SHIFT - 3);
    code.aluConstant(X64Assembler.AND, false, RCX, TLB_MASK);
    code.lea(RDX, address, group.checked() - group.first());
    code.aluConstant(X64Assembler.AND, true, RDX, (int) SoftTlb.PAGE_MASK | (1 << group.widthLog2()) - 1);
    code.alu(X64Assembler.OR, true, RDX, R13);
    if (group.loads()) {
      code.aluIndexed(X64Assembler.CMP, RDX, R12, RCX, 8 * SoftTlb.READ_TAG);
      code.jumpIf(X64Assembler.NOT_EQUAL, slow);
    }
    if (group.stores()) {
      code.aluIndexed(X64Assembler.CMP, RDX, R12, RCX, 8 * SoftTlb.WRITE_TAG);
      code.jumpIf(X64Assembler.NOT_EQUAL, slow);
    }
    code.aluIndexed(X64Assembler.ADD, address, R12, RCX, 8 * SoftTlb.ADDEND);
  }

  @Override
  protected void end() {
    leave(step(current.from(), current.until()), slow);
  }

  @Override
  protected void left(int index, Effect effect) {
    forget();
    Label always = new Label();
    code.jump(always);
    leave(step(index, index + 1), always);
  }

  /** Emits that at {@code from} step {@code number} is left to tier 0; control resumes here. */
  private void leave(int number, Label from) {
    Label resume = new Label();
    Label back = new Label();
    resumes.add(resume);
    int[] kept = cached.clone();
    code.bind(back);
    slowPath(
        () -> {
          code.bind(from);
          code.move(RAX, region << HostCode.REGION_SHIFT | number);
          code.jumpFar(host.step);
          code.bind(resume);
          for (int i = 0; i < kept.length; i++) {
            if (kept[i] != 0) {
              code.load(CACHE[i], RBX, 8 * kept[i], 3, false);
            }
          }
          code.jump(back);
        });
  }

  @Override
  public void load(int index, Effect.Access access, boolean signed, boolean boxed) {
    Formula value =
        new Formula.Memory(group(index), displacement(index, access), access.widthLog2(), signed);
    stack.push(
        boxed
            ? new Formula.Binary(Formula.Operation.OR, true, value, new Formula.Constant(-1L << 32))
            : value);
  }

  @Override
  public void store(int index, Effect.Access access, int source) {
    int from = home(source);
    if (source == 0 || from < 0) {
      from = RAX;
      formulas.compute(source == 0 ? new Formula.Constant(0) : new Formula.Register(source), RAX, 1);
    }
    code.store(from, GROUPS[group(index)], displacement(index, access), access.widthLog2());
  }

  @Override
  public boolean emitsExchanges() {
    return true;
  }

  @Override
  public void exchange(int index, Effect.Access access, Optional<Formula.Operation> operation, int source) {
    boolean wide = access.widthLog2() == 3;
    int memory = GROUPS[group(index)];
    int displacement = displacement(index, access);
    Formula operand = source == 0 ? new Formula.Constant(0) : new Formula.Register(source);
    if (operation.isEmpty() || operation.get() == Formula.Operation.ADD) {
      formulas.compute(operand, RAX, 1);
      if (operation.isEmpty()) {
        code.exchange(RAX, memory, displacement, wide);
      } else {
        code.exchangeAdd(RAX, memory, displacement, wide);
      }
    } else {
      Label again = new Label();
      formulas.compute(operand, RCX, 2);
      code.load(RAX, memory, displacement, access.widthLog2(), false);
      code.bind(again);
      code.move(wide, RDX, RAX);
      switch (operation.get()) {
        case AND -> code.alu(X64Assembler.AND, wide, RDX, RCX);
        case OR -> code.alu(X64Assembler.OR, wide, RDX, RCX);
        case XOR -> code.alu(X64Assembler.XOR, wide, RDX, RCX);
        default -> throw new IllegalStateException(operation.get() + " in an exchange");
      }
      code.compareExchange(RDX, memory, displacement, wide);
      code.jumpIf(X64Assembler.NOT_EQUAL, again);
    }
    stack.push(
        wide
            ? new Formula.Computed()
            : new Formula.Unary(Formula.UnaryOperation.SIGN_EXTEND_WORD, new Formula.Computed()));
  }

  @Override
  public void zero(int index, Effect.Access access, int bytes) {
    // Pages begin at multiples of more than that in the host's memory, too.
    code.lea(RAX, GROUPS[group(index)], displacement(index, access));
    code.aluConstant(X64Assembler.AND, true, RAX, -bytes);
    code.move(RCX, 0);
    for (int i = 0; i < bytes; i += 8) {
      code.store(RCX, RAX, i, 3);
    }
  }

  @Override
  public void fence(boolean full) {
    // The processor has stores pass nothing but other CPUs' eyes.
    if (full) {
      code.fence();
    }
  }

  private int group(int index) {
    return current.groups().indexOf(current.group(index));
  }

  private int displacement(int index, Effect.Access access) {
    return access.displacement() - current.group(index).first();
  }
}
