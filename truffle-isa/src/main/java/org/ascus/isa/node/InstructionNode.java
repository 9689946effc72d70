package org.ascus.isa.node;

import com.oracle.truffle.api.CompilerDirectives.TruffleBoundary;
import com.oracle.truffle.api.frame.VirtualFrame;
import com.oracle.truffle.api.nodes.Node;
import org.ascus.isa.cpu.VCpu;

/** One guest instruction of a block, its terminator aside. Everything that the table said of it is a constant. */
public abstract class InstructionNode extends Node {
  /** Byte offset from the region's entry. */
  protected final int offset;

  /** Byte length. */
  protected final int length;

  /** Instructions of the block from this one on, itself included. */
  protected final int remaining;

  protected InstructionNode(int offset, int length, int remaining) {
    this.offset = offset;
    this.length = length;
    this.remaining = remaining;
  }

  /**
   * Executes the instruction.
   *
   * @return false if the region must be left now: pc, budget and event are in the CPU already, registers are not
   */
  public abstract boolean execute(VirtualFrame frame, VCpu cpu);

  protected static long get(VirtualFrame frame, int slot) {
    return slot == 0 ? 0 : frame.getLongStatic(slot);
  }

  protected static void set(VirtualFrame frame, int slot, long value) {
    if (slot != 0) {
      frame.setLongStatic(slot, value);
    }
  }

  protected final long pc(VirtualFrame frame) {
    return frame.getLongStatic(RegionFrame.ENTRY_PC) + offset;
  }

  /** Makes the instruction count exact before a call that may look at it. */
  protected final void syncBudget(VirtualFrame frame, VCpu cpu) {
    cpu.budget = frame.getLongStatic(RegionFrame.BUDGET) + remaining;
  }

  /**
   * False if the instruction raised an event, which leaves the region: at this instruction for a trap, else after it.
   */
  protected final boolean goesOn(VirtualFrame frame, VCpu cpu) {
    if (cpu.event != VCpu.NONE) {
      cpu.budget = frame.getLongStatic(RegionFrame.BUDGET) + remaining - 1;
      cpu.pc = frame.getLongStatic(RegionFrame.ENTRY_PC) + (cpu.event == VCpu.TRAP ? offset : offset + length);
      return false;
    }
    return true;
  }

  @TruffleBoundary
  protected static long loadSlow(VCpu cpu, long va, int widthLog2) {
    return cpu.loadSlow(va, widthLog2);
  }

  @TruffleBoundary
  protected static void storeSlow(VCpu cpu, long va, int widthLog2, long value) {
    cpu.storeSlow(va, widthLog2, value);
  }

}
