package org.ascus.isa.bytecode;

import java.lang.reflect.Method;
import org.ascus.isa.cpu.VCpu;
import org.ascus.isa.region.Region;

/** A region whose code is the generated subclass's {@code run}; given null in place of a CPU it returns at once. */
public abstract class BytecodeRegion extends Region {
  RegionPromotion.Stage stage = RegionPromotion.Stage.QUICK;

  /** Slices that have ended here since it was promoted last. */
  int samples;

  int attempts;

  private final Method code;

  protected BytecodeRegion(Extent extent) {
    super(extent);
    try {
      code = getClass().getDeclaredMethod("run", VCpu.class);
    } catch (NoSuchMethodException e) {
      throw new IllegalStateException(e);
    }
  }

  /** What HotSpot compiles. */
  final Method code() {
    return code;
  }

  @Override
  public abstract void run(VCpu cpu);
}
