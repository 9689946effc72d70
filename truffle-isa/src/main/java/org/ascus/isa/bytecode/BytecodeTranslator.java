package org.ascus.isa.bytecode;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.ascus.isa.bytecode.HotSpotCompiler.Level;
import org.ascus.isa.cpu.Block;
import org.ascus.isa.cpu.CodeSpace;
import org.ascus.isa.cpu.CompiledCode;
import org.ascus.isa.cpu.Translator;
import org.ascus.isa.cpu.VCpu;
import org.ascus.isa.region.Region;
import org.ascus.isa.region.RegionCache;
import org.ascus.isa.region.RegionFormer;
import org.ascus.isa.region.RegionIsa;
import org.ascus.isa.region.RegionPlan;

/**
 * Hot blocks become classes on a thread of their own, which also has HotSpot compile them before anybody runs them:
 * HotSpot interprets bytecode ten times slower than tier 0 does guest code. Where HotSpot can be told what to compile
 * this is a baseline tier and a tier of best code in one, by HotSpot's two compilers.
 */
public final class BytecodeTranslator implements Translator {
  private static final int REGION_BUDGET = 100;

  /** HotSpot never compiles a method of more than 8,000 bytes; the rest of such a class is at least this. */
  private static final int MAX_CLASS_BYTES = 9500;

  private static final int BATCH = 16;

  /** Calls that make HotSpot's first compiler take a method up. */
  private static final int WARM_UP_CALLS = 256;

  private static final int PROBE_CALLS = 64;

  /** A call that takes less than this is one to compiled code: an interpreted one takes several times as much. */
  private static final long COMPILED_CALL_NANOS = 20;

  private static final long POLL_NANOS = 300_000;
  private static final long PATIENCE_NANOS = 2_000_000_000;

  private final BytecodeIsa isa;
  private final RegionFormer former;
  private final RegionCache cache;
  private final boolean background;
  private final BlockingQueue<RegionPlan> queue = new LinkedBlockingQueue<>();
  private final ThreadPoolExecutor worker;
  private final AtomicLong abandoned = new AtomicLong();
  private final Optional<HotSpotCompiler> compiler = HotSpotCompiler.find();
  private final Optional<RegionPromotion> promotion = compiler.map(RegionPromotion::new);

  /**
   * @param maxInstructions bound of translated guest instructions
   * @param background whether guest code goes on while a region is made; if not it runs at once, compiled or not
   */
  public BytecodeTranslator(
      BytecodeIsa isa, RegionIsa regions, CodeSpace codeSpace, long maxInstructions, boolean background) {
    this.isa = isa;
    this.former = new RegionFormer(regions);
    this.cache = new RegionCache(codeSpace, maxInstructions);
    this.background = background;
    this.worker =
        new ThreadPoolExecutor(
            0, 1, 1, TimeUnit.SECONDS, new LinkedBlockingQueue<>(),
            Thread.ofPlatform().daemon().name("ascus-bytecode-", 0).factory());
  }

  @Override
  public void hot(VCpu cpu, Block block, long pc) {
    Optional<RegionPlan> plan = former.form(cpu, block, pc, REGION_BUDGET);
    if (plan.isEmpty()) {
      return;
    }
    if (background) {
      queue.add(plan.get());
      worker.execute(this::work);
    } else {
      make(plan.get()).ifPresent(cache::add);
    }
  }

  private void work() {
    List<RegionPlan> plans = new ArrayList<>();
    queue.drainTo(plans, BATCH);
    List<BytecodeRegion> regions = new ArrayList<>();
    for (RegionPlan plan : plans) {
      make(plan).ifPresent(regions::add);
    }
    for (BytecodeRegion region : regions) {
      compiler.ifPresentOrElse(c -> c.request(region.code(), Level.QUICK), () -> call(region, WARM_UP_CALLS));
    }
    for (BytecodeRegion region : regions) {
      if (awaitCompiled(region)) {
        cache.add(region);
      } else {
        abandoned.incrementAndGet();
      }
    }
  }

  private Optional<BytecodeRegion> make(RegionPlan plan) {
    byte[] classFile = RegionClass.bytes(isa, plan);
    if (classFile.length > MAX_CLASS_BYTES && plan.parts().size() > 1) {
      return make(plan.firstHalf());
    }
    try {
      MethodHandles.Lookup type = isa.lookup().defineHiddenClass(classFile, false);
      return Optional.of(
          (BytecodeRegion)
              type.findConstructor(type.lookupClass(), MethodType.methodType(void.class, Region.Extent.class))
                  .invoke(plan.extent(plan.pages())));
    } catch (Throwable e) {
      throw new IllegalStateException("the class of a region", e);
    }
  }

  private static void call(BytecodeRegion region, int times) {
    for (int i = 0; i < times; i++) {
      region.run(null);
    }
  }

  private boolean awaitCompiled(BytecodeRegion region) {
    long start = System.nanoTime();
    while (System.nanoTime() - start < PATIENCE_NANOS) {
      if (isCompiled(region)) {
        return true;
      }
      LockSupport.parkNanos(POLL_NANOS);
    }
    return false;
  }

  private boolean isCompiled(BytecodeRegion region) {
    if (compiler.isPresent()) {
      return compiler.get().level(region.code()) != Level.NONE;
    }
    long before = System.nanoTime();
    call(region, PROBE_CALLS);
    return System.nanoTime() - before < PROBE_CALLS * COMPILED_CALL_NANOS;
  }

  @Override
  public void sampled(VCpu cpu, CompiledCode code, long pc) {
    if (code instanceof BytecodeRegion region) {
      promotion.ifPresent(p -> p.sampled(region));
    }
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
        + promotion.map(RegionPromotion::describe).orElse("");
  }
}
