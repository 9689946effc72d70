package org.ascus.isa.node;

import com.oracle.truffle.api.frame.VirtualFrame;
import org.ascus.isa.cpu.VCpu;
import org.ascus.isa.mmu.SoftTlb;
import org.ascus.machine.bus.host.HostMemory;

/** A store with the TLB hit inline. */
public final class StoreNode extends InstructionNode {
  private final int base;
  private final int source;
  private final long displacement;
  private final int widthLog2;

  public StoreNode(int offset, int length, int remaining, int base, int source, long displacement, int widthLog2) {
    super(offset, length, remaining);
    this.base = base;
    this.source = source;
    this.displacement = displacement;
    this.widthLog2 = widthLog2;
  }

  @Override
  public boolean execute(VirtualFrame frame, VCpu cpu) {
    long va = get(frame, base) + displacement;
    long value = get(frame, source);
    long[] tlb = cpu.tlb;
    int i = SoftTlb.index(va);
    long tag = va & (SoftTlb.PAGE_MASK | (1 << widthLog2) - 1) | frame.getLongStatic(RegionFrame.CONTEXT);
    if (tlb[i + SoftTlb.WRITE_TAG] == tag) {
      long address = va + tlb[i + SoftTlb.ADDEND];
      switch (widthLog2) {
        case 0 -> HostMemory.putByte(address, (byte) value);
        case 1 -> HostMemory.putShort(address, (short) value);
        case 2 -> HostMemory.putInt(address, (int) value);
        default -> HostMemory.putLong(address, value);
      }
    } else {
      syncBudget(frame, cpu);
      storeSlow(cpu, va, widthLog2, value);
      return goesOn(frame, cpu);
    }
    return true;
  }
}
