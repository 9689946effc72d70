package org.ascus.isa.bytecode;

import java.util.concurrent.atomic.AtomicLong;
import org.ascus.isa.bytecode.HotSpotCompiler.Level;

/**
 * Takes regions in which the time goes to HotSpot's second compiler, by way of code that profiles; and there again when
 * HotSpot has thrown the result away because the guest has taken a branch that it had never taken before.
 */
final class RegionPromotion {
  /** How far a region has come. */
  enum Stage {
    QUICK,
    PROFILING,
    BEST,
    /** It stays as it is. */
    SETTLED
  }

  /** Slices of the budget, each of 50,000 instructions, that must have ended in a region. */
  private static final int PROMOTION_SAMPLES = 400;

  /** How many of them a region profiles for. */
  private static final int PROFILE_SAMPLES = 20;

  /** How often we look whether the best code is still there, in slices. */
  private static final int CHECK_SAMPLES = 8;

  /** How often it may have gone before it is given up. */
  private static final int MAX_ATTEMPTS = 12;

  private final HotSpotCompiler compiler;
  private final AtomicLong promoted = new AtomicLong();
  private final AtomicLong thrownAway = new AtomicLong();
  private final AtomicLong settled = new AtomicLong();

  RegionPromotion(HotSpotCompiler compiler) {
    this.compiler = compiler;
  }

  /** A slice has ended in {@code region}. Harts that share it may come here at once; at worst they ask twice. */
  void sampled(BytecodeRegion region) {
    region.samples++;
    switch (region.stage) {
      case QUICK -> {
        if (region.samples >= PROMOTION_SAMPLES) {
          go(region, Level.PROFILED, Stage.PROFILING);
        }
      }
      case PROFILING -> {
        if (region.samples >= PROFILE_SAMPLES && !compiler.isQueued(region.code())) {
          if (compiler.level(region.code()) == Level.PROFILED) {
            promoted.incrementAndGet();
            go(region, Level.BEST, Stage.BEST);
          } else {
            settle(region);
          }
        }
      }
      case BEST -> {
        if (region.samples >= CHECK_SAMPLES) {
          region.samples = 0;
          check(region);
        }
      }
      case SETTLED -> {}
    }
  }

  private void check(BytecodeRegion region) {
    Level level = compiler.level(region.code());
    if (level == Level.BEST || compiler.isQueued(region.code())) {
      return;
    }
    if (level == Level.PROFILED || region.attempts++ > MAX_ATTEMPTS) {
      settle(region);
      return;
    }
    thrownAway.incrementAndGet();
    // Never leave it to the JVM's interpreter while the second compiler works.
    compiler.request(region.code(), level == Level.NONE ? Level.QUICK : Level.BEST);
  }

  private void go(BytecodeRegion region, Level level, Stage stage) {
    region.samples = 0;
    region.stage = compiler.request(region.code(), level) ? stage : Stage.SETTLED;
  }

  private void settle(BytecodeRegion region) {
    settled.incrementAndGet();
    region.stage = Stage.SETTLED;
    compiler.request(region.code(), Level.QUICK);
  }

  /** For {@code info jit}. */
  String describe() {
    return "bytecode best          " + promoted + "\n"
        + "bytecode best again    " + thrownAway + "\n"
        + "bytecode best given up " + settled + "\n";
  }
}
