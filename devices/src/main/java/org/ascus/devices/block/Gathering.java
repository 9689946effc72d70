package org.ascus.devices.block;

import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * Requests of many buffers for nodes that take one at a time. Long buffers are requests of their own; short ones that
 * follow one another go through a buffer in between, since a copy costs less than a request.
 */
final class Gathering {
  /** Bytes that are gathered at most, so that no guest makes the host allocate more. */
  private static final int MOST = 1 << 20;

  /** Bytes of a buffer that is a request of its own. */
  private static final int LONG = 32 << 10;

  private static final ThreadLocal<ByteBuffer> BETWEEN =
      ThreadLocal.withInitial(() -> ByteBuffer.allocateDirect(MOST));

  private Gathering() {}

  private interface Request {
    void run(long offset, ByteBuffer buffer) throws BlockException;
  }

  static void read(BlockNode node, long offset, ByteBuffer[] targets) throws BlockException {
    move(node::read, offset, targets, true);
  }

  static void write(BlockNode node, long offset, ByteBuffer[] sources) throws BlockException {
    move(node::write, offset, sources, false);
  }

  private static void move(Request request, long offset, ByteBuffer[] buffers, boolean read) throws BlockException {
    long at = offset;
    for (int first = 0; first < buffers.length; ) {
      int end = first;
      int bytes = 0;
      while (end < buffers.length && buffers[end].remaining() < LONG && bytes + buffers[end].remaining() <= MOST) {
        bytes += buffers[end++].remaining();
      }
      if (end - first > 1) {
        gathered(request, at, Arrays.copyOfRange(buffers, first, end), bytes, read);
        at += bytes;
        first = end;
      } else {
        at += single(request, at, buffers[first++]);
      }
    }
  }

  private static long single(Request request, long offset, ByteBuffer buffer) throws BlockException {
    int start = buffer.position();
    int end = buffer.limit();
    while (buffer.position() < end) {
      buffer.limit(Math.min(end, buffer.position() + MOST));
      request.run(offset + buffer.position() - start, buffer);
      buffer.limit(end);
    }
    return end - start;
  }

  private static void gathered(Request request, long offset, ByteBuffer[] buffers, int bytes, boolean read)
      throws BlockException {
    ByteBuffer between = BETWEEN.get().clear().limit(bytes);
    if (read) {
      request.run(offset, between);
      between.flip();
      for (ByteBuffer target : buffers) {
        int count = target.remaining();
        target.put(target.position(), between, between.position(), count).position(target.limit());
        between.position(between.position() + count);
      }
    } else {
      for (ByteBuffer source : buffers) {
        between.put(source);
      }
      request.run(offset, between.flip());
    }
  }
}
