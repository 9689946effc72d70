package org.ascus.isa.node;

import com.oracle.truffle.api.nodes.ControlFlowException;

/** Leaves a region from the middle of a block; pc, budget and event are in the CPU already, registers are not. */
public final class RegionExit extends ControlFlowException {
  private static final long serialVersionUID = 1L;

  public static final RegionExit INSTANCE = new RegionExit();

  private RegionExit() {}
}
