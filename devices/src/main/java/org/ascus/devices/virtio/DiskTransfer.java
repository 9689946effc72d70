package org.ascus.devices.virtio;

import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.util.List;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.BlockNode;
import org.ascus.devices.virtio.queue.GuestMemory;
import org.ascus.devices.virtio.queue.ScatterList;

/** Moves bytes between guest RAM and a block node, which gets the pieces of RAM as they are. */
public final class DiskTransfer {
  /** Bytes of a buffer at most. */
  private static final int MOST = 1 << 30;

  private DiskTransfer() {}

  /** Fills {@code target} from byte {@code at} of {@code node} on. */
  public static void read(BlockNode node, long at, ScatterList target) throws BlockException {
    ByteBuffer[] buffers = buffers(target);
    if (buffers.length == 1) {
      node.read(at, buffers[0]);
    } else {
      node.read(at, buffers);
    }
    for (GuestMemory.Segment segment : target.segments()) {
      segment.ram().written(segment.offset(), segment.length());
    }
  }

  /** Writes {@code source} to byte {@code at} of {@code node} on. */
  public static void write(BlockNode node, long at, ScatterList source) throws BlockException {
    VarHandle.fullFence();
    ByteBuffer[] buffers = buffers(source);
    if (buffers.length == 1) {
      node.write(at, buffers[0]);
    } else {
      node.write(at, buffers);
    }
  }

  private static ByteBuffer[] buffers(ScatterList list) {
    List<GuestMemory.Segment> segments = list.segments();
    int count = 0;
    for (GuestMemory.Segment segment : segments) {
      count += (int) Math.ceilDiv(segment.length(), (long) MOST);
    }
    ByteBuffer[] buffers = new ByteBuffer[count];
    int next = 0;
    for (GuestMemory.Segment segment : segments) {
      for (long done = 0; done < segment.length(); done += MOST) {
        int length = (int) Math.min(segment.length() - done, MOST);
        buffers[next++] = segment.ram().view(segment.offset() + done, length);
      }
    }
    return buffers;
  }
}
