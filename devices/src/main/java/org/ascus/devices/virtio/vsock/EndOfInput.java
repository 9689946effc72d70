package org.ascus.devices.virtio.vsock;

import io.netty.channel.AdaptiveRecvByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.RecvByteBufAllocator;

/**
 * Lets a Unix socket's other end finish sending and still be sent to. Netty closes such a socket when a read finds the
 * end, since it knows half-closed TCP sockets only; so reads are made to look as if they had found nothing, and who
 * handles the channel asks after each batch of them.
 */
@SuppressWarnings("deprecation") // Netty's own interface names the type that it deprecates.
final class EndOfInput implements RecvByteBufAllocator {
  private final RecvByteBufAllocator sizes = new AdaptiveRecvByteBufAllocator();

  private static final class Reads extends DelegatingHandle {
    private boolean ended;

    Reads(Handle sizes) {
      super(sizes);
    }

    @Override
    public void lastBytesRead(int bytes) {
      ended |= bytes < 0;
      super.lastBytesRead(Math.max(0, bytes));
    }
  }

  @Override
  public Handle newHandle() {
    return new Reads(sizes.newHandle());
  }

  /** Whether the other end sends no more; then there is nothing to be read for, and auto-read is to be off. */
  static boolean found(Channel channel) {
    return channel.unsafe().recvBufAllocHandle() instanceof Reads reads && reads.ended;
  }
}
