package org.ascus.isa.bytecode;

import org.ascus.isa.cpu.BetweenRegions;
import org.ascus.isa.cpu.EntryPoint;
import org.ascus.isa.cpu.Slots;
import org.ascus.isa.cpu.VCpu;

/** What generated code calls; the hot ones are small enough to be inlined. */
public final class RegionHelp {
  /** What makes a single-precision number of its lower half. */
  static final long BOX = 0xffffffff00000000L;

  private RegionHelp() {}

  /**
   * Calls the code at the CPU's pc.
   *
   * @param link where the call returns to
   * @return whether it has come back and its caller may go on; if not, the CPU is exact
   */
  @BetweenRegions
  public static boolean call(VCpu cpu, long link) {
    // Without the second, a chain of calls without loops would go far beyond the budget.
    if (cpu.callDepth >= VCpu.MAX_CALL_DEPTH || cpu.budget <= 0) {
      return false;
    }
    EntryPoint entry = cpu.fetchEntry();
    if (entry == null) {
      cpu.hotEdge = true;
      return false;
    }
    long stop = cpu.regs[Slots.STOP];
    cpu.regs[Slots.STOP] = link;
    cpu.callDepth++;
    cpu.run(entry);
    boolean back = cpu.pc == link ? mayGoOn(cpu) : comesBack(cpu, link);
    cpu.callDepth--;
    cpu.regs[Slots.STOP] = stop;
    return back;
  }

  /** Whether {@code region} can call its own head; {@link #calledSelf} comes after that. */
  public static boolean callsSelf(VCpu cpu, BestRegion region) {
    if (cpu.callDepth >= VCpu.MAX_CALL_DEPTH || !region.isValid()) {
      return false;
    }
    cpu.callDepth++;
    return true;
  }

  /** See {@link #call}, after a region has called itself. */
  public static boolean calledSelf(VCpu cpu, long link) {
    boolean back = cpu.pc == link ? mayGoOn(cpu) : comesBack(cpu, link);
    cpu.callDepth--;
    return back;
  }

  private static boolean mayGoOn(VCpu cpu) {
    return cpu.budget > 0 && cpu.event == VCpu.NONE;
  }

  /** Goes on where the callee has left compiled code, for as long as there is more of it. */
  @BetweenRegions
  private static boolean comesBack(VCpu cpu, long link) {
    while (mayGoOn(cpu)) {
      if (cpu.pc == link) {
        return true;
      }
      EntryPoint entry = cpu.fetchEntry();
      if (entry == null) {
        return false;
      }
      entry.code.arrivals++;
      cpu.run(entry);
    }
    return false;
  }

  public static long exceptions(VCpu cpu) {
    return cpu.fp.flags;
  }

  public static void setExceptions(long flags, VCpu cpu) {
    cpu.fp.flags = (int) flags;
  }

  /** How far {@code target} is from {@code entry}, in bytes; {@link Integer#MIN_VALUE} if too far for an int. */
  public static int distance(long target, long entry) {
    long distance = target - entry;
    return distance == (int) distance ? (int) distance : Integer.MIN_VALUE;
  }
}
