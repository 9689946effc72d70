package org.ascus.devices.chardev.socket;

import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.socket.nio.NioDomainSocketChannel;
import io.netty.channel.socket.nio.NioServerDomainSocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import io.netty.util.ReferenceCountUtil;
import java.io.IOException;
import java.io.OutputStream;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Files;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.ascus.devices.chardev.CharBackend;
import org.ascus.devices.chardev.CharReceiver;
import org.ascus.devices.chardev.InputFeeder;
import org.ascus.devices.chardev.OutputPump;
import org.ascus.devices.host.HostErrors;

/**
 * A stream socket: a server with one peer at a time, or a client. Output without a peer is dropped, as a serial line
 * with no cable drops it. A peer counts from the moment the handshakes of TLS and WebSocket are done and it is
 * authorized; what it sends is kept until the receiver takes it, and it is not read from while that is much.
 */
public final class SocketChardev implements CharBackend {
  private static final int BACKLOG = 1;

  private final SocketOptions options;
  private final EventLoopGroup loops = Loops.one();
  private final InputFeeder input = new InputFeeder(InputFeeder.thread("socket"), this::readOn);
  private final OutputPump output = new OutputPump("socket", new ToPeer(), this::canSend);
  private final CountDownLatch firstPeer = new CountDownLatch(1);
  private volatile CharReceiver receiver = CharReceiver.NOBODY;
  private volatile Channel listener;
  private volatile Channel peer;
  private volatile Throwable tlsProblem;
  private volatile boolean closed;

  private SocketChardev(SocketOptions options) {
    this.options = options;
  }

  /**
   * Listens or connects; a server that shall wait has a peer when this returns.
   *
   * @throws IOException naming the address when that fails
   */
  public static SocketChardev open(SocketOptions options) throws IOException {
    SocketChardev made = new SocketChardev(options);
    try {
      if (options.server()) {
        made.listen();
      } else {
        made.connectFirst();
      }
      return made;
    } catch (IOException e) {
      made.close();
      throw e;
    }
  }

  private boolean isUnix() {
    return options.address() instanceof UnixDomainSocketAddress;
  }

  private void listen() throws IOException {
    if (options.address() instanceof UnixDomainSocketAddress unix) {
      Files.deleteIfExists(unix.getPath());
    }
    ServerBootstrap bootstrap =
        new ServerBootstrap()
            .group(loops)
            .channel(isUnix() ? NioServerDomainSocketChannel.class : NioServerSocketChannel.class)
            .option(ChannelOption.SO_BACKLOG, BACKLOG)
            .childHandler(new Pipeline());
    if (!isUnix()) {
      bootstrap.option(ChannelOption.SO_REUSEADDR, true);
      bootstrap.childOption(ChannelOption.TCP_NODELAY, options.nodelay());
    }
    ChannelFuture bound = bootstrap.bind(options.address()).awaitUninterruptibly();
    if (!bound.isSuccess()) {
      throw new IOException(unbound(HostErrors.reason(bound.cause())));
    }
    listener = bound.channel();
    if (options.waitForPeer()) {
      try {
        firstPeer.await();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private String unbound(String reason) {
    if (isUnix()) {
      return "Failed to bind socket to " + options.target() + ": " + reason;
    }
    return (reason.equals("Address already in use") ? "Failed to find an available port: " : "Failed to bind socket: ")
        + reason;
  }

  private ChannelFuture connectOnce() {
    Bootstrap bootstrap =
        new Bootstrap()
            .group(loops)
            .channel(isUnix() ? NioDomainSocketChannel.class : NioSocketChannel.class)
            .handler(new Pipeline());
    if (!isUnix()) {
      bootstrap.option(ChannelOption.TCP_NODELAY, options.nodelay());
    }
    return bootstrap.connect(options.address());
  }

  private void connectFirst() throws IOException {
    ChannelFuture connected = connectOnce().awaitUninterruptibly();
    if (connected.isSuccess()) {
      awaitTls();
      return;
    }
    if (options.reconnectSeconds() == 0) {
      throw new IOException("Failed to connect to '" + options.target() + "': " + HostErrors.reason(connected.cause()));
    }
    connectLater();
  }

  /** What the machine says before the stream is encrypted would be lost. */
  private void awaitTls() throws IOException {
    if (options.tls().isEmpty()) {
      return;
    }
    try {
      firstPeer.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    Throwable problem = tlsProblem;
    if (problem != null && options.reconnectSeconds() == 0) {
      throw new IOException(
          "Failed to connect to '" + options.target() + "': TLS handshake failed: " + problem.getMessage());
    }
  }

  private void connectLater() {
    if (!closed && options.reconnectSeconds() > 0) {
      loops.schedule(
          () ->
              connectOnce()
                  .addListener(
                      f -> {
                        if (!f.isSuccess()) {
                          connectLater();
                        }
                      }),
          options.reconnectSeconds(),
          TimeUnit.SECONDS);
    }
  }

  /** Where a server listens; the port is known only now if it was 0. For a client, where it connects to. */
  public SocketAddress localAddress() {
    return listener == null ? options.address() : listener.localAddress();
  }

  /** Whether there is a peer now. */
  public boolean isConnected() {
    return peer != null;
  }

  /** Our end of the connection, and then the peer's; nothing without a peer. */
  public Optional<Connection> connection() {
    Channel now = peer;
    return now == null ? Optional.empty() : Optional.of(new Connection(now.localAddress(), now.remoteAddress()));
  }

  /** The two ends of a connection. */
  public record Connection(SocketAddress own, SocketAddress other) {}

  private void canSend() {
    receiver.canSend();
  }

  private void readOn() {
    Channel now = peer;
    if (now != null) {
      now.config().setAutoRead(true);
    }
  }

  /** What a stream passes on its way to and from the peer. */
  private final class Pipeline extends ChannelInitializer<Channel> {
    @Override
    protected void initChannel(Channel channel) {
      if (channel.parent() != null) {
        channel.parent().config().setAutoRead(false);
      }
      boolean handshake = false;
      if (options.tls().isPresent()) {
        options.tls().get().secure(channel, options.target());
        handshake = true;
      }
      switch (options.protocol()) {
        case RAW -> {}
        case TELNET -> channel.pipeline().addLast(new TelnetCodec(input::offerBreak));
        case WEBSOCKET -> {
          WebSocketBytes.addTo(channel.pipeline());
          handshake = true;
        }
      }
      channel.pipeline().addLast(new Peer(!handshake));
    }
  }

  /** The end of the pipeline. */
  private final class Peer extends ChannelInboundHandlerAdapter {
    private final boolean atOnce;

    Peer(boolean atOnce) {
      this.atOnce = atOnce;
    }

    @Override
    public void channelActive(ChannelHandlerContext context) {
      if (atOnce) {
        arrived(context);
      }
    }

    private void arrived(ChannelHandlerContext context) {
      if (peer != null) {
        context.close();
        return;
      }
      peer = context.channel();
      firstPeer.countDown();
      receiver.peerChanged(true);
      receiver.canSend();
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext context, Object event) {
      if (event instanceof SslHandshakeCompletionEvent tls) {
        if (!tls.isSuccess() && !options.server()) {
          tlsProblem = tls.cause();
        }
        if (!tls.isSuccess() || !options.tls().get().admits(context.channel(), options.authorization())) {
          context.close();
        } else if (options.protocol() != SocketOptions.Protocol.WEBSOCKET) {
          arrived(context);
        }
      } else if (event == WebSocketBytes.OPEN) {
        arrived(context);
      }
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
      try {
        if (message instanceof ByteBuf bytes && peer == context.channel()) {
          byte[] data = new byte[bytes.readableBytes()];
          bytes.readBytes(data);
          input.accept(data);
          if (input.room() == 0) {
            context.channel().config().setAutoRead(false);
            // The receiver may have made room, and said so, just before.
            if (input.room() > 0) {
              context.channel().config().setAutoRead(true);
            }
          }
        }
      } finally {
        ReferenceCountUtil.release(message);
      }
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
      if (peer == context.channel()) {
        peer = null;
        receiver.peerChanged(false);
      }
      if (context.channel().parent() != null) {
        context.channel().parent().config().setAutoRead(peer == null);
      } else {
        firstPeer.countDown();
        connectLater();
      }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable e) {
      // A peer that breaks the protocol or its connection is gone; the next one may come.
      context.close();
    }
  }

  /** Sends to the peer there is, and waits until the host has taken it. */
  private final class ToPeer extends OutputStream {
    @Override
    public void write(int value) {
      write(new byte[] {(byte) value}, 0, 1);
    }

    @Override
    public void write(byte[] data, int offset, int length) {
      Channel now = peer;
      if (now != null) {
        now.writeAndFlush(Unpooled.copiedBuffer(data, offset, length)).awaitUninterruptibly();
      }
    }
  }

  @Override
  public void write(byte[] data, int offset, int length) {
    if (peer != null) {
      output.write(data, offset, length);
    }
  }

  @Override
  public boolean hasPeers() {
    return true;
  }

  @Override
  public boolean hasRoom() {
    return output.hasRoom();
  }

  @Override
  public void connect(CharReceiver newReceiver) {
    receiver = newReceiver;
    if (peer != null) {
      newReceiver.peerChanged(true);
    }
    input.connect(newReceiver);
  }

  @Override
  public void acceptInput() {
    input.wake();
  }

  @Override
  public void close() {
    closed = true;
    input.close();
    output.close();
    Loops.end(loops);
    if (listener != null && options.address() instanceof UnixDomainSocketAddress unix) {
      try {
        Files.deleteIfExists(unix.getPath());
      } catch (IOException e) {
        // It is somebody else's now.
      }
    }
  }
}
