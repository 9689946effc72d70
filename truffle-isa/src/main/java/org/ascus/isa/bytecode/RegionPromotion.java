package org.ascus.isa.bytecode;

import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Stream;
import org.ascus.isa.bytecode.HotSpotCompiler.Level;
import org.ascus.isa.code.Step;
import org.ascus.isa.cpu.BetweenRegions;
import org.ascus.isa.cpu.VCpu;
import org.ascus.isa.hostcode.HostRegionMaker;
import org.ascus.isa.region.RegionCache;

/**
 * Takes the regions in which the time goes to HotSpot's second compiler, by way of code that profiles; and there again
 * when HotSpot has thrown the result away because the guest has taken a branch that it had never taken before. Harts
 * come here at the end of slices and never wait for one another: one that finds another here goes on without.
 */
final class RegionPromotion {
  /** How far a region has come. */
  enum Stage {
    PROFILING,
    BEST,
    /** Thrown away and being compiled again; nobody runs it meanwhile. */
    AGAIN,
    /** Given up. */
    GONE
  }

  /** Slices of the budget, each of 50,000 instructions, that a region profiles for at most. */
  private static final int PROFILE_SAMPLES = 20;

  /** Looks at watched regions between two looks whether what lies between regions has the best code, at first. */
  private static final int MIN_HOST_INTERVAL = 12;

  /** And where it long has had it. */
  private static final int MAX_HOST_INTERVAL = 200;

  private static final int HOST_ATTEMPTS = 200;

  /** Time after which the second compiler gets what an ISA's instructions have in common; it would hold a boot up. */
  private static final long SETTLED_NANOS = 2_000_000_000L;

  /** Slices that end in tier 0 where an ISA's instructions are worth that. */
  private static final int ENOUGH_INTERPRETED = 100;

  /** Arrivals from other kinds of code for one slice of the budget spent in a region: with more it does not pay. */
  private static final int MAX_ARRIVALS = 100;

  /** Arrivals that tell how many there will be. */
  private static final int ENOUGH_ARRIVALS = 5_000;

  /** How often its code may have been thrown away before it is given up. */
  private static final int MAX_ATTEMPTS = 12;

  private final ReentrantLock lock = new ReentrantLock();
  private final HotSpotCompiler compiler;
  private final RegionCache cache;
  private final int profileSamples;
  private final List<BestRegion> watched = new ArrayList<>();
  private long promoted;
  private long thrownAway;
  private long givenUp;
  private long unprofitable;
  private final List<Method> host;
  private final List<Method> isa;
  private final long start = System.nanoTime();
  private int hostAttempts;
  private int hostInterval = MIN_HOST_INTERVAL;
  private int looks;
  private int next;

  /**
   * @param samples what a compact region needs: a best one profiles for no longer
   * @param isa see {@link org.ascus.isa.code.CodeIsa#betweenRegions}
   */
  RegionPromotion(HotSpotCompiler compiler, RegionCache cache, int samples, List<Class<?>> isa) {
    this.compiler = compiler;
    this.cache = cache;
    this.profileSamples = Math.min(samples, PROFILE_SAMPLES);
    this.host =
        annotated(
            Stream.of(
                    VCpu.BETWEEN_REGIONS, HostRegionMaker.BETWEEN_REGIONS,
                    List.of(RegionHelp.class, CompactRegion.class, Step.class))
                .flatMap(List::stream));
    this.isa = annotated(isa.stream());
    compiler.inline(host.stream().filter(method -> method.getAnnotation(BetweenRegions.class).inlined()).toList());
  }

  private static List<Method> annotated(Stream<Class<?>> types) {
    return types
        .flatMap(type -> Arrays.stream(type.getDeclaredMethods()))
        .filter(method -> method.isAnnotationPresent(BetweenRegions.class))
        .toList();
  }

  /** Looks whether HotSpot has thrown away the next region in turn or, now and then, what lies between regions. */
  void look(VCpu cpu) {
    if (lock.tryLock()) {
      try {
        if (++looks >= hostInterval) {
          looks = 0;
          hostInterval = betweenRegions(cpu) ? Math.min(2 * hostInterval, MAX_HOST_INTERVAL) : MIN_HOST_INTERVAL;
        }
        checkNext();
      } finally {
        lock.unlock();
      }
    }
  }

  /**
   * This gets no profile: each guest program would want another one. Code that is thrown away, because it
   * has come to a class that had not been loaded, is asked for again.
   *
   * @return whether all of it was there
   */
  private boolean betweenRegions(VCpu cpu) {
    boolean all = request(host);
    boolean used = cpu.interpretedSamples() > ENOUGH_INTERPRETED && System.nanoTime() - start > SETTLED_NANOS;
    return used ? request(isa) && all : all;
  }

  /** Returns whether all of {@code methods} have the best code. */
  private boolean request(List<Method> methods) {
    boolean all = true;
    for (Method method : methods) {
      if (hostAttempts < HOST_ATTEMPTS && compiler.isMissing(method, Level.BEST)) {
        hostAttempts++;
        compiler.request(method, Level.BEST);
        all = false;
      }
    }
    return all;
  }

  /** A slice has ended in {@code region}. */
  void sampled(BestRegion region) {
    if (lock.tryLock()) {
      try {
        region.samples++;
        region.spent++;
        if (region.stage == Stage.PROFILING && region.samples >= profileSamples) {
          region.stage = Stage.BEST;
          if (compiler.request(region.code(), Level.BEST)) {
            promoted++;
            watched.add(region);
          } else {
            giveUp(region);
          }
        }
        check(region);
      } finally {
        lock.unlock();
      }
    }
  }

  /**
   * Looks at one region whether its code is still there: one whose code is gone runs in the JVM's interpreter, which is
   * so slow that it is seldom sampled.
   */
  private void checkNext() {
    int size = watched.size();
    if (size > 0) {
      next = next + 1 < size ? next + 1 : 0;
      check(watched.get(next));
    }
  }

  private void check(BestRegion region) {
    if (!region.isValid()) {
      watched.remove(region);
      return;
    }
    if (region.arrivals > ENOUGH_ARRIVALS && region.arrivals > (long) MAX_ARRIVALS * region.spent) {
      unprofitable++;
      region.suspend();
      giveUp(region);
      return;
    }
    switch (region.stage) {
      case BEST -> {
        // HotSpot may have had its first compiler make something of its own accord meanwhile.
        if (compiler.isMissing(region.code(), Level.BEST)) {
          thrownAway++;
          region.suspend();
          region.stage = Stage.AGAIN;
          if (++region.attempts > MAX_ATTEMPTS || !compiler.request(region.code(), Level.BEST)) {
            giveUp(region);
          }
        }
      }
      case AGAIN -> {
        if (compiler.level(region.code()) == Level.BEST) {
          region.stage = Stage.BEST;
          region.resume();
        } else if (compiler.isMissing(region.code(), Level.BEST)
            && (++region.attempts > MAX_ATTEMPTS || !compiler.request(region.code(), Level.BEST))) {
          giveUp(region);
        }
      }
      case PROFILING, GONE -> {}
    }
  }

  private void giveUp(BestRegion region) {
    givenUp++;
    region.stage = Stage.GONE;
    watched.remove(region);
    cache.retire(region);
    region.head().requestedBest = true;
  }

  /** For {@code info jit}. */
  String describe() {
    lock.lock();
    try {
      return "bytecode best          " + promoted + "\n"
          + "bytecode best again    " + thrownAway + "\n"
          + "bytecode best given up " + givenUp + " (" + unprofitable + " that did not pay)\n";
    } finally {
      lock.unlock();
    }
  }
}
