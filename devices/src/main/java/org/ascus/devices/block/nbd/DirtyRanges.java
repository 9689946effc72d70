package org.ascus.devices.block.nbd;

import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;

/**
 * What a bitmap said about a disk when it was exported.
 *
 * @param name of the bitmap
 * @param starts of the dirty ranges, with their ends
 */
public record DirtyRanges(String name, NavigableMap<Long, Long> starts) {
  /** No dirty bytes yet. */
  public DirtyRanges(String name) {
    this(name, new TreeMap<>());
  }

  /** Adds a range behind all others. */
  public void add(long offset, long length) {
    starts.put(offset, offset + length);
  }

  /** Whether the byte at {@code offset} is dirty. */
  boolean has(long offset) {
    Map.Entry<Long, Long> range = starts.floorEntry(offset);
    return range != null && offset < range.getValue();
  }

  /** Bytes from {@code offset} on, of {@code most}, that are as dirty or as clean as the first of them. */
  long run(long offset, long most) {
    Map.Entry<Long, Long> range = starts.floorEntry(offset);
    if (range != null && offset < range.getValue()) {
      return Math.min(most, range.getValue() - offset);
    }
    Map.Entry<Long, Long> next = starts.higherEntry(offset);
    return next == null ? most : Math.min(most, next.getKey() - offset);
  }
}
