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
 * marks take the CPU's slow path, and a store to marked bytes drops the blocks and regions made of them. When a page
 * gets its first mark other CPUs may hold a TLB entry that still lets them store unseen; they are asked to drop it and
 * until they have, {@link #awaitProtected} (the fence that makes code visible) waits.
 */
public final class CodeSpace implements GuestRam.CodeListener {
  private static final int SLOTS = GuestRam.PAGE / 2;

  /** Blocks of one page, by half-word offset. */
  private static final class Page {
    final GuestRam ram;
    final long offset;
    final Block[] blocks = new Block[SLOTS];
    final List<RegionHandle> regions = new ArrayList<>();
    int count;

    Page(GuestRam ram, long offset) {
      this.ram = ram;
      this.offset = offset;
    }
  }

  /** A compiled region, as far as invalidation is concerned. */
  public interface RegionHandle {
    /** Called once when bytes of the region were overwritten. */
    void invalidate();

    /** True if none of the blocks that the region was made of has been dropped. */
    boolean intact();

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
   * Announces that {@code cpu} is about to decode bytes of a page: from here on stores to those that are marked in
   * {@code ram} are seen.
   *
   * @param ram the block that holds the page
   * @param ramBase guest-physical address of the block's offset 0
   */
  public void protect(VCpu cpu, GuestRam ram, long ramBase, long physical) {
    bases.putIfAbsent(ram, ramBase);
    ram.setCodeListener(this);
    long page = physical & -4096L;
    if (pages.putIfAbsent(page >>> 12, new Page(ram, page - ramBase)) == null) {
      for (VCpu other : cpus) {
        if (other == cpu) {
          cpu.protectNow(page);
        } else {
          other.requestProtect(page);
        }
      }
    }
  }

  /** Adds a block; its pages are protected, and the caller has held this object's monitor since. */
  public void add(Block block) {
    Page page = pages.get(block.physical >>> 12);
    int slot = (int) (block.physical & 0xfff) >>> 1;
    if (page.blocks[slot] == null) {
      page.count++;
      blockCount.incrementAndGet();
    }
    page.blocks[slot] = block;
  }

  /** Registers a region with every page it has code in; false if some of its code has gone meanwhile. */
  public synchronized boolean add(RegionHandle region, long[] physicalPages) {
    if (!region.intact()) {
      return false;
    }
    for (long p : physicalPages) {
      Page page = pages.get(p >>> 12);
      if (page != null) {
        page.regions.add(region);
      }
    }
    return true;
  }

  /** Forgets a region that was thrown away for another reason than a write. */
  public synchronized void remove(RegionHandle region, long[] physicalPages) {
    for (long p : physicalPages) {
      Page page = pages.get(p >>> 12);
      if (page != null) {
        page.regions.remove(region);
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
  public synchronized void invalidate(long start, long end) {
    Page page = pages.get(start >>> 12);
    if (page == null) {
      return;
    }
    invalidations.incrementAndGet();
    for (int i = 0; i < SLOTS; i++) {
      Block b = page.blocks[i];
      if (b != null && b.physical < end && b.physical + b.bytes() > start) {
        drop(page, i);
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
    if ((start & 0xfff) < 2) {
      dropStraddlers(start & -4096L);
    }
    if (page.count == 0 && page.regions.isEmpty()) {
      // Stores to a page that holds no code any more are quick again.
      pages.remove(start >>> 12);
      page.ram.clearCode(page.offset);
    }
  }

  /** Drops the blocks of one instruction whose second half is at the start of {@code pageAddress}. */
  private void dropStraddlers(long pageAddress) {
    for (Page page : pages.values()) {
      Block b = page.blocks[SLOTS - 1];
      if (b != null && b.secondPage == pageAddress) {
        drop(page, SLOTS - 1);
      }
    }
  }

  private void drop(Page page, int slot) {
    Block block = page.blocks[slot];
    page.blocks[slot] = null;
    page.count--;
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
