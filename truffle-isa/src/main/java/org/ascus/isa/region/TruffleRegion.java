package org.ascus.isa.region;

import com.oracle.truffle.api.CompilerDirectives.TruffleBoundary;
import com.oracle.truffle.api.RootCallTarget;
import java.util.Optional;
import org.ascus.isa.cpu.EntryPoint;
import org.ascus.isa.cpu.VCpu;

/** A region of the Truffle tier: compiled, or waiting for its compilation. */
public final class TruffleRegion extends HeadRegion {
  /** Visits between two looks whether there is compiled code. */
  private static final int RETRY = 16;

  private final RootCallTarget callTarget;

  /** The same code in a lower tier, which runs meanwhile; null if there is none. */
  private final EntryPoint fallback;

  private volatile boolean ready;
  private int patience = RETRY;

  TruffleRegion(Extent extent, RootCallTarget callTarget, Optional<EntryPoint> fallback) {
    super(extent);
    this.callTarget = callTarget;
    this.fallback = fallback.orElse(null);
  }

  public RootCallTarget callTarget() {
    return callTarget;
  }

  /** {@inheritDoc} Known once it was seen to run. */
  @Override
  public boolean isReady() {
    return ready && isValid();
  }

  @Override
  public int run(VCpu cpu, long head, int place) {
    // Another CPU may have changed both since matches() was asked.
    if (!ready && patience > 0 && hasFallback(cpu)) {
      patience--;
      cpu.run(fallback);
      return -1;
    }
    patience = RETRY;
    ready = callTarget.call(cpu.arguments) != null;
    if (!ready && hasFallback(cpu)) {
      cpu.run(fallback);
    }
    return -1;
  }

  @Override
  public boolean matches(VCpu cpu, long head) {
    return super.matches(cpu, head) && (ready || hasFallback(cpu) || --patience <= 0);
  }

  @Override
  public boolean isSteady() {
    return ready;
  }

  /** The compiler must not look inside: for all it knows the fallback may be of this class, without end. */
  @TruffleBoundary
  private boolean hasFallback(VCpu cpu) {
    return fallback != null && fallback.matches(cpu);
  }
}
