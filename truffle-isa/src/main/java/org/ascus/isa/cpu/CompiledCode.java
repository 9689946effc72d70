package org.ascus.isa.cpu;

/** Translated code of one region, whatever tier made it. */
public interface CompiledCode {
  /**
   * Runs on {@code cpu} from the region's entry, which is at {@code cpu.pc}. On return {@code pc}, registers, budget
   * and {@code event} are exact.
   */
  void run(VCpu cpu);

  /** True if the region's pages are mapped for {@code cpu} now as they were when the region was formed. */
  boolean matches(VCpu cpu);
}
