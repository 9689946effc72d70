package org.ascus.isa.fp;

/** The sticky exception flags of one vCPU. Hot state of a single thread, hence a plain field. */
public final class FpStatus {
  /** Accumulated {@link FpFlags}; operations only set bits, the guest clears them. */
  public int flags;
}
