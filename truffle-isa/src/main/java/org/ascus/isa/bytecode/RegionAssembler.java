package org.ascus.isa.bytecode;

import static java.lang.constant.ConstantDescs.CD_boolean;
import static java.lang.constant.ConstantDescs.CD_byte;
import static java.lang.constant.ConstantDescs.CD_int;
import static java.lang.constant.ConstantDescs.CD_long;
import static java.lang.constant.ConstantDescs.CD_short;
import static java.lang.constant.ConstantDescs.CD_void;

import java.lang.classfile.CodeBuilder;
import java.lang.classfile.Label;
import java.lang.constant.ClassDesc;
import java.lang.constant.MethodTypeDesc;
import java.util.ArrayList;
import java.util.List;
import org.ascus.isa.cpu.VCpu;
import org.ascus.isa.mmu.SoftTlb;
import org.ascus.machine.bus.host.HostMemory;

/**
 * Emits the bytecode of one region's instructions. Guest registers are JVM locals, and so are the instruction budget,
 * the data context and the virtual address of the region's entry. Slow paths are collected and emitted behind the code.
 */
public final class RegionAssembler {
  static final ClassDesc VCPU = desc(VCpu.class);
  static final ClassDesc HELP = desc(RegionHelp.class);
  static final ClassDesc LONGS = CD_long.arrayType();
  private static final ClassDesc MEMORY = desc(HostMemory.class);
  private static final MethodTypeDesc OFFSET = MethodTypeDesc.of(CD_long, CD_long);
  private static final MethodTypeDesc ELEMENT = MethodTypeDesc.of(CD_long, LONGS, CD_long);
  private static final MethodTypeDesc LOAD =
      MethodTypeDesc.of(CD_long, VCPU, CD_long, CD_long, CD_int, CD_long, CD_int, CD_int, CD_long);
  private static final MethodTypeDesc STORE =
      MethodTypeDesc.of(CD_boolean, VCPU, CD_long, CD_int, CD_long, CD_long, CD_int, CD_int, CD_long);
  private static final MethodTypeDesc GOES_ON =
      MethodTypeDesc.of(CD_boolean, VCPU, CD_long, CD_int, CD_int, CD_long);
  private static final ClassDesc[] WIDTHS = {CD_byte, CD_short, CD_int, CD_long};
  private static final String[] NAMES = {"Byte", "Short", "Int", "Long"};

  static final int CPU = 1;
  static final int BUDGET = 2;
  static final int CONTEXT = 4;
  static final int TLB_ARRAY = 6;
  static final int ENTRY = 7;
  static final int VALUE = 9;
  private static final int ADDRESS = 11;
  private static final int TLB_OFFSET = 13;
  private static final int STORED = 15;
  private static final int ISA_CPU = 17;
  private static final int FIRST_REGISTER = 18;

  private final CodeBuilder code;
  private final Label leave;
  private final int[] used;
  private final int[] changed;
  private final int[] local = new int[64];
  private final List<Runnable> slowPaths = new ArrayList<>();

  /**
   * @param leave where registers are stored before control leaves the region
   * @param used slots that get a local
   * @param changed those of them that the region writes
   */
  RegionAssembler(CodeBuilder code, Label leave, int[] used, int[] changed) {
    this.code = code;
    this.leave = leave;
    this.used = used;
    this.changed = changed;
    int next = FIRST_REGISTER;
    for (int slot : used) {
      local[slot] = next;
      next += 2;
    }
  }

  public static ClassDesc desc(Class<?> type) {
    return type.describeConstable().orElseThrow();
  }

  public CodeBuilder code() {
    return code;
  }

  /** Pushes a register; slot 0 reads as zero. */
  public void get(int slot) {
    if (slot == 0) {
      code.lconst_0();
    } else {
      code.lload(local[slot]);
    }
  }

  /** Pops into a register; what goes into slot 0 is gone. */
  public void set(int slot) {
    if (slot == 0) {
      code.pop2();
    } else {
      code.lstore(local[slot]);
    }
  }

  public void constant(long value) {
    code.loadConstant(value);
  }

  /** Pushes the CPU. */
  public void cpu() {
    code.aload(CPU);
  }

  /** Pushes the CPU, of the ISA's class. */
  public void isaCpu() {
    code.aload(ISA_CPU);
  }

  void castCpu(ClassDesc isaClass) {
    code.aload(CPU).checkcast(isaClass).astore(ISA_CPU);
  }

  /** Has {@code path}, which starts with a label of its own, emitted behind the region's code. */
  public void slowPath(Runnable path) {
    slowPaths.add(path);
  }

  /** Pushes the virtual address {@code offset} bytes from the entry. */
  public void address(int offset) {
    code.lload(ENTRY);
    if (offset != 0) {
      constant(offset);
      code.ladd();
    }
  }

  /** Pushes the instruction count's budget as it was {@code instructions} ago. */
  public void budget(int instructions) {
    code.lload(BUDGET);
    if (instructions != 0) {
      constant(instructions);
      code.ladd();
    }
  }

  /** Pops an int; leaves the region after the CPU was left exact by what pushed it, if it is zero. */
  public void leaveIfZero() {
    code.ifeq(leave);
  }

  /** The data context may have changed. */
  public void reloadContext() {
    cpu();
    code.getfield(VCPU, "context", CD_long).lstore(CONTEXT);
  }

  /** Writes a register back to the CPU, for a helper that works on the register file. */
  public void spill(int slot) {
    if (slot != 0) {
      registers();
      code.loadConstant(slot).lload(local[slot]).lastore();
    }
  }

  /** Undoes {@link #spill} with what the helper made of the register. */
  public void reload(int slot) {
    if (slot != 0) {
      registers();
      code.loadConstant(slot).laload().lstore(local[slot]);
    }
  }

  private void registers() {
    cpu();
    code.getfield(VCPU, "regs", LONGS);
  }

  void loadRegisters() {
    for (int slot : used) {
      reload(slot);
    }
  }

  void storeRegisters() {
    for (int slot : changed) {
      spill(slot);
    }
  }

  /**
   * A load into slot {@code target}.
   *
   * @param offset of the instruction from the entry, and its {@code length}, in bytes
   * @param remaining instructions of the block from this one on
   * @param boxed whether the bits above the width become ones
   */
  public void load(
      int offset, int length, int remaining, int target, int base, long displacement, int widthLog2, boolean signed,
      boolean boxed) {
    Label slow = code.newLabel();
    Label done = code.newLabel();
    address(base, displacement);
    compareTag(widthLog2, SoftTlb.READ_TAG, slow);
    hostAddress();
    code.invokestatic(MEMORY, "get" + NAMES[widthLog2], MethodTypeDesc.of(WIDTHS[widthLog2], CD_long));
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
    set(target);
    code.labelBinding(done);
    slowPaths.add(
        () -> {
          code.labelBinding(slow);
          cpu();
          code.lload(ADDRESS);
          get(target);
          code.loadConstant(RegionHelp.access(widthLog2, signed, boxed));
          place(offset, length, remaining);
          code.invokestatic(HELP, "load", LOAD);
          set(target);
          cpu();
          code.getfield(VCPU, "event", CD_int).ifne(leave).goto_(done);
        });
  }

  /** A store of slot {@code source}; parameters as for {@link #load}. */
  public void store(
      int offset, int length, int remaining, int base, int source, long displacement, int widthLog2) {
    Label slow = code.newLabel();
    Label done = code.newLabel();
    address(base, displacement);
    compareTag(widthLog2, SoftTlb.WRITE_TAG, slow);
    hostAddress();
    get(source);
    if (widthLog2 < 3) {
      code.l2i();
      if (widthLog2 == 0) {
        code.i2b();
      } else if (widthLog2 == 1) {
        code.i2s();
      }
    }
    code.invokestatic(MEMORY, "put" + NAMES[widthLog2], MethodTypeDesc.of(CD_void, CD_long, WIDTHS[widthLog2]));
    code.labelBinding(done);
    slowPaths.add(
        () -> {
          code.labelBinding(slow);
          cpu();
          code.lload(ADDRESS).loadConstant(widthLog2);
          get(source);
          place(offset, length, remaining);
          code.invokestatic(HELP, "store", STORE).ifne(done).goto_(leave);
        });
  }

  private void address(int base, long displacement) {
    get(base);
    if (displacement != 0) {
      constant(displacement);
      code.ladd();
    }
    code.dup2().lstore(ADDRESS);
    code.invokestatic(HELP, "tlbOffset", OFFSET).lstore(TLB_OFFSET);
  }

  private void compareTag(int widthLog2, int field, Label slow) {
    element(field);
    code.lload(ADDRESS);
    constant(SoftTlb.PAGE_MASK | (1 << widthLog2) - 1);
    code.land().lload(CONTEXT).lor().lcmp().ifne(slow);
  }

  private void hostAddress() {
    code.lload(ADDRESS);
    element(SoftTlb.ADDEND);
    code.ladd();
  }

  private void element(int field) {
    code.aload(TLB_ARRAY).lload(TLB_OFFSET);
    if (field != 0) {
      constant(8L * field);
      code.ladd();
    }
    code.invokestatic(MEMORY, "getElement", ELEMENT);
  }

  /**
   * After something that may have raised an event: pushes 1 if the region goes on, else makes pc and budget exact,
   * which leaves at this instruction for a trap and behind it otherwise, and pushes 0.
   */
  public void goesOn(int offset, int length, int remaining) {
    cpu();
    place(offset, length, remaining);
    code.invokestatic(HELP, "goesOn", GOES_ON);
  }

  /** Pushes where an instruction is, for a helper that makes pc and budget exact: entry, offset, length, budget. */
  private void place(int offset, int length, int remaining) {
    code.lload(ENTRY).loadConstant(offset).loadConstant(length);
    budget(remaining);
  }

  void emitSlowPaths() {
    slowPaths.forEach(Runnable::run);
  }
}
