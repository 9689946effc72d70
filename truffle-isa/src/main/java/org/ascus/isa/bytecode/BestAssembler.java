package org.ascus.isa.bytecode;

import static java.lang.constant.ConstantDescs.CD_boolean;
import static java.lang.constant.ConstantDescs.CD_int;
import static java.lang.constant.ConstantDescs.CD_long;

import java.lang.classfile.CodeBuilder;
import java.lang.classfile.Label;
import java.lang.constant.ClassDesc;
import java.lang.constant.MethodTypeDesc;
import java.util.function.IntConsumer;

/** Emits code in which guest registers are JVM locals, and so is the budget: the second compiler's input. */
final class BestAssembler extends RegionAssembler {
  private static final ClassDesc REGION = desc(BestRegion.class);
  private static final MethodTypeDesc STEP = MethodTypeDesc.of(CD_boolean, VCPU, CD_long, CD_int);

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
  void left(int from, int until, long reads, long writes, Label slow) {
    int number = step(from, until);
    Label done = code().newBoundLabel();
    slowPath(
        () -> {
          code().labelBinding(slow);
          slots(reads | writes, this::spill);
          syncBudget();
          code().aload(0);
          cpu();
          code().lload(HEAD).loadConstant(number).invokevirtual(REGION, "step", STEP).istore(DISTANCE);
          slots(writes, this::reload);
          reloadContext();
          code().iload(DISTANCE).ifne(done).goto_(stopped);
        });
  }

  private static void slots(long set, IntConsumer action) {
    for (long rest = set & ~1L; rest != 0; rest &= rest - 1) {
      action.accept(Long.numberOfTrailingZeros(rest));
    }
  }
}
