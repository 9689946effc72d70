package org.ascus.devices.net.user;

import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.FixedRecvByteBufAllocator;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.socket.DatagramPacket;
import io.netty.channel.socket.InternetProtocolFamily;
import io.netty.channel.socket.nio.NioDatagramChannel;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * UDP conversations of the guest: a socket of the host for each port that the guest sends from, and one for each port
 * of the host that leads to the guest. Only who was spoken to, or speaks to a forwarded port, gets a word in.
 */
final class UdpNat {
  private static final int HEADER = 8;
  private static final int MOST_FLOWS = 512;
  private static final int MOST_PEERS = 256;
  private static final int MOST_BYTES = 65535;
  private static final int MOST_UNSENT = 1 << 20;
  private static final long IDLE_NANOS = Duration.ofMinutes(4).toNanos();

  private record Endpoint(IpAddress address, int port) {}

  /** A socket of the host, and who is behind it. */
  private static final class Flow {
    final Endpoint guest;
    final Map<InetSocketAddress, Endpoint> seenAs = bounded();
    final Map<Endpoint, InetSocketAddress> real = bounded();
    Optional<HostForward> forward = Optional.empty();
    Channel channel;
    long used = System.nanoTime();

    Flow(Endpoint guest) {
      this.guest = guest;
    }

    void know(InetSocketAddress peer, Endpoint seen) {
      seenAs.put(peer, seen);
      real.put(seen, peer);
    }
  }

  private static <K, V> Map<K, V> bounded() {
    return new LinkedHashMap<>(16, 0.75f, true) {
      private static final long serialVersionUID = 1L;

      @Override
      protected boolean removeEldestEntry(Map.Entry<K, V> eldest) {
        return size() > MOST_PEERS;
      }
    };
  }

  private final EventLoop loop;
  private final GuestLink link;
  private final Places places;
  private final Map<Endpoint, Flow> flows = new LinkedHashMap<>(16, 0.75f, true);
  private final List<Flow> forwards = new ArrayList<>();

  UdpNat(EventLoop loop, GuestLink link, Places places) {
    this.loop = loop;
    this.link = link;
    this.places = places;
  }

  List<String> describe() {
    List<String> lines = new ArrayList<>();
    for (Flow f : forwards) {
      HostForward rule = f.forward.orElseThrow();
      IpAddress from = rule.host().orElse(IpAddress.ANY4);
      lines.add(
          TcpNat.row("UDP[HOST_FORWARD]", from, rule.hostPort(), f.guest.address(), f.guest.port(), 0));
    }
    for (Flow f : flows.values()) {
      Endpoint last = new ArrayList<>(f.real.keySet()).getLast();
      long idle = (System.nanoTime() - f.used) / 1_000_000_000L;
      lines.add(
          TcpNat.row("UDP[" + idle + " sec]", f.guest.address(), f.guest.port(), last.address(), last.port(), 0));
    }
    return lines;
  }

  /** Returns the data of a datagram with its ports; nothing for what is none. */
  static Optional<byte[]> data(IpPacket p) {
    if (p.length() < HEADER) {
      return Optional.empty();
    }
    int length = p.read16(4);
    if (length < HEADER || length > p.length()) {
      return Optional.empty();
    }
    return Optional.of(
        java.util.Arrays.copyOfRange(p.bytes(), p.payload() + HEADER, p.payload() + length));
  }

  /** Takes a datagram of the guest. */
  void input(IpPacket p, byte[] data) {
    Endpoint guest = new Endpoint(p.from(), p.read16(0));
    Endpoint to = new Endpoint(p.to(), p.read16(2));
    for (Flow f : forwards) {
      if (f.guest.equals(guest) && f.real.containsKey(to)) {
        write(f, data, f.real.get(to));
        return;
      }
    }
    Optional<InetSocketAddress> target = places.target(to.address(), to.port());
    if (target.isEmpty() || guest.port() == 0) {
      return;
    }
    Flow flow = flows.get(guest);
    if (flow == null) {
      if (flows.size() == MOST_FLOWS) {
        close(flows.values().iterator().next());
      }
      flow = new Flow(guest);
      flows.put(guest, flow);
      flow.know(target.get(), to);
      Flow opening = flow;
      ChannelFuture bound = bootstrap(flow, null).bind(0);
      flow.channel = bound.channel();
      bound.addListener(_ -> {
        if (bound.isSuccess()) {
          write(opening, data, target.get());
        } else {
          close(opening);
        }
      });
      return;
    }
    flow.know(target.get(), to);
    if (flow.channel.isActive()) {
      write(flow, data, target.get());
    }
  }

  private Bootstrap bootstrap(Flow flow, InternetProtocolFamily family) {
    return new Bootstrap()
        .group(loop)
        .channelFactory(() -> family == null ? new NioDatagramChannel() : new NioDatagramChannel(family))
        .option(ChannelOption.RCVBUF_ALLOCATOR, new FixedRecvByteBufAllocator(MOST_BYTES))
        .handler(new Receiver(flow));
  }

  private void write(Flow flow, byte[] data, InetSocketAddress to) {
    flow.used = System.nanoTime();
    // What the host cannot send now is lost, as datagrams may be.
    if (flow.channel.unsafe().outboundBuffer() != null
        && flow.channel.unsafe().outboundBuffer().totalPendingWriteBytes() < MOST_UNSENT) {
      flow.channel.writeAndFlush(new DatagramPacket(Unpooled.wrappedBuffer(data), to));
    }
  }

  private void close(Flow flow) {
    flows.remove(flow.guest, flow);
    flow.channel.close();
  }

  void tick() {
    long now = System.nanoTime();
    List.copyOf(flows.values()).stream().filter(f -> now - f.used > IDLE_NANOS).forEach(this::close);
  }

  private final class Receiver extends SimpleChannelInboundHandler<DatagramPacket> {
    private final Flow flow;

    Receiver(Flow flow) {
      this.flow = flow;
    }

    @Override
    protected void channelRead0(ChannelHandlerContext context, DatagramPacket packet) {
      InetSocketAddress sender = packet.sender();
      Endpoint seen = seen(sender);
      if (seen == null || !link.clear()) {
        return;
      }
      flow.used = System.nanoTime();
      byte[] data = ByteBufUtil.getBytes(packet.content());
      link.sendUdp(seen.address(), seen.port(), flow.guest.address(), flow.guest.port(), data);
    }

    private Endpoint seen(InetSocketAddress sender) {
      Endpoint known = flow.seenAs.get(sender);
      if (known != null) {
        return known;
      }
      if (flow.forward.isPresent()) {
        IpAddress address = places.seen(sender.getAddress(), flow.guest.address().isV4());
        Endpoint fresh = new Endpoint(address, sender.getPort());
        flow.know(sender, fresh);
        return fresh;
      }
      // The same host from another port: TFTP servers, for one, answer so.
      for (Map.Entry<InetSocketAddress, Endpoint> e : flow.seenAs.entrySet()) {
        if (e.getKey().getAddress().equals(sender.getAddress())) {
          Endpoint fresh = new Endpoint(e.getValue().address(), sender.getPort());
          flow.know(sender, fresh);
          return fresh;
        }
      }
      return null;
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
      // A port that nobody listens at, for instance: datagrams may be lost.
    }
  }

  /**
   * Listens for a forwarding rule; not on the event loop.
   *
   * @throws java.io.IOException when the host does not let it
   */
  void listen(HostForward forward) throws java.io.IOException {
    IpAddress address = forward.host().orElse(IpAddress.ANY4);
    Flow flow = new Flow(new Endpoint(places.guest(forward).orElseThrow(), forward.guestPort()));
    flow.forward = Optional.of(forward);
    InternetProtocolFamily family = address.isV4() ? InternetProtocolFamily.IPv4 : InternetProtocolFamily.IPv6;
    ChannelFuture bound =
        bootstrap(flow, family).bind(new InetSocketAddress(address.toInet(), forward.hostPort()));
    UserNet.await(bound);
    flow.channel = bound.channel();
    loop.submit(() -> forwards.add(flow)).syncUninterruptibly();
  }

  boolean unlisten(HostForward forward) {
    for (Flow f : List.copyOf(forwards)) {
      if (f.forward.orElseThrow().samePlace(forward)) {
        forwards.remove(f);
        f.channel.close();
        return true;
      }
    }
    return false;
  }

  /** The port that is listened at for a rule. */
  int port(HostForward forward) {
    Flow flow = forwards.stream().filter(f -> f.forward.equals(Optional.of(forward))).findFirst().orElseThrow();
    return ((InetSocketAddress) flow.channel.localAddress()).getPort();
  }

  void close() {
    List.copyOf(flows.values()).forEach(this::close);
    forwards.forEach(f -> f.channel.close());
    forwards.clear();
  }
}
