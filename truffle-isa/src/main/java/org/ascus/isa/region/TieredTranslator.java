package org.ascus.isa.region;

import org.ascus.isa.cpu.Block;
import org.ascus.isa.cpu.CodeSpace;
import org.ascus.isa.cpu.Translator;
import org.ascus.isa.cpu.VCpu;

/** What is hot goes to a tier that compiles quickly; where the time is spent then, to one whose code is quicker. */
public final class TieredTranslator implements Translator {
  private final Translator first;
  private final Translator second;
  private final int samples;

  /** @param samples slices that must have ended in a region of the first tier before the second gets it */
  public TieredTranslator(Translator first, Translator second, int samples) {
    this.first = first;
    this.second = second;
    this.samples = samples;
  }

  @Override
  public boolean takesAll() {
    return first.takesAll();
  }

  @Override
  public void hot(VCpu cpu, Block block, long pc) {
    first.hot(cpu, block, pc);
  }

  @Override
  public void sampled(VCpu cpu, Block block, CodeSpace.RegionHandle region) {
    first.sampled(cpu, block, region);
    block.samples++;
    if (block.samples == samples) {
      second.hot(cpu, block, cpu.pc);
    }
  }

  @Override
  public void look(VCpu cpu) {
    first.look(cpu);
  }

  @Override
  public void enter() {
    second.enter();
  }

  @Override
  public void leave() {
    second.leave();
  }

  @Override
  public String describe() {
    return first.describe() + second.describe();
  }
}
