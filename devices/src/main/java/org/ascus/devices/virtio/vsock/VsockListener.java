package org.ascus.devices.virtio.vsock;

import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.nio.NioEventLoopGroup;
import io.netty.channel.socket.nio.NioDomainSocketChannel;
import io.netty.channel.socket.nio.NioServerDomainSocketChannel;
import io.netty.handler.codec.ByteToMessageDecoder;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import java.util.function.Consumer;

/**
 * The host's end: a Unix socket at a path. Who connects to it writes {@code CONNECT port} and a line end, and is then
 * connected to that port of the guest; the answer is a line of {@code OK} and a number. When the guest connects to port
 * N of the host, somebody must listen at that path with {@code _N} added. Either side may end the direction from it
 * alone.
 */
final class VsockListener implements AutoCloseable {
  private static final int MOST_LINE = 32;
  private static final String CONNECT = "CONNECT ";

  private final Path path;
  private final EventLoopGroup loops;
  private final Channel listener;

  /**
   * Listens.
   *
   * @param asked told a connected socket and the guest's port that it asked for, on netty's thread
   */
  VsockListener(Path path, BiConsumer<Channel, Integer> asked) throws IOException {
    this.path = path;
    loops = new NioEventLoopGroup(1, new DefaultThreadFactory("ascus-vsock", true));
    ChannelFuture bound =
        new ServerBootstrap()
            .group(loops)
            .channel(NioServerDomainSocketChannel.class)
            .childOption(ChannelOption.RCVBUF_ALLOCATOR, new EndOfInput())
            .childHandler(
                new ChannelInitializer<>() {
                  @Override
                  protected void initChannel(Channel channel) {
                    channel.pipeline().addLast(new Greeting(asked));
                  }
                })
            .bind(UnixDomainSocketAddress.of(path))
            .awaitUninterruptibly();
    if (!bound.isSuccess()) {
      end();
      throw new IOException("Failed to bind socket to " + path + ": " + bound.cause().getMessage());
    }
    listener = bound.channel();
  }

  /** Reads one line. What comes behind it is for the guest. */
  private static final class Greeting extends ByteToMessageDecoder {
    private final BiConsumer<Channel, Integer> asked;
    private boolean done;

    Greeting(BiConsumer<Channel, Integer> asked) {
      this.asked = asked;
      setSingleDecode(true);
    }

    @Override
    protected void decode(ChannelHandlerContext context, ByteBuf buffer, List<Object> out) {
      int length = buffer.bytesBefore((byte) '\n');
      if (done || length < 0 && buffer.readableBytes() <= MOST_LINE) {
        return;
      }
      done = true;
      String words = length < 0 ? "" : buffer.readCharSequence(length + 1, StandardCharsets.US_ASCII).toString();
      String port = words.startsWith(CONNECT) ? words.substring(CONNECT.length()).trim() : "";
      if (port.matches("[0-9]{1,10}") && Long.parseLong(port) <= 0xffffffffL) {
        context.channel().config().setAutoRead(false);
        asked.accept(context.channel(), (int) Long.parseLong(port));
        context.pipeline().remove(this);
      } else {
        buffer.skipBytes(buffer.readableBytes());
        context.close();
      }
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext context) throws Exception {
      if (EndOfInput.found(context.channel()) && !done) {
        context.close();
      }
      super.channelReadComplete(context);
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
      context.close();
    }
  }

  /**
   * Connects a port of the host.
   *
   * @param connection gets what comes from the socket
   * @param done told whether there is a connection, on netty's thread
   */
  void connect(int port, VsockConnection connection, Consumer<Boolean> done) {
    new Bootstrap()
        .group(loops)
        .channel(NioDomainSocketChannel.class)
        .option(ChannelOption.AUTO_READ, false)
        .option(ChannelOption.RCVBUF_ALLOCATOR, new EndOfInput())
        .handler(connection)
        .connect(UnixDomainSocketAddress.of(path + "_" + (port & 0xffffffffL)))
        .addListener(f -> done.accept(f.isSuccess()));
  }

  private void end() {
    loops.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly(2, TimeUnit.SECONDS);
  }

  @Override
  public void close() {
    listener.close().awaitUninterruptibly();
    end();
    try {
      Files.deleteIfExists(path);
    } catch (IOException e) {
      // Somebody else's by now.
    }
  }
}
