package org.ascus.devices.block.format.foreign;

import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.OptionalLong;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.BlockNode;
import org.ascus.devices.block.Extent;
import org.ascus.devices.block.ReadOnlyNode;

/** An image that is only read: a subclass knows where its bytes are. For any number of threads. */
public abstract class ForeignImage extends ReadOnlyNode {
  private static final byte[] ZEROES = new byte[64 * 1024];

  /** Where some bytes are. */
  enum Kind {
    /** As they are, in a file. */
    DATA,
    /** As they are, in a file that has a place for the whole disk: its holes are zeroes. */
    FLAT,
    ZERO,
    /** The backing file's, or zero. */
    ABSENT,
    /** In a compressed piece, by {@link #unpack}. */
    PACKED
  }

  /**
   * Where some bytes are.
   *
   * @param offset place in the file; of {@link Kind#PACKED} whatever {@link #unpack} understands
   * @param length bytes that this holds for, more than 0
   * @param file the file, for {@link Kind#DATA} and {@link Kind#FLAT}
   */
  record Place(Kind kind, long offset, long length, Optional<BlockNode> file) {
    static Place data(BlockNode file, long offset, long length) {
      return new Place(Kind.DATA, offset, length, Optional.of(file));
    }

    static Place flat(BlockNode file, long offset, long length) {
      return new Place(Kind.FLAT, offset, length, Optional.of(file));
    }

    static Place of(Kind kind, long length) {
      return new Place(kind, 0, length, Optional.empty());
    }
  }

  private record Unpacked(long offset, byte[] bytes) {}

  private final String name;
  private final long size;
  private volatile Unpacked last = new Unpacked(-1, new byte[0]);

  ForeignImage(String name, long size) {
    this.name = name;
    this.size = size;
  }

  /** Where the first of [offset, offset + length) are, which is inside the image; its length may be more. */
  abstract Place find(long offset, long length) throws BlockException;

  /** The bytes of the compressed piece that has {@code guest}; starts at {@link #packedStart}. */
  byte[] unpack(long offset, long guest) throws BlockException {
    throw new IllegalStateException();
  }

  /** Where in the guest's bytes the compressed piece begins that {@code guest} is in. */
  long packedStart(long guest) {
    throw new IllegalStateException();
  }

  /** What to read absent bytes from. */
  public Optional<BlockNode> backing() {
    return Optional.empty();
  }

  /** Bytes that are found or missing together, 0 if there are none such. */
  public int clusterSize() {
    return 0;
  }

  /** Name of the file that has the bytes at {@code offset}. */
  public String fileAt(long offset) {
    return name;
  }

  @Override
  public final String name() {
    return name;
  }

  @Override
  public final long size() {
    return size;
  }

  @Override
  public final void read(long offset, ByteBuffer target) throws BlockException {
    checkRange(offset, target.remaining());
    int end = target.limit();
    long at = offset;
    while (target.position() < end) {
      Place place = find(at, end - target.position());
      int count = (int) Math.min(place.length(), end - target.position());
      target.limit(target.position() + count);
      switch (place.kind()) {
        case DATA, FLAT -> readData(place, target);
        case ZERO -> zero(target);
        case ABSENT -> readBacking(at, target);
        case PACKED -> readPacked(place.offset(), at, target);
      }
      target.limit(end);
      at += count;
    }
  }

  /** The file may end before its last cluster does. */
  private static void readData(Place place, ByteBuffer target) throws BlockException {
    BlockNode file = place.file().orElseThrow();
    int end = target.limit();
    long there = Math.clamp(file.size() - place.offset(), 0L, (long) target.remaining());
    target.limit(target.position() + (int) there);
    if (target.hasRemaining()) {
      file.read(place.offset(), target);
    }
    target.limit(end);
    zero(target);
  }

  private static void zero(ByteBuffer target) {
    while (target.hasRemaining()) {
      target.put(ZEROES, 0, Math.min(ZEROES.length, target.remaining()));
    }
  }

  private void readBacking(long at, ByteBuffer target) throws BlockException {
    Optional<BlockNode> below = backing();
    if (below.isPresent() && at < below.get().size()) {
      int end = target.limit();
      target.limit(target.position() + (int) Math.min(target.remaining(), below.get().size() - at));
      below.get().read(at, target);
      target.limit(end);
    }
    zero(target);
  }

  private void readPacked(long offset, long guest, ByteBuffer target) throws BlockException {
    Unpacked piece = last;
    if (piece.offset != offset) {
      piece = new Unpacked(offset, unpack(offset, guest));
      last = piece;
    }
    target.put(piece.bytes, (int) (guest - packedStart(guest)), target.remaining());
  }

  /**
   * Looks up the bytes at {@code offset} without reading them.
   *
   * @return for how many bytes that holds, at most to the end
   * @throws BlockException naming what is wrong with the tables, or data that is outside the file
   */
  public final long checkPlace(long offset) throws BlockException {
    Place place = find(offset, size() - offset);
    long length = Math.min(place.length(), size() - offset);
    if (place.file().isPresent() && place.offset() >= place.file().get().size()
        || place.kind() == Kind.PACKED && unpack(place.offset(), offset).length == 0) {
      throw new BlockException("the data of offset " + offset + " at 0x" + Long.toHexString(place.offset())
          + " exceeds the end of the file");
    }
    return length;
  }

  @Override
  public Extent extent(long offset, long length) throws BlockException {
    checkRange(offset, length);
    Place place = find(offset, length);
    long count = Math.min(length, place.length());
    return switch (place.kind()) {
      case DATA -> new Extent(count, 0, true, false, true, false, OptionalLong.of(place.offset()));
      case FLAT -> {
        BlockNode file = place.file().orElseThrow();
        long there = Math.min(count, file.size() - place.offset());
        Extent below = there > 0 ? file.extent(place.offset(), there) : Extent.zero(count, OptionalLong.empty());
        yield new Extent(below.length(), 0, true, below.zero(), true, false, OptionalLong.of(place.offset()));
      }
      case ZERO -> Extent.zero(count, OptionalLong.empty());
      case PACKED -> new Extent(count, 0, true, false, true, true, OptionalLong.empty());
      case ABSENT -> {
        Optional<BlockNode> below = backing();
        if (below.isPresent() && offset < below.get().size()) {
          yield below.get().extent(offset, Math.min(count, below.get().size() - offset)).deeper();
        }
        yield new Extent(count, 0, false, true, false, false, OptionalLong.empty());
      }
    };
  }
}
