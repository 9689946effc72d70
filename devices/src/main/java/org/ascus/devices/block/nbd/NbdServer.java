package org.ascus.devices.block.nbd;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.FixedRecvByteBufAllocator;
import io.netty.channel.group.ChannelGroup;
import io.netty.channel.group.DefaultChannelGroup;
import io.netty.channel.socket.nio.NioServerDomainSocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.util.concurrent.GlobalEventExecutor;
import java.io.IOException;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Files;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.ascus.devices.block.IoThread;
import org.ascus.devices.chardev.socket.Loops;
import org.ascus.devices.security.Authorization;
import org.ascus.devices.security.TlsCredentials;

/** Serves block nodes to NBD clients. Exports may come and go while clients are connected. */
public final class NbdServer {
  private static final int BACKLOG = 128;

  private final Options options;
  private final EventLoopGroup loops = Loops.one();
  private final IoThread threads = new IoThread("nbd", IoThread.DEFAULT_MOST);
  private final Map<String, NbdExport> exports = new ConcurrentSkipListMap<>();
  private final ChannelGroup clients = new DefaultChannelGroup(GlobalEventExecutor.INSTANCE);
  private final AtomicInteger count = new AtomicInteger();
  private volatile Runnable whenLastLeft = () -> {};
  private Channel listener;

  /**
   * Who may come in.
   *
   * @param tls clients must encrypt with this
   * @param authorization and their certificates must please this
   * @param mostClients at the same time; 0 for any number
   */
  public record Options(Optional<TlsCredentials> tls, Optional<Authorization> authorization, int mostClients) {}

  private NbdServer(Options options) {
    this.options = options;
  }

  /**
   * Starts to listen.
   *
   * @throws IOException naming the address when that fails
   */
  public static NbdServer listen(SocketAddress address, Options options) throws IOException {
    NbdServer server = new NbdServer(options);
    boolean unix = address instanceof UnixDomainSocketAddress;
    if (address instanceof UnixDomainSocketAddress path) {
      Files.deleteIfExists(path.getPath());
    }
    ServerBootstrap bootstrap =
        new ServerBootstrap()
            .group(server.loops)
            .channel(unix ? NioServerDomainSocketChannel.class : NioServerSocketChannel.class)
            .option(ChannelOption.SO_BACKLOG, BACKLOG)
            .option(ChannelOption.RCVBUF_ALLOCATOR, new FixedRecvByteBufAllocator(1).maxMessagesPerRead(1))
            .childHandler(
                new ChannelInitializer<Channel>() {
                  @Override
                  protected void initChannel(Channel channel) {
                    server.arrived(channel);
                  }
                });
    if (!unix) {
      bootstrap.option(ChannelOption.SO_REUSEADDR, true);
      bootstrap.childOption(ChannelOption.TCP_NODELAY, true);
    }
    ChannelFuture bound = bootstrap.bind(address).awaitUninterruptibly();
    if (!bound.isSuccess()) {
      Loops.end(server.loops);
      throw new IOException(
          "Failed to bind socket to " + (unix ? address : address.toString().replaceFirst("^[^/]*/", "")) + ": "
              + bound.cause().getMessage(), bound.cause());
    }
    server.listener = bound.channel();
    return server;
  }

  /** Where it listens; the port is known only now if it was 0. */
  public SocketAddress localAddress() {
    return listener.localAddress();
  }

  /** Runs {@code action} each time that a client left and no other is there. It must not wait. */
  public void whenLastLeft(Runnable action) {
    whenLastLeft = action;
  }

  /** Adds an export; false if there is one of the same name. */
  public boolean add(NbdExport export) {
    return exports.putIfAbsent(export.name(), export) == null;
  }

  /** Takes an export away from new clients; those that use it go on. */
  public boolean remove(String name) {
    return exports.remove(name) != null;
  }

  Optional<NbdExport> find(String name) {
    return Optional.ofNullable(exports.get(name));
  }

  /** All exports by name. */
  public List<NbdExport> exports() {
    return List.copyOf(exports.values());
  }

  Options options() {
    return options;
  }

  IoThread threads() {
    return threads;
  }

  private void arrived(Channel channel) {
    int now = count.incrementAndGet();
    if (options.mostClients() > 0 && now >= options.mostClients()) {
      channel.parent().config().setAutoRead(false);
    }
    clients.add(channel);
    NbdSession session = new NbdSession(this);
    channel.pipeline().addLast(session);
    channel.closeFuture()
        .addListener(
            _ -> {
              boolean last = count.decrementAndGet() == 0;
              channel.parent().config().setAutoRead(true);
              if (last && session.wasServed()) {
                whenLastLeft.run();
              }
            });
  }

  /** Stops listening and drops all clients. Nodes are flushed and closed by their owners. */
  public void close() {
    listener.close().awaitUninterruptibly();
    clients.close().awaitUninterruptibly(2, TimeUnit.SECONDS);
    Loops.end(loops);
    if (localFile().isPresent()) {
      try {
        Files.deleteIfExists(localFile().get().getPath());
      } catch (IOException e) {
        // It is somebody else's now.
      }
    }
  }

  private Optional<UnixDomainSocketAddress> localFile() {
    return listener.localAddress() instanceof UnixDomainSocketAddress unix ? Optional.of(unix) : Optional.empty();
  }
}
