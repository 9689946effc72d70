package org.ascus.devices.net.user;

import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.socket.InternetProtocolFamily;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.nio.channels.spi.SelectorProvider;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.ascus.devices.chardev.CharBackend;
import org.ascus.devices.net.AcceptErrors;
import org.ascus.devices.net.Checksum;
import org.ascus.devices.net.Offload;
import org.ascus.devices.net.Offloads;

/** All TCP connections of the guest: to the host's sockets, and from the ports of the host that lead to it. */
final class TcpNat implements TcpConnection.Link {
  private static final int NO_DESCRIPTOR = -1;
  private static final int MOST_CONNECTIONS = 1024;
  private static final int CONNECT_MILLIS = 30_000;

  /** Bytes that all connections together may keep, in either direction. */
  private static final int BUDGET = 64 << 20;

  private static final int LEAST_LIMIT = 32 << 10;
  private static final int MOST_LIMIT = 512 << 10;

  /** Most bytes of data in a frame that the card or the guest cuts up itself. */
  private static final int LARGE = 64_000;

  private static final int FIRST_FREE_PORT = 49152;

  private final EventLoop loop;
  private final GuestLink link;
  private final Places places;
  private final Icmp icmp;
  private final Map<String, ChannelForward> channels = new HashMap<>();
  private final SecureRandom random = new SecureRandom();
  private final Map<FlowKey, TcpConnection> connections = new HashMap<>();
  private final Set<TcpConnection> touched = new LinkedHashSet<>();
  private final Set<TcpConnection> blocked = new LinkedHashSet<>();
  private final Map<HostForward, Channel> listeners = new LinkedHashMap<>();

  /**
   * @param channels that forwarding rules name
   */
  TcpNat(EventLoop loop, GuestLink link, Places places, Icmp icmp, Map<String, CharBackend> channels) {
    this.loop = loop;
    this.link = link;
    this.places = places;
    this.icmp = icmp;
    channels.forEach((id, channel) -> this.channels.put(id, new ChannelForward(this, channel)));
  }

  EventLoop loop() {
    return loop;
  }

  /** Most bytes that a connection keeps in each direction. */
  int limit() {
    return Math.clamp(BUDGET / Math.max(1, connections.size()), LEAST_LIMIT, MOST_LIMIT);
  }

  /** For people: a line for each connection. */
  List<String> describe() {
    List<String> lines = new ArrayList<>();
    listeners.forEach(
        (f, channel) ->
            lines.add(
                row("TCP[HOST_FORWARD]", f.host().orElse(IpAddress.ANY4), f.hostPort(), places.guest(f).orElseThrow(),
                    f.guestPort(), 0)));
    for (TcpConnection c : connections.values()) {
      FlowKey k = c.key();
      lines.add(row("TCP[" + c.phase() + "]", k.guest(), k.guestPort(), k.remote(), k.remotePort(), c.waiting()));
    }
    return lines;
  }

  /**
   * A line of {@code info usernet} in the columns that scripts take apart. There is no file descriptor to name, and
   * what comes from the guest waits in the host's own socket.
   */
  static String row(String kind, IpAddress from, int fromPort, IpAddress to, int toPort, int waiting) {
    String source = from.equals(IpAddress.ANY4) ? "*" : from.toString();
    return String.format(
        "  %-17s %3d %15s %5d %15s %5d %5d %5d", kind, NO_DESCRIPTOR, source, fromPort, to, toPort, 0, waiting);
  }

  // Segments from the guest.

  void input(IpPacket p) {
    TcpSegment s = TcpSegment.parse(p);
    if (s == null) {
      return;
    }
    FlowKey key = new FlowKey(p.from(), s.sourcePort(), p.to(), s.targetPort());
    TcpConnection c = connections.get(key);
    boolean asks = s.has(TcpSegment.SYN) && !s.has(TcpSegment.ACK) && !s.has(TcpSegment.RST);
    if (c != null && asks && c.lingers()) {
      c.forget();
      c = null;
    }
    if (c != null) {
      c.input(s);
      touched.add(c);
    } else if (asks) {
      connect(key, s);
    } else {
      refuse(key, s);
    }
  }

  private void connect(FlowKey key, TcpSegment s) {
    Optional<GuestForward> forward = places.forward(key.remote(), key.remotePort());
    Optional<InetSocketAddress> target = places.target(key.remote(), key.remotePort());
    if (connections.size() >= MOST_CONNECTIONS || forward.isEmpty() && target.isEmpty() || key.guestPort() == 0) {
      refuse(key, s);
      return;
    }
    GuestForward.Target what = forward.map(GuestForward::target).orElse(null);
    switch (what) {
      case GuestForward.Command(List<String> words) -> {
        CommandApp app = new CommandApp(this);
        TcpConnection c = add(key, app);
        c.asked(s);
        app.start(c, words);
      }
      case GuestForward.Channel(String id) -> {
        ChannelForward.Connection app = channels.get(id).connection();
        TcpConnection c = add(key, app);
        c.asked(s);
        app.begin(c);
      }
      case GuestForward.Tcp(String host, int port) -> connect(key, s, InetSocketAddress.createUnresolved(host, port));
      case null -> connect(key, s, target.orElseThrow());
    }
  }

  private void connect(FlowKey key, TcpSegment s, InetSocketAddress target) {
    HostSocket app = new HostSocket(this);
    TcpConnection c = add(key, app);
    app.setConnection(c);
    c.asked(s);
    ChannelFuture connecting =
        new Bootstrap()
            .group(loop)
            .channel(NioSocketChannel.class)
            .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, CONNECT_MILLIS)
            .option(ChannelOption.ALLOW_HALF_CLOSURE, true)
            .option(ChannelOption.AUTO_READ, false)
            .option(ChannelOption.TCP_NODELAY, true)
            .handler(app)
            .connect(target);
    connecting.addListener(
        _ -> {
          if (connecting.isSuccess()) {
            if (c.state() == TcpConnection.State.ASKED) {
              c.accept();
            } else {
              connecting.channel().close();
            }
          } else if (c.state() == TcpConnection.State.ASKED) {
            if (!(connecting.cause() instanceof ConnectException)) {
              icmp.unreachable(key);
            }
            c.reset();
          }
        });
  }

  private TcpConnection add(FlowKey key, TcpConnection.App app) {
    int mss = GuestLink.MTU - (key.guest().isV4() ? IpPacket.HEADER4 : IpPacket.HEADER6) - TcpSegment.HEADER;
    TcpConnection c = new TcpConnection(key, this, app, mss, random.nextInt());
    connections.put(key, c);
    return c;
  }

  private void refuse(FlowKey key, TcpSegment s) {
    if (s.has(TcpSegment.RST)) {
      return;
    }
    boolean acknowledges = s.has(TcpSegment.ACK);
    int flags = TcpSegment.RST | (acknowledges ? 0 : TcpSegment.ACK);
    int sequence = acknowledges ? s.acknowledged() : 0;
    int acknowledged = acknowledges ? 0 : s.sequence() + s.span();
    transmit(key, sequence, acknowledged, flags, 0, new byte[0], new ByteRing(), 0, 0, 0);
  }

  /** Sends answers and data after a number of segments were taken. */
  void endOfBatch() {
    if (touched.isEmpty()) {
      return;
    }
    List<TcpConnection> now = List.copyOf(touched);
    touched.clear();
    for (TcpConnection c : now) {
      // First, so that the answer names the room that there is then.
      c.app().endOfBatch();
      c.output();
    }
  }

  /** The network card took everything that waited. */
  void clearAgain() {
    List<TcpConnection> now = List.copyOf(blocked);
    blocked.clear();
    now.forEach(TcpConnection::output);
  }

  void tick() {
    List.copyOf(connections.values()).forEach(TcpConnection::tick);
  }

  // Segments to the guest.

  @Override
  public boolean clear(TcpConnection c) {
    if (!link.clear()) {
      blocked.add(c);
      return false;
    }
    return true;
  }

  @Override
  public int largest(TcpConnection c) {
    Offloads offloads = link.offloads();
    boolean large = c.key().guest().isV4() ? offloads.tcp4() : offloads.tcp6();
    return large ? LARGE / c.mss() * c.mss() : c.mss();
  }

  @Override
  public void send(
      TcpConnection c, int sequence, int flags, int window, boolean syn, ByteRing data, int from, int length) {
    byte[] options = new byte[syn ? c.offersScale() ? 8 : 4 : 0];
    if (syn) {
      options[0] = TcpSegment.OPTION_MSS;
      options[1] = 4;
      int headers = c.key().guest().isV4() ? IpPacket.HEADER4 : IpPacket.HEADER6;
      Checksum.put(options, 2, GuestLink.MTU - headers - TcpSegment.HEADER);
      if (c.offersScale()) {
        options[4] = TcpSegment.OPTION_NOP;
        options[5] = TcpSegment.OPTION_SCALE;
        options[6] = 3;
        options[7] = TcpConnection.SCALE;
      }
    }
    int acknowledged = (flags & TcpSegment.ACK) == 0 ? 0 : c.acknowledgement();
    transmit(c.key(), sequence, acknowledged, flags, window, options, data, from, length, c.mss());
  }

  private void transmit(FlowKey key, int sequence, int acknowledged, int flags, int window, byte[] options,
      ByteRing data, int from, int length, int mss) {
    int header = TcpSegment.HEADER + options.length;
    byte[] f = link.packet(key.remote(), key.guest(), IpPacket.TCP, header + length);
    int at = GuestLink.headers(key.guest());
    Checksum.put(f, at, key.remotePort());
    Checksum.put(f, at + 2, key.guestPort());
    Checksum.put(f, at + 4, sequence >>> 16);
    Checksum.put(f, at + 6, sequence);
    Checksum.put(f, at + 8, acknowledged >>> 16);
    Checksum.put(f, at + 10, acknowledged);
    f[at + 12] = (byte) (header << 2);
    f[at + 13] = (byte) flags;
    Checksum.put(f, at + 14, window);
    System.arraycopy(options, 0, f, at + TcpSegment.HEADER, options.length);
    data.copy(from, f, at + header, length);
    long pseudo = GuestLink.pseudo(key.remote(), key.guest(), IpPacket.TCP, header + length);
    if (length > 0 && link.offloads().checksum()) {
      Checksum.put(f, at + 16, Checksum.partial(pseudo));
      boolean large = length > mss;
      Offload.Cut cut =
          !large ? Offload.Cut.NONE : key.guest().isV4() ? Offload.Cut.TCP4 : Offload.Cut.TCP6;
      link.send(f, key.guest(), new Offload(at, 16, cut, large ? mss : 0, true));
    } else {
      Checksum.put(f, at + 16, Checksum.of(f, at, header + length, pseudo));
      link.send(f, key.guest(), Offload.VERIFIED);
    }
  }

  @Override
  public long now() {
    return System.nanoTime();
  }

  @Override
  public void closed(TcpConnection c) {
    connections.remove(c.key(), c);
    touched.remove(c);
    blocked.remove(c);
  }

  // Ports of the host.

  /**
   * Listens for a forwarding rule; not on the event loop.
   *
   * @throws java.io.IOException when the host does not let it
   */
  void listen(HostForward forward) throws java.io.IOException {
    IpAddress address = forward.host().orElse(IpAddress.ANY4);
    InternetProtocolFamily family = address.isV4() ? InternetProtocolFamily.IPv4 : InternetProtocolFamily.IPv6;
    ChannelFuture bound =
        new ServerBootstrap()
            .group(loop)
            .channelFactory(() -> new NioServerSocketChannel(SelectorProvider.provider(), family))
            .option(ChannelOption.SO_REUSEADDR, true)
            .handler(new AcceptErrors())
            .childOption(ChannelOption.ALLOW_HALF_CLOSURE, true)
            .childOption(ChannelOption.AUTO_READ, false)
            .childOption(ChannelOption.TCP_NODELAY, true)
            .childHandler(
                new ChannelInitializer<SocketChannel>() {
                  @Override
                  protected void initChannel(SocketChannel channel) {
                    accepted(forward, channel);
                  }
                })
            .bind(new InetSocketAddress(address.toInet(), forward.hostPort()));
    UserNet.await(bound);
    loop.submit(() -> listeners.put(forward, bound.channel())).syncUninterruptibly();
  }

  /** Stops listening; returns whether it did listen. Connections go on. */
  boolean unlisten(HostForward forward) {
    for (HostForward f : List.copyOf(listeners.keySet())) {
      if (f.samePlace(forward)) {
        listeners.remove(f).close();
        return true;
      }
    }
    return false;
  }

  /** The port that is listened at for a rule. */
  int port(HostForward forward) {
    return ((InetSocketAddress) listeners.get(forward).localAddress()).getPort();
  }

  private void accepted(HostForward forward, SocketChannel channel) {
    Optional<IpAddress> guest = places.guest(forward);
    InetSocketAddress peer = channel.remoteAddress();
    if (guest.isEmpty() || peer == null || connections.size() >= MOST_CONNECTIONS) {
      channel.close();
      return;
    }
    IpAddress remote = places.seen(peer.getAddress(), guest.get().isV4());
    FlowKey key = new FlowKey(guest.get(), forward.guestPort(), remote, peer.getPort());
    for (int port = FIRST_FREE_PORT; connections.containsKey(key) && port < 65536; port++) {
      key = new FlowKey(guest.get(), forward.guestPort(), remote, port);
    }
    HostSocket app = new HostSocket(this);
    channel.pipeline().addLast(app);
    TcpConnection c = add(key, app);
    app.setConnection(c);
    c.open();
  }

  void close() {
    listeners.values().forEach(Channel::close);
    listeners.clear();
    List.copyOf(connections.values()).forEach(c -> {
      c.forget();
      c.app().broken();
    });
  }
}
