package org.ascus.isa.bytecode;

import static java.lang.constant.ConstantDescs.CD_boolean;
import static java.lang.constant.ConstantDescs.CD_int;
import static java.lang.constant.ConstantDescs.CD_long;

import java.lang.classfile.CodeBuilder;
import java.lang.classfile.Label;
import java.lang.constant.ClassDesc;
import java.lang.constant.MethodTypeDesc;

/** Emits code in which guest registers are JVM locals, and so is the budget: the second compiler's input. */
final class BestAssembler extends RegionAssembler {
  private static final MethodTypeDesc LOAD =
      MethodTypeDesc.of(CD_long, VCPU, CD_long, CD_long, CD_int, CD_long, CD_int, CD_int, CD_long);
  private static final MethodTypeDesc STORE =
      MethodTypeDesc.of(CD_boolean, VCPU, CD_long, CD_int, CD_long, CD_long, CD_int, CD_int, CD_long);
  private static final MethodTypeDesc GOES_ON =
      MethodTypeDesc.of(CD_boolean, VCPU, CD_long, CD_int, CD_int, CD_long);

  private final Label stopped;
  private final int[] used;
  private final int[] changed;

  /**
   * @param stopped where registers are stored before control leaves the region after an event, with an exact budget
   * @param used slots that get a local
   * @param changed those of them that the region writes
   */
  BestAssembler(CodeBuilder code, Label stopped, int[] used, int[] changed) {
    super(code, used);
    this.stopped = stopped;
    this.used = used;
    this.changed = changed;
  }

  @Override
  void prepare(ClassDesc isaClass) {
    super.prepare(isaClass);
    field("regs", LONGS);
    code().astore(REGISTERS);
    loadRegisters();
  }

  @Override
  public void get(int slot) {
    if (slot == 0) {
      code().lconst_0();
    } else {
      code().lload(local(slot));
    }
  }

  @Override
  public void set(int slot) {
    if (slot == 0) {
      code().pop2();
    } else {
      code().lstore(local(slot));
    }
  }

  @Override
  void spend(int instructions) {
    code().lload(BUDGET).loadConstant((long) instructions).lsub().lstore(BUDGET);
  }

  @Override
  void budget() {
    code().lload(BUDGET);
  }

  void syncBudget() {
    cpu();
    code().lload(BUDGET).putfield(VCPU, "budget", CD_long);
  }

  private void spill(int slot) {
    if (slot != 0) {
      get(slot);
      host().put(REGISTERS, slot, VALUE);
    }
  }

  private void reload(int slot) {
    if (slot != 0) {
      host().get(REGISTERS, slot);
      set(slot);
    }
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

  @Override
  public void load(int index, int target, int base, long displacement, int widthLog2, boolean signed, boolean boxed) {
    Label slow = code().newLabel();
    Label done = code().newLabel();
    loadHit(base, displacement, widthLog2, signed, boxed, slow);
    set(target);
    code().labelBinding(done);
    Runnable place = place(index);
    slowPath(
        () -> {
          code().labelBinding(slow);
          cpu();
          code().lload(ADDRESS);
          get(target);
          code().loadConstant(RegionHelp.access(widthLog2, signed, boxed));
          place.run();
          code().invokestatic(HELP, "load", LOAD);
          set(target);
          field("event", CD_int);
          code().ifne(stopped).goto_(done);
        });
  }

  @Override
  public void store(int index, int base, int source, long displacement, int widthLog2) {
    Label slow = code().newLabel();
    Label done = code().newLabel();
    storeHit(base, source, displacement, widthLog2, slow);
    code().labelBinding(done);
    Runnable place = place(index);
    slowPath(
        () -> {
          code().labelBinding(slow);
          cpu();
          code().lload(ADDRESS).loadConstant(widthLog2);
          get(source);
          place.run();
          code().invokestatic(HELP, "store", STORE).ifne(done).goto_(stopped);
        });
  }

  @Override
  public void guarded(int index, Runnable condition, Runnable mend, Runnable instruction) {
    Label slow = code().newLabel();
    Label done = code().newLabel();
    condition.run();
    code().ifeq(slow).labelBinding(done);
    Runnable place = place(index);
    slowPath(
        () -> {
          code().labelBinding(slow);
          mend.run();
          goesOn(place);
          code().goto_(done);
        });
    instruction.run();
  }

  @Override
  public void rare(int index, boolean system, int[] registers, Runnable instruction) {
    for (int slot : registers) {
      spill(slot);
    }
    instruction.run();
    // The last of them is the one that was set.
    reload(registers[registers.length - 1]);
    if (system) {
      reloadContext();
    }
    goesOn(place(index));
  }

  /** Leaves the region after an event, with an exact CPU: at this instruction for a trap and behind it otherwise. */
  private void goesOn(Runnable place) {
    cpu();
    place.run();
    code().invokestatic(HELP, "goesOn", GOES_ON).ifeq(stopped);
  }

  /** Pushes where an instruction is, for a helper that makes pc and budget exact: head, offset, length, budget. */
  private Runnable place(int index) {
    int offset = offset(index);
    int length = length(index);
    long remaining = remaining(index);
    return () -> {
      code().lload(HEAD).loadConstant(offset).loadConstant(length);
      code().lload(BUDGET).loadConstant(remaining).ladd();
    };
  }
}
