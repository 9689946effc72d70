package org.ascus.devices.net.user;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;
import org.ascus.devices.net.Checksum;
import org.ascus.devices.net.Frame;
import org.ascus.devices.net.MacAddress;
import org.ascus.devices.net.NetPeer;
import org.ascus.devices.net.Offload;
import org.ascus.devices.net.Offloads;

/** A guest without a machine: its network card and a small stack, all run by the test's thread. */
final class TestGuest implements NetPeer, TcpConnection.Link {
  static final IpAddress OWN = IpAddress.parse("10.0.2.15");
  static final IpAddress HOST = IpAddress.parse("10.0.2.2");
  static final IpAddress DNS = IpAddress.parse("10.0.2.3");
  static final IpAddress OWN6 = IpAddress.parse("fec0::5054:ff:fe12:3456");
  static final IpAddress HOST6 = IpAddress.parse("fec0::2");
  static final MacAddress MAC = MacAddress.parse("52:54:00:12:34:56");
  static final MacAddress GATEWAY = MacAddress.parse("52:55:0a:00:02:02");

  private final UserNet net;
  private final GuestLink link;
  private final Offloads offloads;
  private final LinkedBlockingQueue<Frame> arrived = new LinkedBlockingQueue<>();
  private final List<Frame> seen = new ArrayList<>();
  private final Map<FlowKey, Stream> streams = new HashMap<>();
  volatile boolean deaf;
  boolean mute;

  TestGuest(UserNet net, Offloads offloads) {
    this.net = net;
    this.offloads = offloads;
    net.connect(this);
    link = new GuestLink(net, MAC, a -> {});
    for (IpAddress a : List.of(HOST, DNS, HOST6, Places.ROUTER6, IpAddress.parse("10.0.2.100"))) {
      link.learn(a, GATEWAY);
    }
  }

  GuestLink link() {
    return link;
  }

  @Override
  public Offloads offloads() {
    return offloads;
  }

  @Override
  public boolean receive(Frame frame) {
    assertThat(offloads.takes(frame.work())).isTrue();
    return !deaf && arrived.add(frame);
  }

  @Override
  public void roomAgain() {}

  /** Waits for a frame that has not been asked for yet; TCP goes on meanwhile. */
  Frame await(Predicate<Frame> wanted) {
    List<Frame> found = new ArrayList<>();
    until(() -> {
      for (Frame f : List.copyOf(seen)) {
        if (found.isEmpty() && wanted.test(f)) {
          found.add(f);
          seen.remove(f);
        }
      }
      return !found.isEmpty();
    });
    return found.getFirst();
  }

  /** Frames that nobody asked for yet. */
  int seenCount() {
    return seen.size();
  }

  /** Waits for a packet of a protocol from an address. */
  IpPacket await(IpAddress from, int protocol) {
    Frame f = await(x -> {
      IpPacket p = packet(x);
      return p != null && p.from().equals(from) && p.protocol() == protocol;
    });
    return packet(f);
  }

  static IpPacket packet(Frame f) {
    IpPacket p =
        switch (IpPacket.read16(f.bytes(), 12)) {
          case GuestLink.TYPE_IPV4 -> IpPacket.parse4(f.bytes());
          case GuestLink.TYPE_IPV6 -> IpPacket.parse6(f.bytes());
          default -> null;
        };
    assertThat(p != null || IpPacket.read16(f.bytes(), 12) == GuestLink.TYPE_ARP).isTrue();
    return p;
  }

  void until(BooleanSupplier done) {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
    while (!done.getAsBoolean()) {
      assertThat(System.nanoTime()).as("in time; frames seen: %s", seen.size()).isLessThan(deadline);
      step();
    }
  }

  /** Takes what came within a short while. */
  void step() {
    try {
      Frame first = arrived.poll(5, TimeUnit.MILLISECONDS);
      for (Frame f = first; f != null; f = arrived.poll()) {
        take(f);
      }
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
    for (Stream s : List.copyOf(streams.values())) {
      s.feed();
      s.tcp.tick();
    }
    link.flush();
  }

  private void take(Frame f) {
    IpPacket p = packet(f);
    if (p == null || p.protocol() != IpPacket.TCP) {
      seen.add(f);
      return;
    }
    checkSum(f, p);
    TcpSegment s = TcpSegment.parse(p);
    Stream stream = streams.get(new FlowKey(p.from(), s.sourcePort(), p.to(), s.targetPort()));
    if (stream == null && s.has(TcpSegment.SYN) && listening) {
      stream = new Stream(new FlowKey(p.from(), s.sourcePort(), p.to(), s.targetPort()));
      streams.put(stream.tcp.key(), stream);
      stream.tcp.asked(s);
      stream.tcp.accept();
      accepted.add(stream);
    } else if (stream != null) {
      stream.window = s.window() << (s.has(TcpSegment.SYN) ? 0 : TcpConnection.SCALE);
      stream.tcp.input(s);
      stream.tcp.output();
    } else {
      seen.add(f);
    }
  }

  private static void checkSum(Frame f, IpPacket p) {
    long pseudo = GuestLink.pseudo(p.from(), p.to(), p.protocol(), p.length());
    if (f.work().needsChecksum()) {
      assertThat(p.read16(16)).isEqualTo(Checksum.partial(pseudo));
      assertThat(f.work().checksumStart()).isEqualTo(p.payload());
    } else {
      assertThat(Checksum.of(p.bytes(), p.payload(), p.length(), pseudo)).isZero();
    }
  }

  // UDP and ICMP.

  void udp(int fromPort, IpAddress to, int port, byte[] data) {
    link.sendUdp(to.isV4() ? OWN : OWN6, fromPort, to, port, data);
  }

  /** The data of the next datagram from an address. */
  byte[] awaitUdp(IpAddress from) {
    return UdpNat.data(await(from, IpPacket.UDP)).orElseThrow();
  }

  // TCP.

  boolean listening;
  final List<Stream> accepted = new ArrayList<>();

  /** An end of a connection in the guest. Keys are the other way round: the far end is its guest. */
  final class Stream implements TcpConnection.App {
    final TcpConnection tcp;
    final ByteArrayOutputStream got = new ByteArrayOutputStream();
    byte[] toSend = new byte[0];
    int given;
    boolean finish;
    boolean opened;
    boolean ended;
    boolean broken;
    int window;
    int most = 1 << 16;

    Stream(FlowKey key) {
      tcp = new TcpConnection(key, TestGuest.this, this, 1440, 12345);
    }

    void feed() {
      int more = Math.min(toSend.length - given, most - tcp.waiting());
      if (opened && more > 0) {
        tcp.send(toSend, given, more);
        given += more;
      }
      if (opened && finish && given == toSend.length) {
        tcp.finish();
      }
      tcp.output();
    }

    @Override
    public void opened() {
      opened = true;
    }

    @Override
    public int room() {
      return 200_000;
    }

    @Override
    public void data(byte[] bytes, int start, int length) {
      got.write(bytes, start, length);
    }

    @Override
    public void ended() {
      ended = true;
    }

    @Override
    public void broken() {
      broken = true;
    }

    @Override
    public void sent() {}

    @Override
    public void endOfBatch() {}
  }

  Stream connect(int fromPort, IpAddress to, int port) {
    Stream s = new Stream(new FlowKey(to, port, to.isV4() ? OWN : OWN6, fromPort));
    streams.put(s.tcp.key(), s);
    s.tcp.open();
    return s;
  }

  @Override
  public boolean clear(TcpConnection c) {
    return link.clear();
  }

  @Override
  public int largest(TcpConnection c) {
    return 20 * c.mss();
  }

  @Override
  public void send(
      TcpConnection c, int sequence, int flags, int window, boolean syn, ByteRing data, int from, int length) {
    FlowKey k = c.key();
    byte[] options = syn ? new byte[] {2, 4, 5, (byte) 0xa0, 1, 3, 3, TcpConnection.SCALE} : new byte[0];
    int header = TcpSegment.HEADER + options.length;
    byte[] f = link.packet(k.remote(), k.guest(), IpPacket.TCP, header + length);
    int at = GuestLink.headers(k.guest());
    Checksum.put(f, at, k.remotePort());
    Checksum.put(f, at + 2, k.guestPort());
    Checksum.put(f, at + 4, sequence >>> 16);
    Checksum.put(f, at + 6, sequence);
    int ack = (flags & TcpSegment.ACK) == 0 ? 0 : c.acknowledgement();
    Checksum.put(f, at + 8, ack >>> 16);
    Checksum.put(f, at + 10, ack);
    f[at + 12] = (byte) (header << 2);
    f[at + 13] = (byte) flags;
    Checksum.put(f, at + 14, window);
    System.arraycopy(options, 0, f, at + TcpSegment.HEADER, options.length);
    data.copy(from, f, at + header, length);
    if (!mute) {
      link.send(f, k.guest(), new Offload(at, 16, Offload.Cut.NONE, 0, false));
    }
  }

  @Override
  public long now() {
    return System.nanoTime();
  }

  @Override
  public void closed(TcpConnection c) {
    streams.remove(c.key());
  }
}
