package org.ascus.isa.bytecode;

import static java.lang.constant.ConstantDescs.CD_boolean;
import static java.lang.constant.ConstantDescs.CD_long;

import java.lang.classfile.CodeBuilder;
import java.lang.classfile.Label;
import java.lang.constant.ClassDesc;
import java.util.ArrayList;
import java.util.List;
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
  private final List<Runnable> slowPaths = new ArrayList<>();
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

  final Block block() {
    return block;
  }

  /** Where instruction {@code index} of the block is, in bytes from the head. */
  public final int offset(int index) {
    return blockOffset + block.offsets[index];
  }

  /** Length of instruction {@code index} of the block, in bytes. */
  public final int length(int index) {
    return block.offsets[index + 1] - block.offsets[index];
  }

  /** Instructions of the block from {@code index} on; all of them were taken off the budget at its start. */
  public final int remaining(int index) {
    return blockCount - index;
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
    field("tlb", LONGS);
    code.astore(TLB_ARRAY);
    reloadContext();
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

  /** Pushes the budget as it was before instruction {@code index}. */
  public final void budgetAt(int index) {
    budget();
    constant(remaining(index));
    code.ladd();
  }

  /** The data context may have changed. */
  final void reloadContext() {
    field("context", CD_long);
    code.lstore(CONTEXT);
  }

  /**
   * A load of instruction {@code index} into slot {@code target}.
   *
   * @param boxed whether the bits above the width become ones
   */
  public abstract void load(
      int index, int target, int base, long displacement, int widthLog2, boolean signed, boolean boxed);

  /** A store of slot {@code source}. */
  public abstract void store(int index, int base, int source, long displacement, int widthLog2);

  /**
   * An instruction that needs something seldom missing.
   *
   * @param condition pushes an int, zero if it is missing
   * @param mend emits what provides it or raises an event, on an exact CPU
   * @param instruction emits the instruction, given what it needs
   */
  public abstract void guarded(int index, Runnable condition, Runnable mend, Runnable instruction);

  /**
   * An instruction that the interpreter can do as well as anybody.
   *
   * @param system whether it may change how memory is accessed
   * @param used the registers it takes and the one it sets
   * @param instruction emits a call on the register file, with pc and budget to be passed
   */
  public abstract void rare(int index, boolean system, int[] used, Runnable instruction);

  /** Pushes the value of a load of {@code widthLog2} that hits the TLB; jumps to {@code slow} if it does not. */
  final void loadHit(int base, long displacement, int widthLog2, boolean signed, boolean boxed, Label slow) {
    address(base, displacement);
    compareTag(widthLog2, SoftTlb.READ_TAG, slow);
    host.load(widthLog2, this::hostAddress);
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

  /** Stores if it hits the TLB; jumps to {@code slow} if it does not. */
  final void storeHit(int base, int source, long displacement, int widthLog2, Label slow) {
    address(base, displacement);
    compareTag(widthLog2, SoftTlb.WRITE_TAG, slow);
    host.store(
        widthLog2,
        this::hostAddress,
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

  /** Computes the virtual address into a local, and where the TLB may have it. */
  private void address(int base, long displacement) {
    get(base);
    if (displacement != 0) {
      constant(displacement);
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
  }

  private void compareTag(int widthLog2, int field, Label slow) {
    tlb(field);
    code.lload(ADDRESS);
    constant(SoftTlb.PAGE_MASK | (1 << widthLog2) - 1);
    code.land().lload(CONTEXT).lor().lcmp().ifne(slow);
  }

  private void hostAddress() {
    code.lload(ADDRESS);
    tlb(SoftTlb.ADDEND);
    code.ladd();
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
