package org.ascus.isa.region;

import org.ascus.isa.cpu.EntryPoint;

/** A region of the best code there is, which is entered at its head only. */
public abstract class HeadRegion extends Region {
  private static final int LEVEL = 1;

  /** What its head had before. */
  private EntryPoint below;

  protected HeadRegion(Extent extent) {
    super(extent);
  }

  @Override
  public final int level() {
    return LEVEL;
  }

  @Override
  protected final void install() {
    EntryPoint old = head().entry();
    if (old != null && !(old.code instanceof HeadRegion)) {
      below = old;
    }
    install(head(), 0, 0);
  }

  /** Leaves its head to what it had before, as far as that is still there; {@link #resume} takes it again. */
  public final void suspend() {
    uninstall();
    if (below != null && below.code instanceof Region region && region.isValid()) {
      head().enterBy(new EntryPoint(region, below.place, below.offset));
      if (!region.isValid()) {
        region.uninstall();
      }
    }
  }

  /** Undoes {@link #suspend}. */
  public final void resume() {
    install();
  }

  @Override
  protected final void uninstall() {
    uninstall(head());
  }
}
