package org.ascus.isa.bytecode;

import java.lang.reflect.Method;
import org.ascus.isa.code.Step;
import org.ascus.isa.cpu.VCpu;
import org.ascus.isa.region.HeadRegion;

/** A region for HotSpot's second compiler, which keeps guest registers in the host's: its {@code run} is generated. */
public abstract class BestRegion extends HeadRegion {
  /**
   * What belongs to the generated code.
   *
   * @param steps instructions that tier 0 does when the code asks it to
   */
  public record Parts(Extent extent, Step[] steps) {}

  private final Method code = HotSpotCompiler.generated(getClass());
  private final Step[] steps;

  RegionPromotion.Stage stage = RegionPromotion.Stage.PROFILING;

  /** Slices that have ended here since {@link #stage} changed. */
  int samples;

  /** Slices that have ended here. */
  int spent;

  /** How often HotSpot has thrown its code away. */
  int attempts;

  protected BestRegion(Parts parts) {
    super(parts.extent());
    steps = parts.steps();
  }

  /** Has tier 0 do step {@code number}, see {@link Step#execute}. */
  public final boolean step(VCpu cpu, long head, int number) {
    return steps[number].execute(cpu, head);
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
