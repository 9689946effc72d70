package org.ascus.devices.block.format;

import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.OptionalLong;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.BlockNode;
import org.ascus.devices.block.Extent;

/** The raw format: the bytes of the node below, or a window of them. */
public final class RawFormat implements BlockNode {
  private final BlockNode file;
  private final long offset;
  private final boolean probed;
  private volatile long size;

  /** All of {@code file}, which this node closes. */
  public RawFormat(BlockNode file) {
    this(file, false);
  }

  private RawFormat(BlockNode file, boolean probed) {
    this.file = file;
    this.probed = probed;
    this.offset = 0;
    this.size = file.size();
  }

  /**
   * All of a file of which nobody said that it is raw. Writes that would make it look like another format fail: the
   * next one to probe it would believe what the guest put there, such as the name of a backing file.
   */
  public static RawFormat probed(BlockNode file) {
    return new RawFormat(file, true);
  }

  /**
   * A window of {@code file}.
   *
   * @param offset first byte
   * @param size bytes; all that follow if empty
   * @throws BlockException naming the option that does not fit the file
   */
  public RawFormat(BlockNode file, long offset, OptionalLong size) throws BlockException {
    if (offset < 0 || offset > file.size()) {
      throw new BlockException("'offset' " + offset + " is greater than the size of '" + file.name() + "'");
    }
    this.file = file;
    this.probed = false;
    this.offset = offset;
    this.size = size.orElse(file.size() - offset);
    if (this.size % 512 != 0) {
      throw new BlockException("Specified size " + this.size + " is not a multiple of 512 bytes");
    }
    if (this.size < 0 || this.size > file.size() - offset) {
      throw new BlockException(
          "The sum of 'offset' and 'size' " + this.size + " is greater than the size of '" + file.name() + "'");
    }
  }

  @Override
  public String name() {
    return file.name();
  }

  @Override
  public long size() {
    return size;
  }

  @Override
  public boolean readOnly() {
    return file.readOnly();
  }

  @Override
  public void read(long at, ByteBuffer target) throws BlockException {
    checkRange(at, target.remaining());
    file.read(offset + at, target);
  }

  @Override
  public void write(long at, ByteBuffer source) throws BlockException {
    checkRange(at, source.remaining());
    if (probed && at < Probe.BYTES && source.hasRemaining()) {
      ByteBuffer copy = ByteBuffer.allocate((int) Math.min(source.remaining(), Probe.BYTES - at));
      copy.put(0, source, source.position(), copy.capacity());
      refuseMagic((int) at, copy);
      file.write(offset + at, copy);
      source.position(source.position() + copy.capacity());
      file.write(offset + at + copy.capacity(), source);
    } else {
      file.write(offset + at, source);
    }
  }

  @Override
  public void read(long at, ByteBuffer[] targets) throws BlockException {
    checkRange(at, BlockNode.remaining(targets));
    file.read(offset + at, targets);
  }

  @Override
  public void write(long at, ByteBuffer[] sources) throws BlockException {
    checkRange(at, BlockNode.remaining(sources));
    if (probed && at < Probe.BYTES) {
      BlockNode.super.write(at, sources);
    } else {
      file.write(offset + at, sources);
    }
  }

  private void refuseMagic(int at, ByteBuffer copy) throws BlockException {
    byte[] head = Probe.head(file);
    copy.get(0, head, at, Math.min(copy.capacity(), head.length - at));
    Optional<String> format = Probe.format(head);
    if (format.isPresent()) {
      throw new BlockException("'" + name() + "': a write to its first sector would make it look like format '"
          + format.get() + "', which is refused because its format was probed; say format=raw");
    }
  }

  @Override
  public void resize(long bytes) throws BlockException {
    file.resize(offset + bytes);
    size = file.size() - offset;
  }

  @Override
  public void flush() throws BlockException {
    file.flush();
  }

  @Override
  public void discard(long at, long length) throws BlockException {
    checkRange(at, length);
    file.discard(offset + at, length);
  }

  @Override
  public void writeZeroes(long at, long length, boolean mayUnmap) throws BlockException {
    checkRange(at, length);
    file.writeZeroes(offset + at, length, mayUnmap);
  }

  @Override
  public Extent extent(long at, long length) throws BlockException {
    checkRange(at, length);
    Extent below = file.extent(offset + at, length);
    return new Extent(
        below.length(), 0, true, below.zero(), below.data(), false, OptionalLong.of(offset + at));
  }

  @Override
  public void close() throws BlockException {
    file.close();
  }
}
