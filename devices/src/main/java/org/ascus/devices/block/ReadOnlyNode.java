package org.ascus.devices.block;

import java.nio.ByteBuffer;

/** A node that can only be read, whoever asks. */
public abstract class ReadOnlyNode implements BlockNode {
  @Override
  public final boolean readOnly() {
    return true;
  }

  @Override
  public final void write(long offset, ByteBuffer source) throws BlockException {
    checkRange(offset, source.remaining());
    checkWritable();
  }

  @Override
  public final void flush() {}

  @Override
  public final void discard(long offset, long length) throws BlockException {
    checkRange(offset, length);
    checkWritable();
  }

  @Override
  public final void writeZeroes(long offset, long length, boolean mayUnmap) throws BlockException {
    checkRange(offset, length);
    checkWritable();
  }
}
