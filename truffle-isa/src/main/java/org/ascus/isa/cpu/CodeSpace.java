package org.ascus.isa.cpu;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import org.ascus.machine.bus.GuestRam;

/**
 * The translated code of a machine, by guest-physical page, shared by its CPUs.
 *
 * <p>It keeps code and memory coherent: bytes that were decoded are marked in {@link GuestRam}, stores to a page with
 * marks take the CPU's slow path, and a store to marked bytes drops the blocks and regions made of them. When a page gets
 * its first mark other CPUs may hold a TLB entry that still lets them store unseen; they are asked to drop it and until
 * they have, {@link #awaitProtected} (the fence that makes code visible) waits.
 */
public final class CodeSpace implements GuestRam.CodeListener {
  private static final int SLOTS = GuestRam.PAGE / 2;

  /** Blocks of one page, by half-word offset. */
  private static final class Page {
    final Block[] blocks = new Block[SLOTS];
    final List<RegionHandle> regions = new ArrayList<>();
  }

  /** A compiled region, as far as invalidation is concerned. */
  public interface RegionHandle {
    /** Called once when bytes of the region were overwritten. */
    void invalidate();

    /** True if the region has code in [start, end), guest-physical. */
    boolean overlaps(long start, long end);
  }

  private final ConcurrentHashMap<Long, Page> pages = new ConcurrentHashMap<>();
  private final ConcurrentHashMap<GuestRam, Long> bases = new ConcurrentHashMap<>();
  private final List<VCpu> cpus = new CopyOnWriteArrayList<>();
  private final AtomicLong invalidations = new AtomicLong();
  private final AtomicLong blockCount = new AtomicLong();

  public void addCpu(VCpu cpu) {
    cpus.add(cpu);
  }

  /** The CPU, if there is but one; null otherwise. */
  public VCpu onlyCpu() {
    return cpus.size() == 1 ? cpus.getFirst() : null;
  }

  /** The block at {@code physical}, or null. */
  public Block find(long physical) {
    Page page = pages.get(physical >>> 12);
    return page == null ? null : page.blocks[(int) (physical & 0xfff) >>> 1];
  }

  public boolean hasCode(long physicalPage) {
    return pages.containsKey(physicalPage >>> 12);
  }

  /**
   * Announces that {@code cpu} is about to decode bytes of a page: from here on stores to it are seen.
   *
   * @param ram the block that holds the page
   * @param ramBase guest-physical address of the block's offset 0
   */
  public void protect(VCpu cpu, GuestRam ram, long ramBase, long physical, int length) {
    bases.putIfAbsent(ram, ramBase);
    ram.setCodeListener(this);
    ram.markCode(physical - ramBase, length);
    long page = physical & -4096L;
    if (pages.putIfAbsent(page >>> 12, new Page()) == null) {
      for (VCpu other : cpus) {
        if (other == cpu) {
          cpu.protectNow(page);
        } else {
          other.requestProtect(page);
        }
      }
    }
  }

  public void add(Block block) {
    Page page = pages.computeIfAbsent(block.physical >>> 12, k -> new Page());
    page.blocks[(int) (block.physical & 0xfff) >>> 1] = block;
    blockCount.incrementAndGet();
  }

  /** Registers a region with every page it has code in. */
  public void add(RegionHandle region, long[] physicalPages) {
    for (long p : physicalPages) {
      Page page = pages.computeIfAbsent(p >>> 12, k -> new Page());
      synchronized (page) {
        page.regions.add(region);
      }
    }
  }

  /** Forgets a region that was thrown away for another reason than a write. */
  public void remove(RegionHandle region, long[] physicalPages) {
    for (long p : physicalPages) {
      Page page = pages.get(p >>> 12);
      if (page != null) {
        synchronized (page) {
          page.regions.remove(region);
        }
      }
    }
  }

  @Override
  public void codeWritten(GuestRam ram, long offset, long length) {
    Long base = bases.get(ram);
    if (base != null) {
      invalidate(base + offset, base + offset + length);
    }
  }

  /** Drops every block and region with a byte in [start, end), which lie in one page. */
  public void invalidate(long start, long end) {
    Page page = pages.get(start >>> 12);
    if (page == null) {
      return;
    }
    invalidations.incrementAndGet();
    long pageBase = start & -4096L;
    synchronized (page) {
      for (int i = 0; i < SLOTS; i++) {
        Block b = page.blocks[i];
        if (b != null && b.physical < end && (b.physical + b.bytes() > start || b.secondPage >= 0)) {
          drop(page, i, b);
        }
      }
      page.regions.removeIf(
          r -> {
            boolean hit = r.overlaps(start, end);
            if (hit) {
              r.invalidate();
            }
            return hit;
          });
    }
    Page before = pages.get((start >>> 12) - 1);
    if (before != null && start - pageBase < 2) {
      synchronized (before) {
        int last = SLOTS - 1;
        Block b = before.blocks[last];
        if (b != null && b.secondPage >= 0) {
          drop(before, last, b);
        }
      }
    }
  }

  private void drop(Page page, int slot, Block block) {
    page.blocks[slot] = null;
    block.valid = false;
    block.compiled = null;
    blockCount.decrementAndGet();
  }

  /** Drops all code of a page; for a page that a CPU may have stored to unseen. */
  public void invalidatePage(long physicalPage) {
    invalidate(physicalPage & -4096L, (physicalPage & -4096L) + 4096);
  }

  /** Waits until no CPU can store to a page with code unseen; {@code cpu} serves its own requests meanwhile. */
  public void awaitProtected(VCpu cpu) {
    for (VCpu other : cpus) {
      while (other != cpu && other.hasProtectRequests() && !other.isIdle()) {
        cpu.serveProtectRequests();
        Thread.onSpinWait();
      }
    }
  }

  public long blocks() {
    return blockCount.get();
  }

  public long invalidations() {
    return invalidations.get();
  }
}
