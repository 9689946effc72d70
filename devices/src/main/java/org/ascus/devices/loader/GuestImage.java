package org.ascus.devices.loader;

import java.util.Comparator;
import java.util.List;
import org.ascus.machine.bus.AddressSpace;
import org.ascus.machine.bus.BusFault;
import org.ascus.machine.bus.RamRegion;

/**
 * What was read from a file, with the guest physical addresses where it goes.
 *
 * @param name the option and the file, such as {@code -kernel Image}; starts error messages
 * @param entry where execution begins
 * @param segments not empty; may come in any order
 */
public record GuestImage(String name, long entry, List<Segment> segments) {
  private static final byte[] ZEROES = new byte[1 << 16];

  /**
   * Bytes for one address range.
   *
   * @param size bytes of memory; what is beyond {@code data} is zeroed
   * @param headers these are the file's own headers, which a linker put before the program: nothing is lost where there
   *     is no memory for them
   */
  public record Segment(long address, byte[] data, long size, boolean headers) {
    public Segment {
      if (size < data.length) {
        throw new IllegalArgumentException("segment of " + data.length + " bytes in " + size);
      }
    }

    /** Bytes of a program. */
    public Segment(long address, byte[] data, long size) {
      this(address, data, size, false);
    }

    /** The first address after it. */
    public long end() {
      return address + size;
    }

    String range() {
      return String.format("0x%x-0x%x", address, end() - 1);
    }
  }

  public GuestImage {
    segments = List.copyOf(segments);
  }

  /** An image that is its bytes, at one address where it also starts. */
  public static GuestImage raw(String name, long address, byte[] data) {
    return new GuestImage(name, address, List.of(new Segment(address, data, data.length)));
  }

  /** The lowest address, headers aside. */
  public long start() {
    return segments.stream().filter(s -> !s.headers()).mapToLong(Segment::address).min().orElseThrow();
  }

  /** The first address after the highest segment. */
  public long end() {
    return segments.stream().mapToLong(Segment::end).max().orElseThrow();
  }

  /**
   * Checks that there is RAM or ROM for every byte of the program.
   *
   * @throws LoadException naming the segment that has no place
   */
  public void checkFits(AddressSpace memory) throws LoadException {
    for (Segment s : segments) {
      if (!s.headers() && !fits(s, memory)) {
        throw new LoadException(
            name + ": no memory for " + s.range() + " (" + s.size() + " bytes)" + ramOf(memory));
      }
    }
  }

  private static boolean fits(Segment s, AddressSpace memory) {
    return memory.view().ranges().stream()
        .anyMatch(r -> r.region() instanceof RamRegion && r.contains(s.address(), s.size()));
  }

  private static String ramOf(AddressSpace memory) {
    return memory.view().ranges().stream()
        .filter(r -> r.region() instanceof RamRegion ram && ram.writable())
        .max(Comparator.comparingLong(r -> r.end() - r.start()))
        .map(r -> String.format("; RAM is at 0x%x-0x%x", r.start(), r.end() - 1))
        .orElse("");
  }

  /**
   * Checks that it and {@code other} can both be loaded.
   *
   * @throws LoadException naming both, and the ranges that overlap
   */
  public void checkApart(GuestImage other) throws LoadException {
    for (Segment mine : segments) {
      for (Segment theirs : other.segments) {
        if (mine.address() < theirs.end() && theirs.address() < mine.end()) {
          throw new LoadException(
              name + " at " + mine.range() + " overlaps " + other.name + " at " + theirs.range());
        }
      }
    }
  }

  /** Writes the image, ROM included. {@link #checkFits} must have passed. */
  public void writeTo(AddressSpace memory) {
    try {
      for (Segment s : segments) {
        if (s.headers() && !fits(s, memory)) {
          continue;
        }
        memory.load(s.address(), s.data(), 0, s.data().length);
        for (long at = s.address() + s.data().length; at < s.end(); ) {
          int count = (int) Math.min(ZEROES.length, s.end() - at);
          memory.load(at, ZEROES, 0, count);
          at += count;
        }
      }
    } catch (BusFault e) {
      throw new IllegalStateException(name + " was not checked", e);
    }
  }
}
