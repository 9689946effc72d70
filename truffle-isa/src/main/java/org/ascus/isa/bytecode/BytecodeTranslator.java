package org.ascus.isa.bytecode;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.ascus.isa.bytecode.HotSpotCompiler.Level;
import org.ascus.isa.code.CodeIsa;
import org.ascus.isa.cpu.Block;
import org.ascus.isa.cpu.CodeSpace;
import org.ascus.isa.cpu.Translator;
import org.ascus.isa.cpu.VCpu;
import org.ascus.isa.hostcode.HostRegionMaker;
import org.ascus.isa.region.BaselineRegion;
import org.ascus.isa.region.Region;
import org.ascus.isa.region.RegionCache;
import org.ascus.isa.region.RegionFormer;
import org.ascus.isa.region.RegionIsa;
import org.ascus.isa.region.RegionPlan;
import org.ascus.machine.bus.host.ExecutableMemory;

/**
 * Hot blocks become classes on a thread of their own, which also has HotSpot compile them before anybody runs them:
 * HotSpot interprets bytecode ten times slower than tier 0 does guest code. Where HotSpot can be told what to compile
 * this is a baseline tier and a tier of best code in one, by HotSpot's two compilers. Where machine code can be made
 * instead it is at once what the second compiler makes, or better, and is nothing's baseline.
 */
public final class BytecodeTranslator implements Translator {
  /** Guest instructions of a region for the first compiler. */
  private static final int COMPACT_BUDGET = 200;

  /** Guest instructions of a region for the second compiler. */
  private static final int BEST_BUDGET = 100;

  /** What HotSpot's compilers give up on is rather more than this. */
  private static final int MAX_COMPACT_BYTES = 40_000;

  /** The second compiler takes longer and longer, and the profiling code of the first gets too much for it. */
  private static final int MAX_BEST_BYTES = 9_500;

  private static final int BATCH = 16;

  /** Calls that make HotSpot's first compiler take a method up. */
  private static final int WARM_UP_CALLS = 256;

  private static final int PROBE_CALLS = 64;

  /** A call that takes less than this is one to compiled code: an interpreted one takes several times as much. */
  private static final long COMPILED_CALL_NANOS = 20;

  private static final long POLL_NANOS = 300_000;
  private static final long PATIENCE_NANOS = 2_000_000_000;

  private final CodeIsa isa;
  private final RegionFormer former;
  private final RegionCache cache;
  private final int samples;
  private final boolean background;
  private final CodeSpace codeSpace;
  private final Optional<ExecutableMemory> hostMemory;

  /** Made by the first that needs it, since it takes some time. */
  private volatile HostRegionMaker maker;

  private final BlockingQueue<RegionPlan> queue = new LinkedBlockingQueue<>();
  private final ThreadPoolExecutor worker;
  private final AtomicLong abandoned = new AtomicLong();
  private final Optional<HotSpotCompiler> compiler = HotSpotCompiler.find();
  private final Optional<RegionPromotion> promotion;

  /**
   * @param maxInstructions bound of translated guest instructions
   * @param samples slices of the budget that must have ended in a compact region before its hottest loop is promoted
   * @param background whether guest code goes on while a region is made
   * @param hostMemory for machine code, which is made in place of classes for the first compiler where it can be
   */
  public BytecodeTranslator(
      CodeIsa isa, RegionIsa regions, CodeSpace codeSpace, long maxInstructions, int samples, boolean background,
      Optional<ExecutableMemory> hostMemory) {
    this.isa = isa;
    this.former = new RegionFormer(regions);
    this.cache = new RegionCache(codeSpace, maxInstructions);
    this.samples = samples;
    this.background = background;
    this.codeSpace = codeSpace;
    this.hostMemory = hostMemory;
    // With host code about hardly a region comes to the second compiler, but our own code does, which nobody profiles.
    compiler.ifPresent(c -> c.setPruning(hostMemory.isEmpty()));
    this.promotion = compiler.map(c -> new RegionPromotion(c, cache, samples, isa.betweenRegions()));
    this.worker =
        new ThreadPoolExecutor(
            0, 1, 1, TimeUnit.SECONDS, new LinkedBlockingQueue<>(),
            Thread.ofPlatform().daemon().name("ascus-bytecode-", 0).factory());
  }

  @Override
  public boolean takesAll() {
    return hostMemory.isPresent();
  }

  @Override
  public void hot(VCpu cpu, Block block, long pc) {
    if (block.entry() != null) {
      return;
    }
    // Machine code gets from region to region at little cost, so nothing is made twice of it.
    Optional<RegionPlan> plan = former.form(cpu, block, pc, COMPACT_BUDGET, takesAll() ? -1 : 0);
    if (plan.isEmpty()) {
      return;
    }
    queue.add(plan.get());
    execute(this::work);
  }

  private void execute(Runnable work) {
    if (background) {
      worker.execute(work);
    } else {
      work.run();
    }
  }

  private void work() {
    List<RegionPlan> plans = new ArrayList<>();
    queue.drainTo(plans, BATCH);
    Map<CompactRegion, RegionPlan> regions = new LinkedHashMap<>();
    for (RegionPlan plan : plans) {
      // Another region of the same batch may have the block meanwhile.
      if (plan.head().entry() == null && regions.keySet().stream().noneMatch(r -> r.isEntry(plan.head()))) {
        host(plan).ifPresentOrElse(this::add, () -> regions.put(compact(plan), plan));
      }
    }
    for (CompactRegion region : regions.keySet()) {
      compiler.ifPresentOrElse(c -> c.request(region.code(), Level.QUICK), () -> call(region, WARM_UP_CALLS));
    }
    regions.forEach(
        (region, plan) -> {
          if (isCompiledAtLast(region)) {
            cache.add(region);
          } else if (plan.parts().size() > 1) {
            queue.add(plan.firstHalf());
            execute(this::work);
          } else {
            abandoned.incrementAndGet();
          }
        });
  }

  private void add(BaselineRegion region) {
    if (!cache.add(region)) {
      region.invalidate();
    }
  }

  private Optional<BaselineRegion> host(RegionPlan plan) {
    if (hostMemory.isEmpty()) {
      return Optional.empty();
    }
    synchronized (this) {
      // CPUs make regions themselves if nothing is made in the background.
      if (maker == null) {
        maker = new HostRegionMaker(isa, codeSpace, hostMemory.get());
      }
    }
    return maker.make(plan);
  }

  private CompactRegion compact(RegionPlan plan) {
    RegionClass.Made<CompactRegion.Parts> made = CompactRegionClass.make(isa, plan);
    if (made.file().length > MAX_COMPACT_BYTES && plan.parts().size() > 1) {
      return compact(plan.firstHalf());
    }
    return (CompactRegion) instantiate(made.file(), CompactRegion.Parts.class, made.parts());
  }

  private BestRegion best(RegionPlan plan) {
    RegionClass.Made<BestRegion.Parts> made = BestRegionClass.make(isa, plan);
    if (made.file().length > MAX_BEST_BYTES && plan.parts().size() > 1) {
      return best(plan.firstHalf());
    }
    return (BestRegion) instantiate(made.file(), BestRegion.Parts.class, made.parts());
  }

  private Object instantiate(byte[] classFile, Class<?> parameter, Object argument) {
    try {
      MethodHandles.Lookup type = isa.lookup().defineHiddenClass(classFile, false);
      return type.findConstructor(type.lookupClass(), MethodType.methodType(void.class, parameter)).invoke(argument);
    } catch (Throwable e) {
      throw new IllegalStateException("the class of a region", e);
    }
  }

  private static void call(CompactRegion region, int times) {
    for (int i = 0; i < times; i++) {
      region.run(null, 0, 0);
    }
  }

  /** Waits until HotSpot has compiled {@code region} or has given it up. */
  private boolean isCompiledAtLast(CompactRegion region) {
    if (compiler.isPresent()) {
      return compiler.get().await(region.code(), Level.QUICK);
    }
    long start = System.nanoTime();
    while (System.nanoTime() - start < PATIENCE_NANOS) {
      long before = System.nanoTime();
      call(region, PROBE_CALLS);
      if (System.nanoTime() - before < PROBE_CALLS * COMPILED_CALL_NANOS) {
        return true;
      }
      LockSupport.parkNanos(POLL_NANOS);
    }
    return false;
  }

  @Override
  public void sampled(VCpu cpu, Block block, CodeSpace.RegionHandle region) {
    if (region instanceof BaselineRegion baseline
        && block.compiled() instanceof Region better
        && better.level() > baseline.level()
        && baseline.contains(block)) {
      // Control goes round in it and never gets to the better code.
      cache.retire(baseline);
      return;
    }
    if (promotion.isEmpty()) {
      return;
    }
    RegionPromotion p = promotion.get();
    if (region instanceof BestRegion best) {
      p.sampled(best);
    } else if (region instanceof CompactRegion compact
        && compact.sampled() % samples == 0
        && !block.requestedBest) {
      block.requestedBest = true;
      // Most of its samples are where most of the time goes, and so most likely is this one; if not, the next.
      former.form(cpu, block, cpu.pc, BEST_BUDGET, Integer.MAX_VALUE).ifPresent(this::promote);
    }
  }

  @Override
  public void look(VCpu cpu) {
    if (promotion.isPresent()) {
      promotion.get().look(cpu);
    }
  }

  /** Has {@code plan} run by code that profiles. */
  private void promote(RegionPlan plan) {
    execute(
        () -> {
          BestRegion region = best(plan);
          HotSpotCompiler hotSpot = compiler.orElseThrow();
          if (hotSpot.request(region.code(), Level.PROFILED) && hotSpot.await(region.code(), Level.PROFILED)) {
            cache.add(region);
          } else {
            abandoned.incrementAndGet();
          }
        });
  }

  /** Whether the regions in which the time goes get the best code that HotSpot can make. */
  public static boolean hasBestCode() {
    return HotSpotCompiler.find().isPresent();
  }

  @Override
  public String describe() {
    return cache.describe("bytecode")
        + "bytecode waiting       " + queue.size() + "\n"
        + "bytecode not compiled  " + abandoned.get() + "\n"
        + "host code bytes        " + (maker == null ? 0 : maker.bytes()) + "\n"
        + promotion.map(RegionPromotion::describe).orElse("");
  }
}
