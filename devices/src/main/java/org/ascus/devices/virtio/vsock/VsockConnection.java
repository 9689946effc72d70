package org.ascus.devices.virtio.vsock;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.DuplexChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * A connection between a port of the guest and a socket of the host. What is said of it in either direction is bounded:
 * by the window that the guest is told, and by what is read of the socket while the guest takes none. Its state is
 * guarded by the device's lock.
 */
final class VsockConnection extends ChannelInboundHandlerAdapter {
  /** Bytes that the guest may have under way to the host. */
  static final int WINDOW = 256 << 10;

  private static final int MOST_WAITING = 256 << 10;

  /** The ports of both ends. */
  record Key(int guestPort, int hostPort) {}

  private final VirtioVsock device;
  private final Key key;
  private final boolean fromHost;
  private final Deque<byte[]> waiting = new ArrayDeque<>();
  private int waitingBytes;
  private int waitingStart;
  private volatile Channel channel;
  private boolean open;
  private int hostShutdown;
  private int hostShutdownTold;
  private int guestShutdown;
  private int received;
  private int consumed;
  private int consumedTold;
  private int sent;
  private int peerWindow;
  private int peerConsumed;

  /**
   * @param fromHost whether the host asked for it
   */
  VsockConnection(VirtioVsock device, Key key, boolean fromHost) {
    this.device = device;
    this.key = key;
    this.fromHost = fromHost;
  }

  Key key() {
    return key;
  }

  // From the socket; netty's thread.

  @Override
  public void handlerAdded(ChannelHandlerContext context) {
    channel = context.channel();
  }

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) {
    ByteBuf buffer = (ByteBuf) message;
    byte[] bytes = new byte[buffer.readableBytes()];
    buffer.readBytes(bytes);
    buffer.release();
    device.locked(
        () -> {
          if (bytes.length == 0 || (guestShutdown & VsockPacket.NO_RECEIVE) != 0) {
            return;
          }
          waiting.add(bytes);
          waitingBytes += bytes.length;
          if (waitingBytes >= MOST_WAITING) {
            channel.config().setAutoRead(false);
          }
          device.deliver();
        });
  }

  @Override
  public void channelReadComplete(ChannelHandlerContext context) {
    if (EndOfInput.found(channel)) {
      hostShutsDown(VsockPacket.NO_SEND);
    }
  }

  @Override
  public void channelInactive(ChannelHandlerContext context) {
    hostShutsDown(VsockPacket.NO_SEND | VsockPacket.NO_RECEIVE);
  }

  private void hostShutsDown(int flags) {
    device.locked(
        () -> {
          hostShutdown |= flags;
          channel.config().setAutoRead(false);
          device.deliver();
        });
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
    context.close();
  }

  // With the lock held.

  /** The first connection attempt of the host's side has succeeded, or the guest has answered. */
  void open() {
    open = true;
    if (fromHost) {
      write(("OK " + (key.hostPort() & 0xffffffffL) + "\n").getBytes(StandardCharsets.US_ASCII), false);
    }
    read();
  }

  private void read() {
    if (hostShutdown == 0) {
      channel.config().setAutoRead(true);
    }
  }

  boolean isOpen() {
    return open;
  }

  /** Whether the guest is who has yet to answer. */
  boolean awaitsGuest() {
    return fromHost && !open;
  }

  void takeCredit(VsockPacket packet) {
    peerWindow = packet.window();
    peerConsumed = packet.consumed();
  }

  /** Data of the guest; false when it is more than the guest was told that there is room for. */
  boolean data(byte[] bytes) {
    if (bytes.length > WINDOW - (received - consumed) || (guestShutdown & VsockPacket.NO_SEND) != 0) {
      return false;
    }
    received += bytes.length;
    write(bytes, true);
    return true;
  }

  private void write(byte[] bytes, boolean counted) {
    ChannelFuture written = channel.writeAndFlush(Unpooled.wrappedBuffer(bytes));
    if (counted) {
      written.addListener(_ -> device.locked(() -> consumed(bytes.length)));
    }
  }

  private void consumed(int count) {
    consumed += count;
    if (consumed - consumedTold >= WINDOW / 2) {
      device.tell(this, VsockPacket.CREDIT_UPDATE, 0);
    }
  }

  /** The guest ends one direction or both; true when nothing is left of the connection. */
  boolean shutdown(int flags) {
    guestShutdown |= flags;
    if ((guestShutdown & VsockPacket.NO_RECEIVE) != 0) {
      waiting.clear();
      waitingBytes = 0;
    }
    boolean both = (guestShutdown & 3) == 3;
    if (both) {
      // Behind what the guest has sent.
      channel.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(ChannelFutureListener.CLOSE);
    } else if ((guestShutdown & VsockPacket.NO_SEND) != 0 && channel instanceof DuplexChannel duplex) {
      channel.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(_ -> duplex.shutdownOutput());
    }
    return both;
  }

  private int credit() {
    return peerWindow - (sent - peerConsumed);
  }

  /** Whether there is something to send and the guest may be sent it. */
  boolean hasOutput() {
    return open && (waitingBytes > 0 ? credit() > 0 : hostShutdown != hostShutdownTold);
  }

  /** What the guest was told of the directions that the host has ended. */
  int shutdownTold() {
    return hostShutdownTold;
  }

  /** Whether the guest was told that the socket is closed. */
  boolean isDone() {
    return hostShutdownTold == (VsockPacket.NO_SEND | VsockPacket.NO_RECEIVE);
  }

  /** Next data for the guest, at most {@code most} bytes; empty when it is {@link #shutdownTold} that is. */
  byte[] output(int most) {
    if (waitingBytes == 0) {
      hostShutdownTold = hostShutdown;
      return new byte[0];
    }
    byte[] first = waiting.element();
    int count = Math.min(Math.min(most, credit()), first.length - waitingStart);
    byte[] part = new byte[count];
    System.arraycopy(first, waitingStart, part, 0, count);
    waitingStart += count;
    if (waitingStart == first.length) {
      waiting.remove();
      waitingStart = 0;
    }
    boolean full = waitingBytes >= MOST_WAITING;
    waitingBytes -= count;
    if (full && waitingBytes < MOST_WAITING && open) {
      read();
    }
    sent += count;
    return part;
  }

  /** What the guest is told of the host's buffer. */
  int consumedNow() {
    consumedTold = consumed;
    return consumed;
  }

  /** A socket that is not connected yet is closed by who gets it. */
  void close() {
    if (channel != null) {
      channel.close();
    }
  }
}
