package org.ascus.isa.region;

import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.Set;
import org.ascus.isa.cpu.CodeSpace;

/** The regions of a tier that can be run, bounded by the guest instructions in them: the oldest go first. */
public final class RegionCache {
  private final CodeSpace codeSpace;
  private final long maxInstructions;
  private final Set<Region> regions = new LinkedHashSet<>();
  private long instructions;
  private long added;
  private long evicted;

  public RegionCache(CodeSpace codeSpace, long maxInstructions) {
    this.codeSpace = codeSpace;
    this.maxInstructions = maxInstructions;
  }

  /** Makes {@code region} the code of its head; false if some of its guest code has gone meanwhile. */
  public synchronized boolean add(Region region) {
    if (!codeSpace.add(region, region.physicalPages())) {
      return false;
    }
    regions.add(region);
    instructions += region.instructions();
    added++;
    region.head().compiled = region;
    evict();
    return true;
  }

  private void evict() {
    Iterator<Region> oldest = regions.iterator();
    while (instructions > maxInstructions && oldest.hasNext()) {
      Region region = oldest.next();
      oldest.remove();
      instructions -= region.instructions();
      if (region.isValid()) {
        evicted++;
        codeSpace.remove(region, region.physicalPages());
        region.invalidate();
      }
    }
  }

  /** For {@code info jit}. */
  public synchronized String describe(String tier) {
    return """
        %1$s regions made      %2$d
        %1$s regions evicted   %3$d
        %1$s regions kept      %4$d (%5$d guest instructions, at most %6$d)
        %1$s regions compiled  %7$d
        """.formatted(
            tier, added, evicted, regions.size(), instructions, maxInstructions,
            regions.stream().filter(Region::isReady).count());
  }
}
