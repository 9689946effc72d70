package org.ascus.isa.bytecode;

import org.ascus.isa.cpu.CompiledCode;
import org.ascus.isa.cpu.VCpu;
import org.ascus.isa.mmu.SoftTlb;

/** What generated code calls; the hot ones are small enough to be inlined. */
public final class RegionHelp {
  private static final long MASK = 8L * SoftTlb.INDEX_MASK;

  private RegionHelp() {}

  /** Byte offset of the TLB entry of {@code va} from the TLB's first element. */
  public static long tlbOffset(long va) {
    return va >>> SoftTlb.INDEX_SHIFT - 3 & MASK;
  }

  /** A load that missed the TLB, extended to 64 bits; {@code budget} is exact for this instruction. */
  public static long load(VCpu cpu, long va, int widthLog2, int signed, long budget) {
    cpu.budget = budget;
    long value = cpu.loadSlow(va, widthLog2);
    int unused = 64 - (8 << widthLog2);
    return signed != 0 ? value << unused >> unused : value << unused >>> unused;
  }

  /** A store that missed the TLB; true if there was no event. */
  public static boolean store(VCpu cpu, long va, int widthLog2, long value, long budget) {
    cpu.budget = budget;
    cpu.storeSlow(va, widthLog2, value);
    return cpu.event == VCpu.NONE;
  }

  /** Makes pc and budget exact after an event; false if it is a trap. */
  public static boolean event(VCpu cpu, long entry, int offset, int length, long budget) {
    cpu.budget = budget;
    if (cpu.event == VCpu.TRAP) {
      cpu.pc = entry + offset;
      return false;
    }
    cpu.pc = entry + offset + length;
    return true;
  }

  public static boolean goesOn(VCpu cpu, long entry, int offset, int length, long budget) {
    if (cpu.event == VCpu.NONE) {
      return true;
    }
    event(cpu, entry, offset, length, budget);
    return false;
  }

  /** Calls the compiled code at {@code target}, which is the CPU's pc; false if there is none that can be called. */
  public static boolean call(VCpu cpu, long target) {
    CompiledCode code = cpu.callDepth < VCpu.MAX_CALL_DEPTH ? cpu.findCompiled(target) : null;
    if (code == null) {
      cpu.hotEdge = true;
      return false;
    }
    cpu.callDepth++;
    code.run(cpu);
    cpu.callDepth--;
    return true;
  }

  /** Whether {@code region} can call its own entry; {@link #calledSelf} comes after that. */
  public static boolean callsSelf(VCpu cpu, BytecodeRegion region) {
    if (cpu.callDepth >= VCpu.MAX_CALL_DEPTH || !region.isValid()) {
      return false;
    }
    cpu.callDepth++;
    return true;
  }

  public static void calledSelf(VCpu cpu) {
    cpu.callDepth--;
  }

  /** True if a call has come back to {@code link} and its caller may go on. */
  public static boolean returned(VCpu cpu, long link) {
    return cpu.pc == link && cpu.budget > 0 && cpu.event == VCpu.NONE;
  }

  /** How far {@code target} is from {@code entry}, in bytes; {@link Integer#MIN_VALUE} if too far for an int. */
  public static int distance(long target, long entry) {
    long distance = target - entry;
    return distance == (int) distance ? (int) distance : Integer.MIN_VALUE;
  }
}
