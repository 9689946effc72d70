package org.ascus.isa.bytecode;

import static java.lang.constant.ConstantDescs.CD_boolean;
import static java.lang.constant.ConstantDescs.CD_long;

import java.lang.classfile.CodeBuilder;
import java.lang.classfile.Label;
import java.lang.constant.ClassDesc;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.ascus.isa.cpu.Block;
import org.ascus.isa.cpu.VCpu;
import org.ascus.isa.mmu.SoftTlb;

/**
 * Emits the bytecode of one region's instructions. The virtual address of the region's head is a JVM local, and so is
 * the data context. What is seldom needed is collected and emitted behind the code.
 */
public abstract class RegionAssembler {
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
  private final List<Step> steps = new ArrayList<>();
  private Stretch current;
  private Label slow;
  private Block block;
  private int blockOffset;
  private int blockCount;

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

  /** What follows is {@code block}, {@code offset} bytes from the head, with {@code count} emitted instructions. */
  void begin(Block block, int offset, int count) {
    this.block = block;
    this.blockOffset = offset;
    this.blockCount = count;
  }

  /** Where instruction {@code index} of the block is, in bytes from the head. */
  public final int offset(int index) {
    return blockOffset + block.offsets[index];
  }

  /** Length of instruction {@code index} of the block, in bytes. */
  public final int length(int index) {
    return block.offsets[index + 1] - block.offsets[index];
  }

  /** Pushes a register; slot 0 reads as zero. */
  public abstract void get(int slot);

  /** Pops into a register; what goes into slot 0 is gone. */
  public abstract void set(int slot);

  public final void constant(long value) {
    code.loadConstant(value);
  }

  /** Pushes the CPU. */
  public final void cpu() {
    code.aload(CPU);
  }

  /** Pushes the CPU, of the ISA's class. */
  public final void isaCpu() {
    code.aload(ISA_CPU);
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

  /** Pushes the virtual address {@code offset} bytes from the head. */
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

  /** Up to {@link #end} it is {@code stretch}. {@code condition} pushes an int: zero leaves it to tier 0. */
  final void begin(Stretch stretch, Optional<Runnable> condition) {
    slow = code.newLabel();
    condition.ifPresent(
        c -> {
          c.run();
          code.ifeq(slow);
        });
    int local = firstFree;
    for (Stretch.Group group : stretch.groups()) {
      group.local = local;
      local += 2;
      check(group);
    }
    current = stretch;
  }

  /** The end of what {@link #begin} began. */
  final void end() {
    left(current.from(), current.until(), current.reads(), current.writes(), slow);
  }

  /**
   * Emits that at {@code slow} instructions {@code from} to {@code until - 1} are left to tier 0; control resumes here.
   *
   * @param reads slots that they read, as a bit set
   * @param writes slots that they write
   */
  abstract void left(int from, int until, long reads, long writes, Label slow);

  /** Leaves instruction {@code index} to tier 0. */
  final void left(int index, Effect effect) {
    Label always = code.newLabel();
    code.goto_(always);
    left(index, index + 1, effect.reads(), effect.writes(), always);
  }

  /** Notes what the instructions of a step are; its number is how many there were before. */
  final int step(int from, int until) {
    steps.add(new Step(block, from, until, offset(from), blockCount - from));
    return steps.size() - 1;
  }

  final List<Step> steps() {
    return steps;
  }

  /**
   * Pushes the value that instruction {@code index} of the stretch loads.
   *
   * @param boxed whether the bits above the width become ones
   */
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

  /** Has instruction {@code index} of the stretch store register {@code source}. */
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

  private void hostAddress(int index, Effect.Access access) {
    Stretch.Group group = current.group(index);
    code.lload(group.local);
    int distance = access.displacement() - group.first();
    if (distance != 0) {
      constant(distance);
      code.ladd();
    }
  }

  /** Computes the host address of the group's first byte; goes to {@link #slow} unless all hit the TLB. */
  private void check(Stretch.Group group) {
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
    code.ladd().lstore(group.local);
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

  /** The next block that tier 0 executes counts as a loop head. */
  final void hotEdge() {
    cpu();
    code.iconst_1().putfield(VCPU, "hotEdge", CD_boolean);
  }

  final void emitSlowPaths() {
    slowPaths.forEach(Runnable::run);
  }
}
