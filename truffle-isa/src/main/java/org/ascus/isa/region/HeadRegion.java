package org.ascus.isa.region;

import org.ascus.isa.cpu.CompiledCode;
import org.ascus.isa.cpu.VCpu;

/** A region of the best code there is, which is entered at its head only. */
public abstract class HeadRegion extends Region implements CompiledCode {
  private static final int LEVEL = 1;

  protected HeadRegion(Extent extent) {
    super(extent);
  }

  @Override
  public final Region region() {
    return this;
  }

  @Override
  public final int level() {
    return LEVEL;
  }

  @Override
  public boolean matches(VCpu cpu) {
    return matches(cpu, cpu.pc);
  }

  @Override
  public boolean isSteady() {
    return true;
  }

  @Override
  protected final void install() {
    install(head(), this);
  }

  @Override
  protected final void uninstall() {
    uninstall(head(), this);
  }
}
