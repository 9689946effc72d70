package org.ascus.isa.cpu;

/** Translated code that starts at one block, whatever tier made it. */
public interface CompiledCode {
  /** Runs on {@code cpu} from the block, which is at {@code cpu.pc}. On return the CPU's state is exact. */
  void run(VCpu cpu);

  /** True if the region's pages are mapped for {@code cpu} now as they were when the region was formed. */
  boolean matches(VCpu cpu);

  /** Whether the answer of {@link #matches} stays the same until pages are mapped differently. */
  boolean isSteady();

  /** The region that it is part of. */
  CodeSpace.RegionHandle region();
}
