package org.ascus.machine.cpu;

import java.util.List;
import java.util.OptionalLong;
import org.ascus.machine.irq.IrqLine;
import org.ascus.machine.state.Stateful;

/**
 * What a machine needs of a virtual CPU. {@link #run} is called by one thread at a time; {@link #requestExit} and the
 * interrupt lines may be used by any thread; everything else only while the CPU does not run.
 */
public interface Cpu extends Stateful {
  /** Why {@link #run} returned. */
  enum Stop {
    /** The budget is used up, to the instruction. */
    BUDGET,
    /** {@link #requestExit} was called. */
    REQUESTED,
    /** Waiting for an interrupt, in a machine that runs by instruction count (otherwise the thread sleeps in run). */
    HALTED,
    /** The next instruction has a breakpoint. */
    BREAKPOINT
  }

  /** Number of this CPU in its machine, from 0. */
  int index();

  /** Short name of the guest ISA, such as {@code riscv64}. */
  String isa();

  /**
   * Executes guest instructions on the calling thread.
   *
   * @param budget at most this many instructions; {@link Long#MAX_VALUE} for no limit
   */
  Stop run(long budget);

  /** Makes {@link #run} return soon; it stays requested until {@link #clearExitRequest}. */
  void requestExit();

  void clearExitRequest();

  /** The state after power-on or reset; the CPU starts at its reset vector. */
  void reset();

  /** Interrupt input {@code number}; the numbers are the ISA's own. */
  IrqLine interrupt(int number);

  /** Instructions executed (retired, plus those that trapped) since reset of the machine. */
  long instructionCount();

  /** Names that {@link #register} takes, in the order of the debugger's view. */
  List<String> registerNames();

  /**
   * A register by its architectural or ABI name.
   *
   * @throws IllegalArgumentException when there is no such register
   */
  long register(String name);

  void setRegister(String name, long value);

  /** The program counter. */
  long pc();

  /** Physical address of a virtual one in the current context, without side effects; empty when it would fault. */
  OptionalLong translate(long virtualAddress);

  void addBreakpoint(long virtualAddress);

  void removeBreakpoint(long virtualAddress);

  /**
   * The counter of guest time that programs read was moved; by any thread, also while the CPU runs.
   *
   * @param ticks ahead of guest time, in ticks of that counter
   */
  default void setTimeOffset(long ticks) {}

  /** Text for {@code info registers}. */
  String describe();

  /** Text for {@code info jit}; empty for a CPU that does not translate. */
  default String describeTranslation() {
    return "";
  }
}
