package org.ascus.isa.code;

import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.ascus.isa.cpu.Block;

/**
 * What an ISA has a tier emit for the instructions of a block: a machine with a stack of values, longs but for what
 * semantic methods ask for. Slots are those of the register file.
 */
public abstract class BlockAssembler {
  private final List<Step> steps = new ArrayList<>();
  private Block block;
  private int blockOffset;
  private int blockCount;

  /** What follows is {@code block}, {@code offset} bytes from the head, with {@code count} emitted instructions. */
  public void begin(Block block, int offset, int count) {
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

  /** Pushes a number. */
  public abstract void constant(long value);

  /** Pushes a number, for a parameter of type int. */
  public abstract void number(int value);

  /** Pushes the virtual address {@code offset} bytes from the head. */
  public abstract void address(int offset);

  /** Pushes what {@code method} returns given the CPU, of the ISA's class: its status or rounding mode. */
  public abstract void cpuValue(Method method);

  /** Pushes what is in {@code slot}, one behind those of registers. */
  public abstract void state(int slot);

  /** Pops into {@code slot}, one behind those of registers; nothing else may depend on it. */
  public abstract void setState(int slot);

  /** Pops what {@code method} takes; tier 0 does the stretch if it is true. Only where a stretch begins. */
  public abstract void unless(Method method);

  /** Pushes the floating-point exceptions raised so far, as {@code org.ascus.isa.fp.FpFlags}. */
  public abstract void exceptions();

  /** Pops what {@link #exceptions} pushes from now on: {@code org.ascus.isa.fp.FpFlags} and no other bits. */
  public abstract void setExceptions();

  /**
   * Whether floating-point instructions can round by {@code mode}, one of {@code org.ascus.isa.fp.RoundingMode}.
   *
   * @param toInteger whether it is a conversion to an integer
   */
  public abstract boolean rounds(int mode, boolean toInteger);

  /** Whether what rounds by the CPU's mode is only for the mode to the nearest, else for any. */
  public abstract boolean roundsToNearestOnly();

  /** Whether {@link #apply} can emit {@code method}. */
  public abstract boolean emits(Method method);

  /** Pops what a static method takes, the last of it first, and pushes its result. */
  public abstract void apply(Method method);

  /** Pops what {@code method} takes; if it is true control goes to where the block's branch leads. */
  public abstract void branch(Method method);

  /** The next block that tier 0 executes counts as a loop head. */
  public abstract void hotEdge();

  /** Most groups of accesses that a stretch may have. */
  protected abstract int maxGroups();

  /**
   * Up to {@link #end} it is {@code stretch}.
   *
   * @param guard unless it is 0, tier 0 does the stretch if the CPU's {@code ready()} does not have all these bits
   */
  protected abstract void begin(Stretch stretch, int guard);

  /** The end of what {@link #begin} began. */
  protected abstract void end();

  /** Leaves instruction {@code index} to tier 0. */
  protected abstract void left(int index, Effect effect);

  /**
   * Pushes the value that instruction {@code index} of the stretch loads.
   *
   * @param boxed whether the bits above the width become ones
   */
  public abstract void load(int index, Effect.Access access, boolean signed, boolean boxed);

  /** Has instruction {@code index} of the stretch store register {@code source}. */
  public abstract void store(int index, Effect.Access access, int source);

  /** Whether atomic accesses and {@link #zero} can be emitted. */
  public abstract boolean emitsExchanges();

  /**
   * Has instruction {@code index} of the stretch replace what is in memory, in one atomic step that no other access of
   * the CPU passes, and pushes what was there, sign-extended.
   *
   * @param operation what makes the new value, of the old one and register {@code source}; if empty it is the latter
   */
  public abstract void exchange(
      int index, Effect.Access access, Optional<Formula.Operation> operation, int source);

  /**
   * Has instruction {@code index} of the stretch load with a reservation, and pushes the value, sign-extended.
   *
   * @param fence whether no earlier access passes it
   */
  public abstract void loadReserved(int index, Effect.Access access, boolean fence);

  /**
   * Has instruction {@code index} of the stretch store register {@code source} if the reservation stands, as an access
   * that no other passes, and pushes 0 if it has or 1 if not.
   */
  public abstract void storeConditional(int index, Effect.Access access, int source);

  /** Has instruction {@code index} of the stretch zero the aligned {@code bytes}, a power of two, around its access. */
  public abstract void zero(int index, Effect.Access access, int bytes);

  /** No access passes this; if it is not {@code full}, later loads may pass earlier stores. */
  public abstract void fence(boolean full);

  /** Notes what the instructions of a step are; its number is how many there were before. */
  protected final int step(int from, int until) {
    steps.add(new Step(block, from, until, offset(from), blockCount - from));
    return steps.size() - 1;
  }

  public final List<Step> steps() {
    return steps;
  }
}
