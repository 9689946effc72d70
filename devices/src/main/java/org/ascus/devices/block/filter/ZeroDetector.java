package org.ascus.devices.block.filter;

import java.nio.ByteBuffer;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.BlockNode;

/** {@code detect-zeroes}: writes of nothing but zeroes become requests to write zeroes. */
public final class ZeroDetector extends FilterNode {
  private static final ByteBuffer ZEROES = ByteBuffer.allocateDirect(64 * 1024).asReadOnlyBuffer();

  private final boolean unmap;

  /** @param unmap whether the zeroes may give their place back */
  public ZeroDetector(BlockNode node, boolean unmap) {
    super(node);
    this.unmap = unmap;
  }

  /** Whether all that remains is zero; looks at it in wide strides, however the JVM compiles this. */
  public static boolean isZero(ByteBuffer bytes) {
    int from = bytes.position();
    int end = bytes.limit();
    // Most of what is not zero shows at once.
    if (end - from >= Long.BYTES && bytes.getLong(from) != 0) {
      return false;
    }
    for (int at = from; at < end; at += ZEROES.capacity()) {
      int length = Math.min(ZEROES.capacity(), end - at);
      if (bytes.slice(at, length).mismatch(ZEROES.slice(0, length)) >= 0) {
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
