package org.ascus.devices.net.user;

import io.netty.channel.ChannelFuture;
import io.netty.channel.EventLoop;
import io.netty.channel.nio.NioEventLoopGroup;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.ascus.devices.chardev.CharBackend;
import org.ascus.devices.net.Checksum;
import org.ascus.devices.net.Frame;
import org.ascus.devices.net.FrameQueue;
import org.ascus.devices.net.MacAddress;
import org.ascus.devices.net.NetBackend;
import org.ascus.devices.net.NetPeer;
import org.ascus.devices.net.Offload;
import org.ascus.devices.net.Offloads;
import org.ascus.machine.device.DeviceException;
import org.ascus.machine.trace.Log;

/**
 * The back end: frames of the guest go into a queue, from which the event loop's thread takes and answers them.
 *
 * <p>Whatever a frame holds, it is answered or dropped; what is kept for the guest is bounded, in number and in bytes.
 * Connections are not part of a saved state: a machine that is loaded finds them gone.
 */
public final class UserNet implements NetBackend {
  private static final int MOST_QUEUED = 1024;
  private static final int MOST_QUEUED_BYTES = 4 << 20;
  private static final int BATCH = 256;
  private static final long TICK_MILLIS = 100;
  private static final int TICKS_PER_IDLE_CHECK = 50;
  private static final int TICKS_PER_ADVERTISEMENT = 3000;

  /** The gateway's address: a locally administered prefix and the usual IPv4 address. */
  private static final MacAddress OWN = new MacAddress(0x5255_0a00_0202L);

  private static final int ARP_LENGTH = 28;

  private final String id;
  private final Map<String, CharBackend> channels;
  private final UserNetOptions options;
  private final Log log;
  private final Places places;
  private final NioEventLoopGroup group;
  private final EventLoop loop;
  private final FrameQueue queue = new FrameQueue(MOST_QUEUED, MOST_QUEUED_BYTES);
  private final Reassembly reassembly = new Reassembly();
  private GuestLink link;
  private Icmp icmp;
  private TcpNat tcp;
  private UdpNat udp;
  private Optional<Dhcp> dhcp = Optional.empty();
  private Optional<Tftp> tftp = Optional.empty();
  private Optional<Neighbours6> neighbours6 = Optional.empty();
  private volatile NetPeer guest;
  private int ticks;
  private volatile boolean closed;

  /**
   * Listens at the ports that lead to the guest.
   *
   * @param id for messages
   * @param channels that forwarding rules name, by their ids
   * @param log where defects of the emulator are reported
   * @throws DeviceException naming a rule that cannot be set up
   */
  public UserNet(String id, UserNetOptions options, Map<String, CharBackend> channels, Log log)
      throws DeviceException {
    this(id, options, channels, log, new HostResolver());
  }

  UserNet(
      String id,
      UserNetOptions options,
      Map<String, CharBackend> channels,
      Log log,
      Supplier<Optional<InetSocketAddress>> nameServer)
      throws DeviceException {
    this.id = id;
    this.channels = Map.copyOf(channels);
    this.options = options;
    this.log = log;
    this.places = new Places(options, nameServer);
    this.group = new NioEventLoopGroup(1, new DefaultThreadFactory("ascus-net-" + id, true));
    this.loop = group.next();
    connect(new Nowhere());
    try {
      for (HostForward forward : options.hostForwards()) {
        addForward(forward);
      }
    } catch (DeviceException e) {
      close();
      throw e;
    }
    loop.scheduleAtFixedRate(() -> guarded(this::tick), TICK_MILLIS, TICK_MILLIS, TimeUnit.MILLISECONDS);
  }

  /** The guest's end before there is one. */
  private static final class Nowhere implements NetPeer {
    @Override
    public Offloads offloads() {
      return Offloads.NONE;
    }

    @Override
    public boolean receive(Frame frame) {
      return false;
    }

    @Override
    public void roomAgain() {}
  }

  /** The guest's end, which is named later than sockets may need it. */
  private final class Guest implements NetPeer {
    @Override
    public Offloads offloads() {
      return guest.offloads();
    }

    @Override
    public boolean receive(Frame frame) {
      return guest.receive(frame);
    }

    @Override
    public void roomAgain() {
      guest.roomAgain();
    }
  }

  @Override
  public void connect(NetPeer peer) {
    boolean firstTime = guest == null;
    guest = peer;
    if (firstTime) {
      link = new GuestLink(new Guest(), OWN, this::ask);
      icmp = new Icmp(link, places, loop);
      tcp = new TcpNat(loop, link, places, icmp, channels);
      udp = new UdpNat(loop, link, places);
      dhcp = options.ipv4().map(n -> new Dhcp(options, n, link));
      tftp = options.boot().tftp().map(folder -> new Tftp(folder, link));
      neighbours6 = options.ipv6().map(n -> new Neighbours6(options, n, link, places));
    }
  }

  /** Waits for a socket's operation, from any thread but the event loop's. */
  static void await(ChannelFuture future) throws IOException {
    future.awaitUninterruptibly();
    if (!future.isSuccess()) {
      throw new IOException(future.cause().getMessage(), future.cause());
    }
  }

  // Rules.

  /**
   * Lets a port of the host lead to the guest.
   *
   * @throws DeviceException naming the rule when it cannot be set up
   */
  public void addForward(HostForward forward) throws DeviceException {
    if (places.guest(forward).isEmpty()) {
      throw new DeviceException("Could not set up host forwarding rule '" + forward + "': no address of the guest");
    }
    try {
      if (forward.udp()) {
        udp.listen(forward);
      } else {
        tcp.listen(forward);
      }
    } catch (IOException e) {
      throw new DeviceException("Could not set up host forwarding rule '" + forward + "': " + e.getMessage(), e);
    }
  }

  /** Takes a rule back, of which only the host's end counts; returns whether there was such a rule. */
  public boolean removeForward(HostForward forward) {
    return onLoop(() -> forward.udp() ? udp.unlisten(forward) : tcp.unlisten(forward));
  }

  /** The port of the host that a rule listens at: what it got if it asked for any. */
  public int port(HostForward forward) {
    return onLoop(() -> forward.udp() ? udp.port(forward) : tcp.port(forward));
  }

  /** Connections and rules for {@code info usernet}, a line each. */
  public List<String> connections() {
    return onLoop(
        () -> {
          List<String> lines = new ArrayList<>(tcp.describe());
          lines.addAll(udp.describe());
          return lines;
        });
  }

  private <T> T onLoop(Callable<T> body) {
    return loop.submit(body).syncUninterruptibly().getNow();
  }

  // The guest's end.

  @Override
  public Offloads offloads() {
    return Offloads.ALL;
  }

  @Override
  public boolean receive(Frame frame) {
    if (closed) {
      return true;
    }
    boolean taken = queue.add(frame);
    if (queue.claimWork()) {
      loop.execute(() -> guarded(this::drain));
    }
    return taken;
  }

  @Override
  public void roomAgain() {
    if (!closed) {
      loop.execute(() -> guarded(this::flush));
    }
  }

  private void flush() {
    link.flush();
    if (link.clear()) {
      tcp.clearAgain();
    }
  }

  private void drain() {
    queue.beginWork();
    int count = 0;
    for (Frame frame = queue.poll(); frame != null; frame = queue.poll()) {
      Frame next = frame;
      guarded(() -> input(next));
      if (++count == BATCH) {
        break;
      }
    }
    tcp.endOfBatch();
    if (queue.wasRefused()) {
      guest.roomAgain();
    }
    if (queue.claimWorkIfAny()) {
      loop.execute(() -> guarded(this::drain));
    }
  }

  private void tick() {
    ticks++;
    flush();
    tcp.tick();
    if (ticks % TICKS_PER_IDLE_CHECK == 0) {
      udp.tick();
    }
    if (ticks % TICKS_PER_ADVERTISEMENT == 0 && link.clear()) {
      neighbours6.ifPresent(Neighbours6::advertiseRouter);
    }
  }

  /** A defect that a frame brings to light must neither stop what comes after nor get to the user as a stack trace. */
  private void guarded(Runnable body) {
    try {
      body.run();
    } catch (RuntimeException e) {
      log.log(Log.Category.GUEST_ERRORS, () -> "netdev " + id + ": internal error: " + e);
    }
  }

  private void input(Frame frame) {
    byte[] b = frame.bytes();
    if (b.length < Frame.HEADER) {
      return;
    }
    switch (IpPacket.read16(b, 12)) {
      case GuestLink.TYPE_ARP -> arp(b);
      case GuestLink.TYPE_IPV4 -> {
        if (options.ipv4().isPresent()) {
          ip4(IpPacket.parse4(b));
        }
      }
      case GuestLink.TYPE_IPV6 -> {
        if (options.ipv6().isPresent()) {
          ip6(IpPacket.parse6(b));
        }
      }
      default -> {}
    }
  }

  private void ip4(IpPacket part) {
    if (part == null) {
      return;
    }
    MacAddress sender = MacAddress.of(part.bytes(), MacAddress.BYTES);
    IpPacket p = part.isFragment4() ? reassembly.add(part) : part;
    if (p == null) {
      return;
    }
    boolean nameless = p.from().equals(IpAddress.ANY4);
    if (nameless ? p.protocol() != IpPacket.UDP : !places.isGuest(p.from())) {
      return;
    }
    if (!nameless) {
      link.learn(p.from(), sender);
    }
    dispatch(p);
  }

  private void ip6(IpPacket part) {
    if (part == null) {
      return;
    }
    MacAddress sender = MacAddress.of(part.bytes(), MacAddress.BYTES);
    IpPacket p = part.protocol() == Reassembly.FRAGMENT6 ? reassembly.add(part) : part;
    if (p == null || p.protocol() == IpPacket.ICMP6 && neighbours6.orElseThrow().input(p)
        || !places.isGuest(p.from())) {
      return;
    }
    link.learn(p.from(), sender);
    dispatch(p);
  }

  private void dispatch(IpPacket p) {
    switch (p.protocol()) {
      case IpPacket.TCP -> {
        if (places.isGuest(p.from()) && !p.to().isMulticast() && !p.to().equals(IpAddress.BROADCAST4)) {
          tcp.input(p);
        }
      }
      case IpPacket.UDP -> UdpNat.data(p).ifPresent(data -> datagram(p, data));
      case IpPacket.ICMP, IpPacket.ICMP6 -> {
        if ((p.protocol() == IpPacket.ICMP) == p.from().isV4()) {
          icmp.input(p);
        }
      }
      default -> {}
    }
  }

  private void datagram(IpPacket p, byte[] data) {
    boolean v4 = p.from().isV4();
    int port = p.read16(2);
    boolean toHost = places.isHost(p.to());
    if (v4 && port == Dhcp.SERVER_PORT && (toHost || p.to().equals(IpAddress.BROADCAST4))) {
      dhcp.ifPresent(d -> d.input(data));
    } else if (!v4 && port == Neighbours6.DHCP_SERVER_PORT) {
      neighbours6.ifPresent(n -> n.dhcp(p, data));
    } else if (port == Tftp.PORT && toHost) {
      tftp.ifPresent(t -> t.input(new FlowKey(p.from(), p.read16(0), p.to(), port), data));
    } else if (places.isGuest(p.from())) {
      udp.input(p, data);
    }
  }

  /** Answers who asks for an address of this network's (RFC 826). */
  private void arp(byte[] b) {
    int at = Frame.HEADER;
    if (options.ipv4().isEmpty() || b.length < at + ARP_LENGTH || IpPacket.read16(b, at) != 1
        || IpPacket.read16(b, at + 2) != GuestLink.TYPE_IPV4 || IpPacket.read16(b, at + 4) != 0x0604) {
      return;
    }
    MacAddress sender = MacAddress.of(b, at + 8);
    IpAddress from = IpAddress.read4(b, at + 14);
    if (places.isGuest(from)) {
      link.learn(from, sender);
    }
    IpAddress wanted = IpAddress.read4(b, at + 24);
    if (IpPacket.read16(b, at + 6) == 1 && places.isOurs(wanted)) {
      link.transmit(arp(2, wanted, sender, from), sender, Offload.NONE);
    }
  }

  private byte[] arp(int operation, IpAddress own, MacAddress target, IpAddress targetAddress) {
    byte[] f = new byte[60];
    int at = Frame.HEADER;
    Checksum.put(f, 12, GuestLink.TYPE_ARP);
    f[at + 1] = 1;
    Checksum.put(f, at + 2, GuestLink.TYPE_IPV4);
    Checksum.put(f, at + 4, 0x0604);
    f[at + 7] = (byte) operation;
    OWN.put(f, at + 8);
    own.put(f, at + 14);
    target.put(f, at + 18);
    targetAddress.put(f, at + 24);
    return f;
  }

  private void ask(IpAddress address) {
    if (address.isV4()) {
      IpAddress own = options.ipv4().map(UserNetOptions.Network4::host).orElse(IpAddress.ANY4);
      link.transmit(
          arp(1, own, new MacAddress(0), address), MacAddress.BROADCAST, Offload.NONE);
    } else {
      neighbours6.ifPresent(n -> n.ask(address));
    }
  }

  @Override
  public String describe() {
    return "type=user,net=" + options.ipv4().map(n -> n.base().toString()).orElse("off")
        + ",restrict=" + (options.restrict() ? "on" : "off");
  }

  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    loop.execute(
        () -> {
          tcp.close();
          udp.close();
          tftp.ifPresent(Tftp::close);
        });
    group.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly(2, TimeUnit.SECONDS);
  }
}
