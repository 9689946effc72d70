package org.ascus.devices.block.filter;

import java.nio.ByteBuffer;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.BlockNode;

/** {@code detect-zeroes}: writes of nothing but zeroes become requests to write zeroes. */
public final class ZeroDetector extends FilterNode {
  private final boolean unmap;

  /** @param unmap whether the zeroes may give their place back */
  public ZeroDetector(BlockNode node, boolean unmap) {
    super(node);
    this.unmap = unmap;
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
  public void write(long offset, ByteBuffer source) throws BlockException {
    if (source.hasRemaining() && isZero(source)) {
      writeZeroes(offset, source.remaining(), unmap);
      source.position(source.limit());
    } else {
      super.write(offset, source);
    }
  }
}
