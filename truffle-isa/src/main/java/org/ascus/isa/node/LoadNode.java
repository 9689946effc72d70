package org.ascus.isa.node;

import com.oracle.truffle.api.frame.VirtualFrame;
import org.ascus.isa.cpu.VCpu;
import org.ascus.isa.mmu.SoftTlb;
import org.ascus.machine.bus.host.HostMemory;

/** A load with the TLB hit inline; what it loads is a constant, so that one shape of code remains of each. */
public final class LoadNode extends InstructionNode {
  private final int target;
  private final int base;
  private final long displacement;
  private final int widthLog2;
  private final boolean signed;
  private final long orMask;

  /**
   * @param orMask is or-ed into the result: NaN boxes of narrow floating-point loads
   */
  public LoadNode(
      int offset, int length, int remaining, int target, int base, long displacement, int widthLog2, boolean signed,
      long orMask) {
    super(offset, length, remaining);
    this.target = target;
    this.base = base;
    this.displacement = displacement;
    this.widthLog2 = widthLog2;
    this.signed = signed;
    this.orMask = orMask;
  }

  @Override
  public boolean execute(VirtualFrame frame, VCpu cpu) {
    long va = get(frame, base) + displacement;
    long[] tlb = cpu.tlb;
    int i = SoftTlb.index(va);
    long tag = va & (SoftTlb.PAGE_MASK | (1 << widthLog2) - 1) | frame.getLongStatic(RegionFrame.CONTEXT);
    if (tlb[i] == tag) {
      set(frame, target, extend(raw(va + tlb[i + SoftTlb.ADDEND])));
    } else {
      syncBudget(frame, cpu);
      long value = loadSlow(cpu, va, widthLog2);
      if (cpu.event != VCpu.TRAP) {
        set(frame, target, extend(value));
      }
      return goesOn(frame, cpu);
    }
    return true;
  }

  private long raw(long address) {
    return switch (widthLog2) {
      case 0 -> HostMemory.getByte(address);
      case 1 -> HostMemory.getShort(address);
      case 2 -> HostMemory.getInt(address);
      default -> HostMemory.getLong(address);
    };
  }

  private long extend(long value) {
    return switch (widthLog2) {
      case 0 -> signed ? (byte) value : value & 0xff;
      case 1 -> signed ? (short) value : value & 0xffff;
      case 2 -> (signed ? (int) value : value & 0xffffffffL) | orMask;
      default -> value;
    };
  }
}
