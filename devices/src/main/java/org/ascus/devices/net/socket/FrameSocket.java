package org.ascus.devices.net.socket;

import io.netty.channel.ChannelFuture;
import io.netty.channel.EventLoop;
import io.netty.channel.nio.NioEventLoopGroup;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.TimeUnit;
import org.ascus.devices.net.Frame;
import org.ascus.devices.net.FrameQueue;
import org.ascus.devices.net.NetBackend;
import org.ascus.devices.net.NetPeer;
import org.ascus.devices.net.Offloads;

/** What back ends on sockets share: bounded queues in both directions and the event loop between them. */
abstract class FrameSocket implements NetBackend {
  private static final int MOST_FRAMES = 1024;
  private static final int MOST_BYTES = 2 << 20;

  private final FrameQueue out = new FrameQueue(MOST_FRAMES, MOST_BYTES);
  private final Deque<Frame> in = new ArrayDeque<>();
  private final NioEventLoopGroup group;
  private final EventLoop loop;
  private volatile NetPeer guest;
  private volatile boolean closed;

  FrameSocket(String id) {
    group = new NioEventLoopGroup(1, new DefaultThreadFactory("ascus-net-" + id, true));
    loop = group.next();
  }

  final EventLoop loop() {
    return loop;
  }

  final boolean isClosed() {
    return closed;
  }

  /** Whether {@link #send} takes a frame now; on the event loop. */
  abstract boolean canSend();

  /** Sends a frame, or drops it if nobody is there. */
  abstract void send(Frame frame);

  /** No more frames for now. */
  abstract void flush();

  /** Whether more frames from the other side are wanted. */
  abstract void read(boolean wanted);

  /** Closes the sockets; on the event loop. */
  abstract void closeSockets();

  /** Most frames that are kept when the guest takes none. */
  abstract int mostWaiting();

  @Override
  public final Offloads offloads() {
    return Offloads.NONE;
  }

  @Override
  public final void connect(NetPeer peer) {
    guest = peer;
  }

  @Override
  public final boolean receive(Frame frame) {
    if (closed) {
      return true;
    }
    boolean taken = out.add(frame);
    if (out.claimWork()) {
      loop.execute(this::drain);
    }
    return taken;
  }

  /** Sends what the guest sent, as far as the socket takes it. */
  final void drain() {
    out.beginWork();
    boolean any = false;
    while (canSend()) {
      Frame frame = out.poll();
      if (frame == null) {
        break;
      }
      send(frame);
      any = true;
    }
    if (any) {
      flush();
    }
    if (canSend() && out.wasRefused()) {
      guest.roomAgain();
    }
  }

  /** A frame for the guest. */
  final void deliver(byte[] bytes) {
    if (guest == null || bytes.length < Frame.HEADER) {
      return;
    }
    Frame frame = new Frame(bytes);
    if (in.isEmpty() && guest.receive(frame)) {
      return;
    }
    if (in.size() < mostWaiting()) {
      in.add(frame);
      read(false);
    }
  }

  @Override
  public final void roomAgain() {
    if (!closed) {
      loop.execute(
          () -> {
            while (!in.isEmpty() && guest.receive(in.getFirst())) {
              in.removeFirst();
            }
            if (in.isEmpty()) {
              read(true);
            }
          });
    }
  }

  /** Waits for a socket's operation, from any thread but the event loop's. */
  static void await(ChannelFuture future) throws IOException {
    future.awaitUninterruptibly();
    if (!future.isSuccess()) {
      throw new IOException(future.cause().getMessage(), future.cause());
    }
  }

  @Override
  public final void close() {
    if (!closed) {
      closed = true;
      loop.execute(this::closeSockets);
      group.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly(2, TimeUnit.SECONDS);
    }
  }
}
