package org.ascus.isa.region;

import com.oracle.truffle.api.TruffleLanguage;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import org.ascus.isa.cpu.Block;
import org.ascus.isa.cpu.CodeSpace;
import org.ascus.isa.cpu.Translator;
import org.ascus.isa.cpu.VCpu;
import org.graalvm.polyglot.Context;

/**
 * The Truffle tier: hot blocks become regions, which Graal compiles in the background. At most {@link #maxInstructions}
 * guest instructions are kept translated; beyond that the oldest regions go.
 */
public final class RegionTranslator implements Translator {
  /**
   * Guest instructions of a region. Compile time grows with it, and on a plain JDK Graal is slow until it is compiled
   * itself: a boot takes 14 s with 100, 20 s with 300 and 24 s with 1500, and compute programs lose nothing.
   */
  private static final int REGION_BUDGET = 100;

  private final Context context;
  private final RegionFormer former;
  private final CodeSpace codeSpace;
  private final long maxInstructions;
  private final Set<Region> regions = new LinkedHashSet<>();
  private final AtomicLong formed = new AtomicLong();
  private final AtomicLong evicted = new AtomicLong();
  private long instructions;

  /**
   * @param context of the language; guest code runs inside it
   * @param maxInstructions bound of translated guest instructions
   */
  public RegionTranslator(
      Context context, TruffleLanguage<?> language, RegionIsa isa, CodeSpace codeSpace, long maxInstructions) {
    this.context = context;
    this.former = new RegionFormer(language, isa);
    this.codeSpace = codeSpace;
    this.maxInstructions = maxInstructions;
  }

  @Override
  public void hot(VCpu cpu, Block block, long pc) {
    if (block.compiled != null || !block.valid) {
      return;
    }
    Optional<Region> region = former.form(cpu, block, pc, REGION_BUDGET);
    if (region.isEmpty()) {
      block.threshold = Integer.MAX_VALUE;
      return;
    }
    synchronized (this) {
      if (block.compiled != null) {
        return;
      }
      if (!codeSpace.add(region.get(), region.get().physicalPages())) {
        return;
      }
      regions.add(region.get());
      instructions += region.get().instructions();
      formed.incrementAndGet();
      evict();
      block.compiled = region.get();
    }
  }

  @Override
  public void enter() {
    context.enter();
  }

  @Override
  public void leave() {
    context.leave();
  }

  private void evict() {
    Iterator<Region> oldest = regions.iterator();
    while (instructions > maxInstructions && oldest.hasNext()) {
      Region region = oldest.next();
      oldest.remove();
      instructions -= region.instructions();
      if (region.isValid()) {
        evicted.incrementAndGet();
        codeSpace.remove(region, region.physicalPages());
        region.invalidate();
      }
    }
  }

  @Override
  public synchronized String describe() {
    return "regions formed       " + formed.get() + "\n"
        + "regions evicted      " + evicted.get() + "\n"
        + "regions kept         " + regions.size() + " (" + instructions + " guest instructions, at most "
        + maxInstructions + ")\n"
        + "regions compiled     " + regions.stream().filter(Region::isReady).count() + "\n";
  }
}
