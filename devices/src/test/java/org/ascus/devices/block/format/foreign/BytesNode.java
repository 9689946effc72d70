package org.ascus.devices.block.format.foreign;

import java.nio.ByteBuffer;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.BlockNode;

/** A file in memory that is only read; its end is a hard one. */
record BytesNode(byte[] bytes) implements BlockNode {
  @Override
  public String name() {
    return "bytes";
  }

  @Override
  public long size() {
    return bytes.length;
  }

  @Override
  public boolean readOnly() {
    return true;
  }

  @Override
  public void read(long offset, ByteBuffer target) throws BlockException {
    checkRange(offset, target.remaining());
    target.put(bytes, (int) offset, target.remaining());
  }

  @Override
  public void write(long offset, ByteBuffer source) throws BlockException {
    checkWritable();
  }

  @Override
  public void flush() {}

  @Override
  public void discard(long offset, long length) throws BlockException {
    checkWritable();
  }

  @Override
  public void writeZeroes(long offset, long length, boolean mayUnmap) throws BlockException {
    checkWritable();
  }

  @Override
  public void close() {}
}
