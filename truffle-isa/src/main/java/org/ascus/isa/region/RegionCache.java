package org.ascus.isa.region;

import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.Set;
import org.ascus.isa.cpu.CodeSpace;

/** The regions of a tier that can be run, bounded by the guest instructions in them: the oldest go first. */
public final class RegionCache {
  /** Regions added between two looks at which of them have become invalid. */
  private static final int SWEEP = 256;

  private final CodeSpace codeSpace;
  private final long maxInstructions;
  private final Set<Region> regions = new LinkedHashSet<>();
  private long instructions;
  private long added;
  private long evicted;
  private long retired;

  public RegionCache(CodeSpace codeSpace, long maxInstructions) {
    this.codeSpace = codeSpace;
    this.maxInstructions = maxInstructions;
  }

  /** Makes {@code region} the code of its blocks; false if some of its guest code has gone meanwhile. */
  public synchronized boolean add(Region region) {
    if (!codeSpace.add(region, region.physicalPages())) {
      return false;
    }
    regions.add(region);
    instructions += region.instructions();
    added++;
    region.install();
    if (!region.isValid()) {
      // It became so before it was installed.
      region.uninstall();
    }
    if (added % SWEEP == 0) {
      forgetInvalid();
    }
    evict();
    return true;
  }

  /** Throws {@code region} away: there is better code for what it is run for. */
  public synchronized void retire(Region region) {
    if (regions.remove(region)) {
      instructions -= region.instructions();
      retired++;
      discard(region);
      region.askAgain();
    }
  }

  private void discard(Region region) {
    codeSpace.remove(region, region.physicalPages());
    region.invalidate();
  }

  /** Gives back what regions hold whose guest code has been overwritten. */
  private void forgetInvalid() {
    regions.removeIf(region -> !region.isValid());
    instructions = regions.stream().mapToLong(Region::instructions).sum();
  }

  private void evict() {
    Iterator<Region> oldest = regions.iterator();
    while (instructions > maxInstructions && oldest.hasNext()) {
      Region region = oldest.next();
      oldest.remove();
      instructions -= region.instructions();
      if (region.isValid()) {
        evicted++;
        discard(region);
      }
    }
  }

  /** For {@code info jit}. */
  public synchronized String describe(String tier) {
    return """
        %1$s regions made      %2$d
        %1$s regions evicted   %3$d
        %1$s regions retired   %4$d
        %1$s regions kept      %5$d (%6$d guest instructions, at most %7$d)
        %1$s regions compiled  %8$d
        """.formatted(
            tier, added, evicted, retired, regions.size(), instructions, maxInstructions,
            regions.stream().filter(Region::isReady).count());
  }
}
