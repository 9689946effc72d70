package org.ascus.machine.bus;

import java.util.ArrayList;
import java.util.List;

/** An address space resolved to ranges that do not overlap, sorted by address. Immutable. */
public final class FlatView {
  /**
   * {@code size} bytes from {@code start} are {@code region} from {@code offset} on.
   *
   * @param region a {@link RamRegion} or an {@link MmioRegion}
   */
  public record Range(long start, long size, Region region, long offset) {
    public boolean contains(long address, long length) {
      return address >= start && length <= size && address - start <= size - length;
    }

    public long end() {
      return start + size;
    }
  }

  private final Range[] ranges;
  private final long[] starts;

  private FlatView(List<Range> ranges) {
    this.ranges = ranges.toArray(Range[]::new);
    this.starts = ranges.stream().mapToLong(Range::start).toArray();
  }

  static FlatView of(Region root) {
    List<Range> ranges = new ArrayList<>();
    render(root, 0, 0, root.size(), ranges);
    ranges.sort((a, b) -> Long.compare(a.start(), b.start()));
    return new FlatView(ranges);
  }

  /** Lays {@code region} (its byte 0 at {@code base}) under what is there already, inside [low, high). */
  private static void render(Region region, long base, long low, long high, List<Range> ranges) {
    long from = Math.max(base, low);
    long to = Math.min(base + region.size(), high);
    if (from >= to) {
      return;
    }
    switch (region) {
      case ContainerRegion container -> {
        List<ContainerRegion.Mapping> mappings = new ArrayList<>(container.mappings().reversed());
        mappings.sort((a, b) -> Integer.compare(b.priority(), a.priority()));
        for (ContainerRegion.Mapping m : mappings) {
          render(m.region(), base + m.offset(), from, to, ranges);
        }
      }
      case AliasRegion alias -> render(alias.target(), base - alias.offset(), from, to, ranges);
      case RomDeviceRegion rom -> insert(rom.current(), base, from, to, ranges);
      case RamRegion ram -> insert(ram, base, from, to, ranges);
      case MmioRegion mmio -> insert(mmio, base, from, to, ranges);
    }
  }

  private static void insert(Region region, long base, long from, long to, List<Range> ranges) {
    List<Range> free = new ArrayList<>();
    free.add(new Range(from, to - from, region, from - base));
    for (Range taken : ranges) {
      List<Range> next = new ArrayList<>();
      for (Range f : free) {
        if (taken.end() <= f.start() || taken.start() >= f.end()) {
          next.add(f);
          continue;
        }
        if (taken.start() > f.start()) {
          next.add(new Range(f.start(), taken.start() - f.start(), region, f.offset()));
        }
        if (taken.end() < f.end()) {
          next.add(new Range(taken.end(), f.end() - taken.end(), region, f.offset() + taken.end() - f.start()));
        }
      }
      free = next;
    }
    ranges.addAll(free);
  }

  public List<Range> ranges() {
    return List.of(ranges);
  }

  /** The range that holds all of [address, address + length), or throws. */
  public Range find(long address, int length) throws BusFault {
    int low = 0;
    int high = starts.length - 1;
    while (low <= high) {
      int mid = (low + high) >>> 1;
      Range range = ranges[mid];
      if (address < range.start()) {
        high = mid - 1;
      } else if (address >= range.end()) {
        low = mid + 1;
      } else if (range.contains(address, length)) {
        return range;
      } else {
        break;
      }
    }
    throw BusFault.UNASSIGNED;
  }
}
