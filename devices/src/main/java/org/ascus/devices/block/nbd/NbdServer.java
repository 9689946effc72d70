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
import java.nio.channels.ServerSocketChannel;
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
  private final boolean ownsAddress;
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

  private NbdServer(Options options, boolean ownsAddress) {
    this.options = options;
    this.ownsAddress = ownsAddress;
  }

  /**
   * Starts to listen.
   *
   * @throws IOException naming the address when that fails
   */
  public static NbdServer listen(SocketAddress address, Options options) throws IOException {
    boolean unix = address instanceof UnixDomainSocketAddress;
    if (address instanceof UnixDomainSocketAddress path) {
      Files.deleteIfExists(path.getPath());
    }
    NbdServer server = new NbdServer(options, true);
    ServerBootstrap bootstrap =
        server.bootstrap(unix)
            .channel(unix ? NioServerDomainSocketChannel.class : NioServerSocketChannel.class);
    if (!unix) {
      bootstrap.option(ChannelOption.SO_REUSEADDR, true);
    }
    return server.started(
        bootstrap.bind(address), unix ? address.toString() : address.toString().replaceFirst("^[^/]*/", ""));
  }

  /**
   * Takes clients from a socket that listens already.
   *
   * @param socket stays the caller's, who leaves it alone until the server is closed
   */
  public static NbdServer on(ServerSocketChannel socket, Options options) throws IOException {
    boolean unix = socket.getLocalAddress() instanceof UnixDomainSocketAddress;
    socket.configureBlocking(false);
    NbdServer server = new NbdServer(options, false);
    ServerBootstrap bootstrap =
        server.bootstrap(unix)
            .channelFactory(
                () -> unix ? new NioServerDomainSocketChannel(socket) : new NioServerSocketChannel(socket));
    return server.started(bootstrap.register(), String.valueOf(socket.getLocalAddress()));
  }

  private ServerBootstrap bootstrap(boolean unix) {
    ServerBootstrap bootstrap =
        new ServerBootstrap()
            .group(loops)
            .option(ChannelOption.SO_BACKLOG, BACKLOG)
            .option(ChannelOption.RCVBUF_ALLOCATOR, new FixedRecvByteBufAllocator(1).maxMessagesPerRead(1))
            .childHandler(
                new ChannelInitializer<Channel>() {
                  @Override
                  protected void initChannel(Channel channel) {
                    arrived(channel);
                  }
                });
    return unix ? bootstrap : bootstrap.childOption(ChannelOption.TCP_NODELAY, true);
  }

  private NbdServer started(ChannelFuture listening, String address) throws IOException {
    listening.awaitUninterruptibly();
    if (!listening.isSuccess()) {
      Loops.end(loops);
      throw new IOException(
          "Failed to bind socket to " + address + ": " + listening.cause().getMessage(), listening.cause());
    }
    listener = listening.channel();
    return this;
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
    // To close a unix socket is to delete its file, by which somebody else's socket is found.
    (ownsAddress ? listener.close() : listener.deregister()).awaitUninterruptibly();
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
    return ownsAddress && listener.localAddress() instanceof UnixDomainSocketAddress unix
        ? Optional.of(unix) : Optional.empty();
  }
}
