package org.ascus.devices.net.socket;

import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioDomainSocketChannel;
import io.netty.channel.socket.nio.NioServerDomainSocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Files;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.ascus.devices.host.HostErrors;
import org.ascus.devices.net.AcceptErrors;
import org.ascus.devices.net.Frame;
import org.ascus.devices.net.filter.FrameWire;
import org.ascus.machine.device.DeviceException;

/**
 * Frames over one TCP or unix connection, as {@link FrameWire} has them. A server takes one client at a
 * time; frames of a guest whose other side is not there are lost.
 */
public final class StreamNet extends FrameSocket {
  private static final int MOST_WAITING = 1 << 16;

  private final String kind;
  private final StreamAddress address;
  private final int reconnectSeconds;
  private Optional<Channel> listener = Optional.empty();
  private volatile Optional<Channel> peer = Optional.empty();

  /**
   * Listens or connects.
   *
   * @param kind of back end, for people: {@code socket} or {@code stream}
   * @param server listens instead of connecting
   * @param reconnectSeconds how long a client waits before it tries again; 0 to give up
   * @throws DeviceException naming the address if that fails
   */
  public StreamNet(String id, String kind, StreamAddress address, boolean server, int reconnectSeconds)
      throws DeviceException {
    super(id);
    this.kind = kind;
    this.address = address;
    this.reconnectSeconds = reconnectSeconds;
    try {
      if (server) {
        listen();
      } else {
        ChannelFuture connected = connectOnce();
        if (reconnectSeconds == 0) {
          await(connected);
        }
      }
    } catch (IOException e) {
      close();
      String what = server ? "can't listen at " : "can't connect to ";
      throw new DeviceException(what + address + ": " + HostErrors.reason(e), e);
    }
  }

  private SocketAddress target() {
    return switch (address) {
      case StreamAddress.Inet(String host, int port) ->
          host.isEmpty() ? new InetSocketAddress(port) : new InetSocketAddress(host, port);
      case StreamAddress.Unix(var path) -> UnixDomainSocketAddress.of(path);
    };
  }

  private void listen() throws IOException {
    if (address instanceof StreamAddress.Unix(var path)) {
      Files.deleteIfExists(path);
    }
    ChannelFuture bound =
        new ServerBootstrap()
            .group(loop())
            .channel(
                address instanceof StreamAddress.Unix
                    ? NioServerDomainSocketChannel.class
                    : NioServerSocketChannel.class)
            .handler(new AcceptErrors())
            .childHandler(handler())
            .bind(target());
    await(bound);
    listener = Optional.of(bound.channel());
  }

  private ChannelFuture connectOnce() {
    ChannelFuture connecting =
        new Bootstrap()
            .group(loop())
            .channel(address instanceof StreamAddress.Unix ? NioDomainSocketChannel.class : NioSocketChannel.class)
            .handler(handler())
            .connect(target());
    connecting.addListener(
        _ -> {
          if (!connecting.isSuccess()) {
            connectLater();
          }
        });
    return connecting;
  }

  private void connectLater() {
    if (reconnectSeconds > 0 && listener.isEmpty() && !isClosed()) {
      loop().schedule(this::connectOnce, reconnectSeconds, TimeUnit.SECONDS);
    }
  }

  private ChannelHandler handler() {
    return new ChannelInitializer<>() {
      @Override
      protected void initChannel(Channel channel) {
        if (channel instanceof SocketChannel tcp) {
          tcp.config().setTcpNoDelay(true);
        }
        channel.pipeline().addLast(new Decoder());
      }
    };
  }

  private final class Decoder extends ChannelInboundHandlerAdapter {
    private final FrameWire wire = new FrameWire(false, frame -> deliver(frame.bytes()));

    @Override
    public void channelActive(ChannelHandlerContext context) {
      if (peer.isPresent() || isClosed()) {
        context.close();
        return;
      }
      peer = Optional.of(context.channel());
      drain();
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
      ByteBuf data = (ByteBuf) message;
      try {
        if (!wire.decode(data.nioBuffer())) {
          context.close();
        }
      } finally {
        data.release();
      }
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext context) {
      if (context.channel().isWritable()) {
        drain();
      }
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
      if (peer.equals(Optional.of(context.channel()))) {
        peer = Optional.empty();
        drain();
        connectLater();
      }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
      context.close();
    }
  }

  @Override
  boolean canSend() {
    return peer.isEmpty() || peer.get().isWritable();
  }

  @Override
  void send(Frame frame) {
    if (peer.isPresent()) {
      byte[] bytes = frame.finished().bytes();
      peer.get().write(Unpooled.wrappedBuffer(FrameWire.head(bytes.length, false)));
      peer.get().write(Unpooled.wrappedBuffer(bytes));
    }
  }

  @Override
  void flush() {
    peer.ifPresent(Channel::flush);
  }

  @Override
  void read(boolean wanted) {
    peer.ifPresent(p -> p.config().setAutoRead(wanted));
  }

  @Override
  int mostWaiting() {
    return MOST_WAITING;
  }

  @Override
  void closeSockets() {
    listener.ifPresent(Channel::close);
    peer.ifPresent(Channel::close);
  }

  /** The address that it listens at. */
  SocketAddress localAddress() {
    return listener.orElseThrow().localAddress();
  }

  @Override
  public String describe() {
    return "type=" + kind + "," + peer.map(p -> describe(p.remoteAddress())).orElse("");
  }

  private String describe(SocketAddress other) {
    if (!(other instanceof InetSocketAddress inet)) {
      return address.toString();
    }
    String where = inet.getAddress().getHostAddress() + ":" + inet.getPort();
    if (kind.equals("stream")) {
      return "tcp:" + where;
    }
    return (listener.isPresent() ? "socket: connection from " : "socket: connect to ") + where;
  }
}
