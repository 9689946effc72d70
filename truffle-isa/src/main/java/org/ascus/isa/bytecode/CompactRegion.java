package org.ascus.isa.bytecode;

import java.lang.reflect.Method;
import org.ascus.isa.code.Step;
import org.ascus.isa.cpu.BetweenRegions;
import org.ascus.isa.cpu.Block;
import org.ascus.isa.cpu.VCpu;
import org.ascus.isa.region.BaselineRegion;

/** A region for HotSpot's first compiler: its {@link #run} is generated, with as little code as possible. */
public abstract class CompactRegion extends BaselineRegion {
  /**
   * What belongs to the generated code.
   *
   * @param entries blocks where control may enter, the head first
   * @param offsets of those from the head, in bytes
   * @param steps instructions that tier 0 does when the code asks it to
   */
  public record Parts(Extent extent, Block[] entries, int[] offsets, Step[] steps) {}

  private final Method code = HotSpotCompiler.generated(getClass());
  private final Step[] steps;

  /** Slices that have ended here; races only lose some. */
  private int samples;

  protected CompactRegion(Parts parts) {
    super(parts.extent(), parts.entries(), parts.offsets());
    steps = parts.steps();
  }

  /** Counts a slice that has ended here. */
  final int sampled() {
    return ++samples;
  }

  /** What HotSpot compiles. */
  final Method code() {
    return code;
  }

  /**
   * The generated code; given null in place of a CPU it returns at once.
   *
   * @param head virtual address of the region's head
   * @param place number of an entry; or of a step, counted on from the entries, behind which it begins
   * @return the number of the step that tier 0 must do now; negative when control has left the region
   */
  @Override
  public abstract int run(VCpu cpu, long head, int place);

  @BetweenRegions
  @Override
  public final void finish(VCpu cpu, long head, int number) {
    int next = number;
    while (next >= 0) {
      if (!steps[next].execute(cpu, head)) {
        return;
      }
      next = run(cpu, head, entries() + next);
    }
  }
}
