package org.ascus.devices.block;

import java.util.OptionalLong;

/**
 * What a node knows of a range of its bytes without reading them.
 *
 * @param length bytes that this holds for
 * @param depth how many backing files below the node the bytes are
 * @param present whether the node or a backing file has the bytes or knows them to be zero; false reads as zero too
 * @param zero whether they read as zero
 * @param data whether they are stored; preallocated zeroes can be both
 * @param compressed whether they are stored compressed
 * @param offset where they are in the file, if they are stored as they are
 */
public record Extent(
    long length, int depth, boolean present, boolean zero, boolean data, boolean compressed, OptionalLong offset) {
  /** Bytes of which nothing is known. */
  public static Extent data(long length, long offset) {
    return new Extent(length, 0, true, false, true, false, OptionalLong.of(offset));
  }

  /** A hole, at a place in a file or nowhere. */
  public static Extent zero(long length, OptionalLong offset) {
    return new Extent(length, 0, true, true, false, false, offset);
  }

  /** The same of another length. */
  public Extent withLength(long bytes) {
    return new Extent(bytes, depth, present, zero, data, compressed, offset);
  }

  /** The same without its first bytes; fewer than there are. */
  public Extent behind(long bytes) {
    OptionalLong place = offset.isPresent() ? OptionalLong.of(offset.getAsLong() + bytes) : offset;
    return new Extent(length - bytes, depth, present, zero, data, compressed, place);
  }

  /** The same, seen from a file on top. */
  public Extent deeper() {
    return new Extent(length, depth + 1, present, zero, data, compressed, offset);
  }

  /** Whether {@code next}, right behind these bytes, can be told in one line with them. */
  public boolean continuedBy(Extent next) {
    boolean placed = offset.isPresent() == next.offset.isPresent()
        && (offset.isEmpty() || offset.getAsLong() + length == next.offset.getAsLong());
    return depth == next.depth && present == next.present && zero == next.zero && data == next.data
        && compressed == next.compressed && placed;
  }
}
