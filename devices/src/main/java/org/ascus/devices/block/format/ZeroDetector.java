package org.ascus.devices.block.format;

import java.nio.ByteBuffer;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.BlockNode;
import org.ascus.devices.block.Extent;

/** {@code detect-zeroes}: writes of nothing but zeroes become requests to write zeroes. */
final class ZeroDetector implements BlockNode {
  private final BlockNode node;
  private final boolean unmap;

  /** @param unmap whether the zeroes may give their place back */
  ZeroDetector(BlockNode node, boolean unmap) {
    this.node = node;
    this.unmap = unmap;
  }

  BlockNode below() {
    return node;
  }

  private static boolean isZero(ByteBuffer source) {
    int at = source.position();
    for (; at <= source.limit() - Long.BYTES; at += Long.BYTES) {
      if (source.getLong(at) != 0) {
        return false;
      }
    }
    for (; at < source.limit(); at++) {
      if (source.get(at) != 0) {
        return false;
      }
    }
    return true;
  }

  @Override
  public String name() {
    return node.name();
  }

  @Override
  public long size() {
    return node.size();
  }

  @Override
  public boolean readOnly() {
    return node.readOnly();
  }

  @Override
  public void read(long offset, ByteBuffer target) throws BlockException {
    node.read(offset, target);
  }

  @Override
  public void write(long offset, ByteBuffer source) throws BlockException {
    if (source.hasRemaining() && isZero(source)) {
      node.writeZeroes(offset, source.remaining(), unmap);
      source.position(source.limit());
    } else {
      node.write(offset, source);
    }
  }

  @Override
  public void flush() throws BlockException {
    node.flush();
  }

  @Override
  public void discard(long offset, long length) throws BlockException {
    node.discard(offset, length);
  }

  @Override
  public void writeZeroes(long offset, long length, boolean mayUnmap) throws BlockException {
    node.writeZeroes(offset, length, mayUnmap);
  }

  @Override
  public Extent extent(long offset, long length) throws BlockException {
    return node.extent(offset, length);
  }

  @Override
  public void resize(long bytes) throws BlockException {
    node.resize(bytes);
  }

  @Override
  public void close() throws BlockException {
    node.close();
  }
}
