package org.ascus.isa.node;

import com.oracle.truffle.api.frame.FrameDescriptor;
import com.oracle.truffle.api.frame.FrameSlotKind;

/**
 * The frame of a region: 64 guest registers, then the instruction budget, the data context of the soft TLB and the
 * virtual address of the region's entry. Static slots, because a heap array would alias with the TLB.
 */
public final class RegionFrame {
  public static final int REGISTERS = 64;
  public static final int BUDGET = 64;
  public static final int CONTEXT = 65;
  public static final int ENTRY_PC = 66;

  private RegionFrame() {}

  static FrameDescriptor descriptor() {
    FrameDescriptor.Builder builder = FrameDescriptor.newBuilder(ENTRY_PC + 1);
    builder.addSlots(ENTRY_PC + 1, FrameSlotKind.Static);
    return builder.build();
  }
}
