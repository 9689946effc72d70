package org.ascus.devices.virtio.blk;

import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.util.List;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.BlockNode;

/** Moves data between guest buffers and the block node, through one bounded buffer. Used by one thread at a time. */
final class BlkTransfer {
  /** Bytes moved at once; what is longer goes in pieces, so that no guest makes the host allocate more. */
  static final int BOUNCE = 1 << 20;

  /** The device that the requests came from. A reset ends its generation. */
  interface Owner {
    boolean current(int generation);

    /** Runs {@code body} if no reset has happened, and lets none happen meanwhile. */
    void ifCurrent(int generation, Runnable body);

    /** Gives requests back to the driver. */
    void complete(List<BlkRequest> requests, int status, int generation);
  }

  private final BlockNode node;
  private final Owner owner;
  private byte[] bounce = new byte[64 * 1024];

  BlkTransfer(BlockNode node, Owner owner) {
    this.node = node;
    this.owner = owner;
  }

  /**
   * Runs requests of one kind that continue one another; more than one are at most {@link #BOUNCE} bytes together.
   *
   * @param through whether writes must be durable before they complete
   */
  void run(List<BlkRequest> requests, int generation, boolean through) {
    try {
      if (requests.size() == 1 && requests.getFirst().length() > BOUNCE) {
        pieces(requests.getFirst(), generation);
      } else if (requests.getFirst().type() == BlkRequest.IN) {
        read(requests, generation);
      } else {
        write(requests, generation);
      }
      if (through && requests.getFirst().type() == BlkRequest.OUT) {
        node.flush();
      }
      owner.complete(requests, BlkRequest.OK, generation);
    } catch (BlockException e) {
      if (requests.size() == 1) {
        owner.complete(requests, BlkRequest.IOERR, generation);
      } else {
        // One by one, so that only those fail that must.
        requests.forEach(r -> run(List.of(r), generation, through));
      }
    }
  }

  private void pieces(BlkRequest request, int generation) throws BlockException {
    byte[] buffer = buffer(BOUNCE);
    long at = request.sector() * BlkRequest.SECTOR;
    for (long done = 0; done < request.length() && owner.current(generation); ) {
      int count = (int) Math.min(BOUNCE, request.length() - done);
      if (request.type() == BlkRequest.IN) {
        node.read(at + done, ByteBuffer.wrap(buffer, 0, count));
        long offset = done;
        owner.ifCurrent(generation, () -> request.element().writable().write(offset, buffer, 0, count));
      } else {
        request.element().readable().read(BlkRequest.HEADER + done, buffer, 0, count);
        VarHandle.fullFence();
        if (owner.current(generation)) {
          node.write(at + done, ByteBuffer.wrap(buffer, 0, count));
        }
      }
      done += count;
    }
  }

  private void read(List<BlkRequest> requests, int generation) throws BlockException {
    int total = total(requests);
    byte[] buffer = buffer(total);
    node.read(requests.getFirst().sector() * BlkRequest.SECTOR, ByteBuffer.wrap(buffer, 0, total));
    owner.ifCurrent(
        generation,
        () -> {
          int at = 0;
          for (BlkRequest request : requests) {
            int count = (int) request.length();
            request.element().writable().write(0, buffer, at, count);
            at += count;
          }
        });
  }

  private void write(List<BlkRequest> requests, int generation) throws BlockException {
    int total = total(requests);
    byte[] buffer = buffer(total);
    int at = 0;
    for (BlkRequest request : requests) {
      int count = (int) request.length();
      request.element().readable().read(BlkRequest.HEADER, buffer, at, count);
      at += count;
    }
    VarHandle.fullFence();
    // A driver that reset the device meanwhile may have used the memory for something else.
    if (owner.current(generation)) {
      node.write(requests.getFirst().sector() * BlkRequest.SECTOR, ByteBuffer.wrap(buffer, 0, total));
    }
  }

  private static int total(List<BlkRequest> requests) {
    return requests.stream().mapToInt(r -> (int) r.length()).sum();
  }

  private byte[] buffer(int bytes) {
    if (bytes > bounce.length) {
      bounce = new byte[BOUNCE];
    }
    return bounce;
  }
}
