package org.ascus.devices.virtio.queue;

import java.util.ArrayList;
import java.util.List;

/**
 * A run of bytes that lies in pieces of guest RAM. Immutable; the bytes are the guest's and may change at any time, so
 * whoever must check a value copies it first.
 */
public final class ScatterList {
  /** No bytes. */
  public static final ScatterList EMPTY = new ScatterList(List.of());

  private final List<GuestMemory.Segment> segments;
  private final long size;

  ScatterList(List<GuestMemory.Segment> segments) {
    this.segments = segments;
    long sum = 0;
    for (GuestMemory.Segment segment : segments) {
      sum += segment.length();
    }
    this.size = sum;
  }

  /** Total bytes. */
  public long size() {
    return size;
  }

  public List<GuestMemory.Segment> segments() {
    return segments;
  }

  /** Copies from the guest up to {@code length} bytes from byte {@code offset} of the list on; returns how many. */
  public int read(long offset, byte[] target, int start, int length) {
    return copy(offset, target, start, length, false);
  }

  /** Copies to the guest up to {@code length} bytes from byte {@code offset} of the list on; returns how many. */
  public int write(long offset, byte[] source, int start, int length) {
    return copy(offset, source, start, length, true);
  }

  private int copy(long offset, byte[] array, int start, int length, boolean toGuest) {
    long skip = offset;
    int done = 0;
    for (GuestMemory.Segment segment : segments) {
      if (done == length) {
        break;
      }
      if (skip >= segment.length()) {
        skip -= segment.length();
        continue;
      }
      int count = (int) Math.min(length - done, segment.length() - skip);
      if (toGuest) {
        segment.ram().write(segment.offset() + skip, array, start + done, count);
      } else {
        segment.ram().read(segment.offset() + skip, array, start + done, count);
      }
      done += count;
      skip = 0;
    }
    return done;
  }

  /** The {@code length} bytes from byte {@code offset} on, which must be there. */
  public ScatterList slice(long offset, long length) {
    List<GuestMemory.Segment> part = new ArrayList<>();
    long skip = offset;
    long left = length;
    for (GuestMemory.Segment segment : segments) {
      if (skip >= segment.length()) {
        skip -= segment.length();
      } else if (left > 0) {
        long count = Math.min(left, segment.length() - skip);
        part.add(new GuestMemory.Segment(segment.ram(), segment.offset() + skip, count));
        left -= count;
        skip = 0;
      }
    }
    if (left > 0) {
      throw new IndexOutOfBoundsException(length + " bytes at " + offset + " of " + size);
    }
    return new ScatterList(part);
  }

  /** The bytes of several lists, one after the other. */
  public static ScatterList join(List<ScatterList> lists) {
    return new ScatterList(lists.stream().flatMap(l -> l.segments.stream()).toList());
  }

  /** The bytes {@code offset} to {@code offset + length} as a copy; fewer if the list ends before. */
  public byte[] toBytes(long offset, int length) {
    byte[] result = new byte[(int) Math.max(0, Math.min(length, size - offset))];
    read(offset, result, 0, result.length);
    return result;
  }
}
