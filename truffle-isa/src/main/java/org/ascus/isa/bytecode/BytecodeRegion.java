package org.ascus.isa.bytecode;

import org.ascus.isa.cpu.VCpu;
import org.ascus.isa.region.Region;

/** A region whose code is the generated subclass's {@code run}; given null in place of a CPU it returns at once. */
public abstract class BytecodeRegion extends Region {
  protected BytecodeRegion(Extent extent) {
    super(extent);
  }

  @Override
  public abstract void run(VCpu cpu);
}
