package org.ascus.isa.bytecode;

import static java.lang.constant.ConstantDescs.CD_long;

import java.lang.classfile.CodeBuilder;
import java.lang.classfile.Label;
import java.util.ArrayList;
import java.util.List;
import org.ascus.isa.cpu.Block;

/**
 * Emits code in which guest registers stay in the register file, and the budget in its field: the first compiler's
 * input. What a slow path would do is left to tier 0. A register's value is kept in a JVM local up to the next place
 * where control may come in.
 */
final class CompactAssembler extends RegionAssembler {
  private final Label step;
  private final List<Label> resumes = new ArrayList<>();
  private long known;

  /**
   * @param step where the number of a step on the stack is returned
   * @param used slots that get a local
   */
  CompactAssembler(CodeBuilder code, Label step, int[] used) {
    super(code, used);
    this.step = step;
  }

  /** Where the code goes on behind each step. */
  List<Label> resumes() {
    return resumes;
  }

  @Override
  public void begin(Block block, int offset, int count) {
    super.begin(block, offset, count);
    forget();
  }

  /** Control may come in here. */
  private void forget() {
    known = 0;
  }

  @Override
  public void get(int slot) {
    if (slot == 0) {
      code().lconst_0();
    } else if ((known >>> slot & 1) != 0) {
      code().lload(local(slot));
    } else {
      host().get(REGISTERS, slot);
      code().dup2().lstore(local(slot));
      known |= 1L << slot;
    }
  }

  @Override
  public void set(int slot) {
    if (slot == 0) {
      code().pop2();
    } else {
      host().put(REGISTERS, slot, local(slot));
      known |= 1L << slot;
    }
  }

  @Override
  void spend(int instructions) {
    cpu();
    code().dup().getfield(VCPU, "budget", CD_long).loadConstant((long) instructions).lsub();
    code().putfield(VCPU, "budget", CD_long);
  }

  @Override
  void budget() {
    field("budget", CD_long);
  }

  @Override
  void left(int from, int until, long reads, long writes, Label slow) {
    int number = step(from, until);
    slowPath(() -> code().labelBinding(slow).loadConstant(number).goto_(step));
    resumes.add(code().newBoundLabel());
    forget();
  }
}
