package org.ascus.isa.cpu;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.ascus.isa.profile.CodeProfile;
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
  /** A page whose regions are overwritten again within this time is one of code that is made and changed all along. */
  private static final long SOON_NANOS = 20_000_000;

  /** Such a page has its code compiled when it has been executed more often than others, by this factor. */
  private static final int PATIENCE = 25;

  private static final int MANY_REWRITES = 8;

  private static final int SLOTS = GuestRam.PAGE / 2;

  /** Most half-words of a block that starts in its page. */
  private static final int LONGEST = 2 * Block.MAX_INSTRUCTIONS;

  /** Blocks of one page, by half-word offset. */
  private static final class Page {
    /** Guest-physical page number; -1 for a page that was removed. */
    final long number;

    final GuestRam ram;
    final long offset;
    final Block[] blocks = new Block[SLOTS];
    final List<RegionHandle> regions = new ArrayList<>();
    int count;

    /** How often regions were overwritten soon after others of this page. */
    int rewrites;

    private long lastRewrite;

    /** Notes that regions were overwritten. */
    void rewritten() {
      long now = System.nanoTime();
      rewrites = now - lastRewrite < SOON_NANOS ? rewrites + 1 : 0;
      lastRewrite = now;
    }

    Page(long number, GuestRam ram, long offset) {
      this.number = number;
      this.ram = ram;
      this.offset = offset;
    }
  }

  /** Pages by number: open addressing, read without a lock and changed under the monitor of the code space. */
  private static final class PageTable {
    private static final Page REMOVED = new Page(-1, null, 0);

    private volatile Page[] slots = new Page[1024];
    private int filled;

    Page get(long number) {
      Page[] table = slots;
      for (int i = start(number, table.length);; i = i + 1 & table.length - 1) {
        Page page = table[i];
        if (page == null || page.number == number) {
          return page;
        }
      }
    }

    void put(Page page) {
      if (2 * filled >= slots.length) {
        rebuild();
      }
      if (insert(slots, page)) {
        filled++;
      }
    }

    void remove(Page page) {
      Page[] table = slots;
      int i = start(page.number, table.length);
      while (table[i] != page) {
        i = i + 1 & table.length - 1;
      }
      table[i] = REMOVED;
    }

    List<Page> all() {
      return Arrays.stream(slots).filter(p -> p != null && p != REMOVED).toList();
    }

    private void rebuild() {
      List<Page> kept = all();
      Page[] table = new Page[Math.max(1024, Integer.highestOneBit(kept.size()) << 3)];
      kept.forEach(p -> insert(table, p));
      filled = kept.size();
      slots = table;
    }

    /** Inserts {@code page}, which is not there; tells whether it took a slot that had never been used. */
    private static boolean insert(Page[] table, Page page) {
      int i = start(page.number, table.length);
      // Slots of removed pages are taken again: a page that comes and goes would make a long way of its own.
      while (table[i] != null && table[i] != REMOVED) {
        i = i + 1 & table.length - 1;
      }
      boolean unused = table[i] == null;
      table[i] = page;
      return unused;
    }

    private static int start(long number, int size) {
      return (int) (number ^ number >>> 10) & size - 1;
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

  private final CodeProfile profile;
  private final PageTable pages = new PageTable();
  private final ConcurrentHashMap<GuestRam, Long> bases = new ConcurrentHashMap<>();
  private final List<VCpu> cpus = new CopyOnWriteArrayList<>();
  private final AtomicLong invalidations = new AtomicLong();
  private final AtomicInteger epoch = new AtomicInteger();
  private final AtomicLong blockCount = new AtomicLong();

  public CodeSpace(CodeProfile profile) {
    this.profile = profile;
  }

  /** What is known of its code from earlier runs. */
  public CodeProfile profile() {
    return profile;
  }

  /** Counts requests that CPUs leave all code that has been thrown away. */
  public int epoch() {
    return epoch.get();
  }

  /** Requests it; the result is what {@link VCpu#hasNoticed} takes. */
  public int nextEpoch() {
    return epoch.incrementAndGet();
  }

  /** Whether all CPUs have done so. */
  public boolean haveNoticed(int number) {
    return cpus.stream().allMatch(cpu -> cpu.hasNoticed(number));
  }

  public void addCpu(VCpu cpu) {
    cpus.add(cpu);
  }

  /** How many CPUs there are. */
  public int cpus() {
    return cpus.size();
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

  /** Heat at which the block of {@code code} at {@code physical} is compiled, if {@code usual} is that of most. */
  public int threshold(long physical, long[] code, int usual) {
    Page page = pages.get(physical >>> 12);
    boolean changes = page != null && page.rewrites >= MANY_REWRITES;
    return changes
        ? (int) Math.min(Integer.MAX_VALUE, (long) PATIENCE * usual)
        : profile.threshold(physical, code, usual);
  }

  public boolean hasCode(long physicalPage) {
    return pages.get(physicalPage >>> 12) != null;
  }

  /**
   * Announces that {@code cpu} is about to decode bytes of a page: from here on stores to those that are marked in
   * {@code ram} are seen.
   *
   * @param ram the block that holds the page
   * @param ramBase guest-physical address of the block's offset 0
   */
  public void protect(VCpu cpu, GuestRam ram, long ramBase, long physical) {
    long page = physical & -4096L;
    if (pages.get(page >>> 12) == null) {
      bases.putIfAbsent(ram, ramBase);
      ram.setCodeListener(this);
      pages.put(new Page(page >>> 12, ram, page - ramBase));
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
    int last = (int) (end - 1 & 0xfff) >>> 1;
    for (int i = Math.max(0, ((int) (start & 0xfff) >>> 1) - LONGEST); i <= last; i++) {
      Block b = page.blocks[i];
      if (b != null && b.physical < end && b.physical + b.bytes() > start) {
        drop(page, i);
      }
    }
    boolean rewritten =
        page.regions.removeIf(
            r -> {
              boolean hit = r.overlaps(start, end);
              if (hit) {
                r.invalidate();
              }
              return hit;
            });
    if (rewritten) {
      page.rewritten();
    }
    if ((start & 0xfff) < 2) {
      dropStraddlers(start & -4096L);
    }
    if (page.count == 0 && page.regions.isEmpty()) {
      // Stores to a page that holds no code any more are quick again.
      pages.remove(page);
      page.ram.clearCode(page.offset);
    }
  }

  /** Drops the blocks of one instruction whose second half is at the start of {@code pageAddress}. */
  private void dropStraddlers(long pageAddress) {
    for (Page page : pages.all()) {
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
    block.drop();
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
