package org.ascus.devices.block.format;

import java.nio.ByteBuffer;
import java.util.OptionalLong;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.BlockNode;

/** The raw format: the bytes of the node below, or a window of them. */
public final class RawFormat implements BlockNode {
  private final BlockNode file;
  private final long offset;
  private final long size;

  /** All of {@code file}, which this node closes. */
  public RawFormat(BlockNode file) {
    this.file = file;
    this.offset = 0;
    this.size = file.size();
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
    file.write(offset + at, source);
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
  public void close() throws BlockException {
    file.close();
  }
}
