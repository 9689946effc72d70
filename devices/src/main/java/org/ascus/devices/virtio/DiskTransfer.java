package org.ascus.devices.virtio;

import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.util.List;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.BlockNode;
import org.ascus.devices.virtio.queue.GuestMemory;
import org.ascus.devices.virtio.queue.ScatterList;

/**
 * Moves bytes between guest RAM and a block node. Long pieces of RAM are handed to the node as they are; short ones
 * that follow one another go through a buffer, since a copy costs less than a request.
 */
public final class DiskTransfer {
  /** Bytes that are gathered at most, so that no guest makes the host allocate more. */
  public static final int BOUNCE = 1 << 20;

  /** Bytes of a piece that is a request of its own. */
  private static final int DIRECT = 32 << 10;

  private final ThreadLocal<ByteBuffer> bounce = ThreadLocal.withInitial(() -> ByteBuffer.allocateDirect(BOUNCE));

  private interface Request {
    void run(long at, ByteBuffer bytes) throws BlockException;
  }

  /** Fills {@code target} from byte {@code at} of {@code node} on. */
  public void read(BlockNode node, long at, ScatterList target) throws BlockException {
    move(node::read, at, target.segments(), true);
  }

  /** Writes {@code source} to byte {@code at} of {@code node} on. */
  public void write(BlockNode node, long at, ScatterList source) throws BlockException {
    VarHandle.fullFence();
    move(node::write, at, source.segments(), false);
  }

  private void move(Request request, long at, List<GuestMemory.Segment> segments, boolean toGuest)
      throws BlockException {
    long done = at;
    for (int i = 0; i < segments.size(); ) {
      int end = i;
      int bytes = 0;
      while (end < segments.size() && segments.get(end).length() < DIRECT
          && bytes + segments.get(end).length() <= BOUNCE) {
        bytes += (int) segments.get(end++).length();
      }
      if (end - i > 1) {
        gathered(request, done, segments.subList(i, end), bytes, toGuest);
        done += bytes;
        i = end;
      } else {
        direct(request, done, segments.get(i), toGuest);
        done += segments.get(i++).length();
      }
    }
  }

  private static void direct(Request request, long at, GuestMemory.Segment segment, boolean toGuest)
      throws BlockException {
    for (long done = 0; done < segment.length(); ) {
      int count = (int) Math.min(segment.length() - done, BOUNCE);
      request.run(at + done, segment.ram().view(segment.offset() + done, count));
      if (toGuest) {
        segment.ram().written(segment.offset() + done, count);
      }
      done += count;
    }
  }

  private void gathered(Request request, long at, List<GuestMemory.Segment> segments, int bytes, boolean toGuest)
      throws BlockException {
    ByteBuffer buffer = bounce.get().clear().limit(bytes);
    if (toGuest) {
      request.run(at, buffer);
      buffer.flip();
    }
    int from = 0;
    for (GuestMemory.Segment segment : segments) {
      int count = (int) segment.length();
      ByteBuffer guest = segment.ram().view(segment.offset(), count);
      if (toGuest) {
        guest.put(0, buffer, from, count);
        segment.ram().written(segment.offset(), count);
      } else {
        buffer.put(from, guest, 0, count);
      }
      from += count;
    }
    if (!toGuest) {
      request.run(at, buffer);
    }
  }
}
