package org.ascus.isa.code;

/** Emits the straight-line part of a block, which an ISA describes instruction by instruction. */
public abstract class StraightCode {
  /** Where the code goes. */
  protected final BlockAssembler to;

  private final int count;

  /** @param count how many of the block's instructions there are before the one that ends it */
  protected StraightCode(BlockAssembler to, int count) {
    this.to = to;
    this.count = count;
  }

  /** Of instruction {@code index}, given what was emitted up to now. */
  protected abstract Effect effect(int index);

  /** The bits of the CPU's {@code ready()} that guarded ones of {@code from} to {@code until - 1} need, or 0. */
  protected abstract int guard(int from, int until);

  /** Instruction {@code index} was left to tier 0. */
  protected abstract void left(int index);

  /** Emits instruction {@code index}. */
  protected abstract void instruction(int index, Effect effect);

  /** Emits all. */
  public final void emit() {
    int i = 0;
    while (i < count) {
      Effect effect = effect(i);
      if (!effect.inline()) {
        to.left(i, effect);
        left(i);
        i++;
      } else if (effect.guarded() || effect.access().isPresent()) {
        Stretch stretch = new Stretch(i, count, to.maxGroups(), this::effect);
        to.begin(stretch, guard(i, stretch.until()));
        for (; i < stretch.until(); i++) {
          instruction(i, stretch.effect(i));
        }
        to.end();
      } else {
        instruction(i, effect);
        i++;
      }
    }
  }
}
