package org.ascus.isa.region;

import com.oracle.truffle.api.CompilerDirectives.TruffleBoundary;
import com.oracle.truffle.api.RootCallTarget;
import java.util.Optional;
import org.ascus.isa.cpu.CompiledCode;
import org.ascus.isa.cpu.VCpu;

/** A region of the Truffle tier: compiled, or waiting for its compilation. */
public final class TruffleRegion extends HeadRegion {
  /** Visits between two looks whether there is compiled code. */
  private static final int RETRY = 16;

  private final RootCallTarget callTarget;

  /** The same code in a lower tier, which runs meanwhile; null if there is none. */
  private final CompiledCode fallback;

  private volatile boolean ready;
  private int patience = RETRY;

  TruffleRegion(Extent extent, RootCallTarget callTarget, Optional<CompiledCode> fallback) {
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
  public void run(VCpu cpu) {
    // Another CPU may have changed both since matches() was asked.
    if (!ready && patience > 0 && hasFallback(cpu)) {
      patience--;
      fallback.run(cpu);
      return;
    }
    patience = RETRY;
    ready = callTarget.call(cpu.arguments) != null;
    if (!ready && hasFallback(cpu)) {
      fallback.run(cpu);
    }
  }

  @Override
  public boolean matches(VCpu cpu) {
    return super.matches(cpu) && (ready || hasFallback(cpu) || --patience <= 0);
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
