package org.ascus.isa.hostcode;

import static org.ascus.isa.hostcode.X64Assembler.R12;
import static org.ascus.isa.hostcode.X64Assembler.RAX;
import static org.ascus.isa.hostcode.X64Assembler.RBP;
import static org.ascus.isa.hostcode.X64Assembler.RBX;
import static org.ascus.isa.hostcode.X64Assembler.RCX;
import static org.ascus.isa.hostcode.X64Assembler.RDI;
import static org.ascus.isa.hostcode.X64Assembler.RDX;

import java.lang.reflect.Method;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.ascus.isa.code.BlockAssembler;
import org.ascus.isa.code.Effect;
import org.ascus.isa.code.Formula;
import org.ascus.isa.code.Semantics;
import org.ascus.isa.code.Stretch;
import org.ascus.isa.cpu.Block;
import org.ascus.isa.cpu.Slots;
import org.ascus.isa.fp.RoundingMode;
import org.ascus.isa.hostcode.X64Assembler.Label;
import org.ascus.isa.mmu.SoftTlb;

/**
 * Emits the host code of a region's instructions. Each guest register is in the register file when control leaves;
 * what was written to one lately is in a host register, and there alone until then.
 */
final class HostAssembler extends BlockAssembler {
  /** Keep the host addresses of a stretch's groups. */
  private static final int[] GROUPS = {RBP, RDI};

  private static final int TLB_MASK = 8 * SoftTlb.INDEX_MASK;

  private final X64Assembler code;
  private final HostCode host;
  private final long region;
  private final ResidentRegisters resident;

  /** Keep the values of guest registers. */
  private final int[] cache;

  private final HostFormulas formulas;
  private final Deque<Formula> stack = new ArrayDeque<>();
  private final List<Runnable> slowPaths = new ArrayList<>();
  private final List<Label> resumes = new ArrayList<>();

  /** The slot whose value a host register of {@link #cache} has, or 0. */
  private final int[] cached;

  /** Ways out of the region, by where they lead. */
  private final Map<Long, Label> exits = new LinkedHashMap<>();

  /** Slots whose value is in such a register only, as a bit set. */
  private long unstored;

  /** What {@link #cached} and {@link #unstored} were somewhere. */
  private record Values(int[] slots, long unstored) {}

  private int victim;
  private boolean misses;
  private boolean hot;
  private Stretch current;
  private Values beforeStretch;
  private Label slow;
  private Label taken;
  private boolean negated;
  private int lefts;

  HostAssembler(X64Assembler code, HostCode host, int region, ResidentRegisters resident) {
    this.code = code;
    this.host = host;
    this.region = region;
    this.resident = resident;
    this.cache = resident.others();
    this.cached = new int[cache.length];
    this.formulas = new HostFormulas(code, this::home, (to, offset) -> resident.address(code, to, offset), GROUPS);
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
    for (int i = 0; i < cache.length; i++) {
      if (slot != 0 && cached[i] == slot) {
        return cache[i];
      }
    }
    return resident.home(slot);
  }

  private void forget() {
    flush();
    Arrays.fill(cached, 0);
  }

  @Override
  public void begin(Block block, int offset, int count) {
    super.begin(block, offset, count);
    Arrays.fill(cached, 0);
    hot = false;
    lefts = 0;
  }

  /** How many instructions of the block were left to tier 0. */
  int lefts() {
    return lefts;
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
    int used = pending ? 1 : 0;
    int home = home(slot);
    Optional<Formula> inPlace = home < 0 ? Optional.empty() : HostFormulas.inPlace(value, slot);
    if (inPlace.isPresent()) {
      formulas.compute(inPlace.get(), home, used);
    } else {
      int to = allocate(value.registers());
      formulas.compute(value, cache[to], used);
      if (resident.home(slot) >= 0) {
        code.move(true, home, cache[to]);
      } else {
        drop(slot);
        cached[to] = slot;
      }
    }
    if (resident.home(slot) < 0) {
      unstored |= 1L << slot;
    }
  }

  /** A free one of {@link #cache}; if there is none, one that has none of {@code needed}, as far as possible. */
  private int allocate(long needed) {
    int chosen = -1;
    for (int i = 0; i < cache.length; i++) {
      if (cached[i] == 0) {
        return i;
      }
      victim = (victim + 1) % cache.length;
      if (chosen < 0 && (needed >>> cached[victim] & 1) == 0) {
        chosen = victim;
      }
    }
    chosen = chosen < 0 ? victim : chosen;
    victim = chosen;
    store(chosen);
    cached[chosen] = 0;
    return chosen;
  }

  /** What {@code slot} had is no longer needed. */
  private void drop(int slot) {
    for (int i = 0; i < cache.length; i++) {
      if (cached[i] == slot) {
        cached[i] = 0;
      }
    }
  }

  /** Has the register file what number {@code i} of {@link #cache} has. */
  private void store(int i) {
    store(i, new Values(cached, unstored));
    unstored &= ~(1L << cached[i]);
  }

  private void store(int i, Values values) {
    if ((values.unstored >>> values.slots[i] & 1) != 0) {
      code.store(cache[i], RBX, 8 * values.slots[i], 3);
    }
  }

  /** Has the register file what is in host registers, but for the resident ones. */
  void flush() {
    for (int i = 0; i < cache.length; i++) {
      store(i);
    }
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
  public void cpuValue(Method method) {
    // Exceptions are raised in the host's register, and the rounding mode is to the nearest: 0.
    constant(0);
  }

  @Override
  public void state(int slot) {
    stack.push(new Formula.State(slot));
  }

  @Override
  public void setState(int slot) {
    formulas.compute(stack.pop(), RAX, 1);
    code.store(RAX, RBX, 8 * slot, 3);
  }

  @Override
  public void unless(Method method) {
    jumpIf(method, false, slow);
  }

  @Override
  public void exceptions() {
    formulas.floating().readFlags(host.flags);
    stack.push(new Formula.Computed());
  }

  @Override
  public void setExceptions() {
    Formula value = stack.pop();
    formulas.compute(value, RCX, 2);
    formulas.floating().writeFlags(RCX);
  }

  @Override
  public boolean rounds(int mode, boolean toInteger) {
    return mode == RoundingMode.RNE || mode == RoundingMode.RTZ && toInteger;
  }

  @Override
  public boolean roundsToNearestOnly() {
    return true;
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
    return Semantics.of(method).orElseThrow().with(i -> arguments[i]).simplified();
  }

  /**
   * Where the branch that {@link #branch} emits next goes.
   *
   * @param otherwise it goes there if its condition does not hold
   */
  void branchesTo(Label target, boolean otherwise) {
    taken = target;
    negated = otherwise;
  }

  @Override
  public void branch(Method method) {
    jumpIf(method, negated, taken);
  }

  /** Pops what {@code method} takes and goes to {@code target} if it is true, or if it is not. */
  private void jumpIf(Method method, boolean not, Label target) {
    if (applied(method) instanceof Formula.Select select) {
      Formula.Condition condition = select.condition();
      code.jumpIf(formulas.compare(not ? condition.negated() : condition, 0), target);
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
    resident.address(code, RAX, offset);
  }

  /** Leaves the region for {@code target}, which is one of the host code's. */
  void exit(long target) {
    if (resident.isEmpty()) {
      code.jumpFar(target);
    } else {
      code.jump(exits.computeIfAbsent(target, t -> new Label()));
    }
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
    exits.forEach(
        (target, label) -> {
          code.bind(label);
          resident.goOut(code);
          code.jumpFar(target);
        });
  }

  @Override
  protected int maxGroups() {
    return GROUPS.length;
  }

  @Override
  protected void begin(Stretch stretch, int guard) {
    current = stretch;
    slow = new Label();
    beforeStretch = new Values(cached.clone(), unstored);
    if (guard != 0) {
      code.load(RAX, RBX, 8 * Slots.READY, 2, false);
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
    resident.addContext(code, RDX);
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
    leave(step(current.from(), current.until()), slow, beforeStretch);
  }

  @Override
  protected void left(int index, Effect effect) {
    forget();
    lefts++;
    Label always = new Label();
    code.jump(always);
    leave(step(index, index + 1), always, new Values(cached.clone(), 0));
  }

  /** Emits that at {@code from}, with {@code values}, step {@code number} is left to tier 0; control resumes here. */
  private void leave(int number, Label from, Values values) {
    Label resume = new Label();
    Label back = new Label();
    resumes.add(resume);
    int[] kept = cached.clone();
    code.bind(back);
    slowPath(
        () -> {
          code.bind(from);
          for (int i = 0; i < cache.length; i++) {
            store(i, values);
          }
          code.move(RAX, region << HostCode.REGION_SHIFT | number);
          exit(host.step);
          code.bind(resume);
          resident.comeIn(code);
          for (int i = 0; i < kept.length; i++) {
            if (kept[i] != 0) {
              code.load(cache[i], RBX, 8 * kept[i], 3, false);
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
  public void loadReserved(int index, Effect.Access access, boolean fence) {
    int memory = GROUPS[group(index)];
    if (fence) {
      code.fence();
    }
    code.load(RAX, memory, displacement(index, access), access.widthLog2(), true);
    code.store(RAX, RBX, 8 * Slots.RESERVED_VALUE, 3);
    code.lea(RDX, memory, displacement(index, access));
    code.store(RDX, RBX, 8 * Slots.RESERVATION, 3);
    stack.push(new Formula.Computed());
  }

  @Override
  public void storeConditional(int index, Effect.Access access, int source) {
    int memory = GROUPS[group(index)];
    Label end = new Label();
    formulas.compute(source == 0 ? Formula.ZERO : new Formula.Register(source), RCX, 2);
    code.load(RAX, RBX, 8 * Slots.RESERVED_VALUE, 3, false);
    code.lea(RDX, memory, displacement(index, access));
    code.alu(X64Assembler.CMP, true, RDX, RBX, 8 * Slots.RESERVATION);
    code.move(RDX, -1);
    code.store(RDX, RBX, 8 * Slots.RESERVATION, 3);
    code.jumpIf(X64Assembler.NOT_EQUAL, end);
    code.compareExchange(RCX, memory, displacement(index, access), access.widthLog2() == 3);
    code.bind(end);
    code.set(X64Assembler.NOT_EQUAL, RAX);
    stack.push(new Formula.Computed());
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
