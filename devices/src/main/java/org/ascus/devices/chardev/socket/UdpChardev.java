package org.ascus.devices.chardev.socket;

import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.socket.DatagramPacket;
import io.netty.channel.socket.nio.NioDatagramChannel;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import org.ascus.devices.chardev.CharBackend;
import org.ascus.devices.chardev.CharReceiver;
import org.ascus.devices.chardev.InputFeeder;
import org.ascus.devices.chardev.OutputPump;

/**
 * Datagrams to and from one peer. What is written comes together in datagrams as it happens; those that arrive while
 * the receiver takes nothing and 64 KiB wait already are lost, as datagrams are.
 */
public final class UdpChardev implements CharBackend {
  private static final int MOST = 1400;

  private final EventLoopGroup loops = Loops.one();
  private final InputFeeder input = new InputFeeder(InputFeeder.thread("udp"), () -> {});
  private final OutputPump output = new OutputPump("udp", new ToPeer(), () -> this.receiver.canSend());
  private volatile CharReceiver receiver = CharReceiver.NOBODY;
  private final InetSocketAddress remote;
  private final Channel channel;

  /**
   * @param remote the peer
   * @param local where to receive
   * @throws IOException naming the address that cannot be had
   */
  public UdpChardev(InetSocketAddress remote, InetSocketAddress local) throws IOException {
    this.remote = remote;
    ChannelFuture bound =
        new Bootstrap().group(loops).channel(NioDatagramChannel.class).handler(new FromPeer()).bind(local);
    bound.awaitUninterruptibly();
    if (!bound.isSuccess() || remote.isUnresolved()) {
      Loops.end(loops);
      throw new IOException(
          remote.isUnresolved()
              ? "address resolution failed for " + remote.getHostString()
              : "Failed to bind socket to " + local.getHostString() + ":" + local.getPort() + ": "
                  + bound.cause().getMessage());
    }
    channel = bound.channel();
  }

  /** Where it receives. */
  public InetSocketAddress localAddress() {
    return (InetSocketAddress) channel.localAddress();
  }

  private final class FromPeer extends SimpleChannelInboundHandler<DatagramPacket> {
    @Override
    protected void channelRead0(ChannelHandlerContext context, DatagramPacket packet) {
      if (packet.sender().equals(remote)) {
        byte[] data = new byte[packet.content().readableBytes()];
        packet.content().readBytes(data);
        input.offer(data, 0, data.length);
      }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable e) {
      // Nobody listens over there, yet: datagrams may get lost.
    }
  }

  private final class ToPeer extends OutputStream {
    @Override
    public void write(int value) {
      write(new byte[] {(byte) value}, 0, 1);
    }

    @Override
    public void write(byte[] data, int offset, int length) {
      for (int done = 0; done < length; done += MOST) {
        int count = Math.min(MOST, length - done);
        var packet = new DatagramPacket(Unpooled.copiedBuffer(data, offset + done, count), remote);
        channel.writeAndFlush(packet).awaitUninterruptibly();
      }
    }
  }

  @Override
  public void write(byte[] data, int offset, int length) {
    output.write(data, offset, length);
  }

  @Override
  public boolean hasRoom() {
    return output.hasRoom();
  }

  @Override
  public void connect(CharReceiver newReceiver) {
    receiver = newReceiver;
    input.connect(newReceiver);
  }

  @Override
  public void acceptInput() {
    input.wake();
  }

  @Override
  public void close() {
    input.close();
    output.close();
    Loops.end(loops);
  }
}
