package org.ascus.isa.bytecode;

import java.lang.reflect.Method;
import org.ascus.isa.cpu.VCpu;
import org.ascus.isa.region.HeadRegion;

/** A region for HotSpot's second compiler, which keeps guest registers in the host's: its {@code run} is generated. */
public abstract class BestRegion extends HeadRegion {
  private final Method code = HotSpotCompiler.generated(getClass());

  RegionPromotion.Stage stage = RegionPromotion.Stage.PROFILING;

  /** Slices that have ended here since {@link #stage} changed. */
  int samples;

  /** How often HotSpot has thrown its code away. */
  int attempts;

  protected BestRegion(Extent extent) {
    super(extent);
  }

  /** What HotSpot compiles. */
  final Method code() {
    return code;
  }

  @Override
  public final void invalidate() {
    super.invalidate();
    head().requestedBest = false;
  }

  @Override
  public abstract int run(VCpu cpu, long head, int place);
}
