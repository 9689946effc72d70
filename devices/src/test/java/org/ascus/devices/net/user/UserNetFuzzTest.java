package org.ascus.devices.net.user;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.ascus.devices.net.Checksum;
import org.ascus.devices.net.Frame;
import org.ascus.devices.net.NetPeer;
import org.ascus.devices.net.Offloads;
import org.ascus.machine.trace.Log;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Frames that are almost right, of each protocol: nothing breaks, what comes back is well-formed, and a restricted
 * guest opens no socket. Seeds are fixed.
 */
@Timeout(60)
class UserNetFuzzTest {
  private static final int FRAMES = 6_000;
  private static final String SECRET = "not for guests";

  /** What is to be bent. */
  private enum Protocol {
    ARP,
    DHCP,
    DNS,
    TFTP,
    NDP,
    DHCP6,
    TCP,
    TCP6,
    FRAGMENT,
    FRAGMENT6,
    ICMP
  }

  @TempDir private Path folder;

  private final ByteArrayOutputStream logged = new ByteArrayOutputStream();
  private final Log log = new Log(new PrintStream(logged, true), EnumSet.of(Log.Category.GUEST_ERRORS));
  private final AtomicInteger lookups = new AtomicInteger();
  private final Card card = new Card();
  private final GuestLink made = new GuestLink(card, TestGuest.MAC, a -> {});
  private UserNet net;

  /** Looks at what the network answers. */
  private static final class Card implements NetPeer {
    private final AtomicInteger frames = new AtomicInteger();
    private final List<String> bad = new ArrayList<>();

    @Override
    public Offloads offloads() {
      return Offloads.NONE;
    }

    @Override
    public synchronized boolean receive(Frame frame) {
      frames.incrementAndGet();
      byte[] b = frame.bytes();
      int type = IpPacket.read16(b, 12);
      IpPacket p =
          type == GuestLink.TYPE_IPV4 ? IpPacket.parse4(b) : type == GuestLink.TYPE_IPV6 ? IpPacket.parse6(b) : null;
      if (type != GuestLink.TYPE_ARP && p == null || b.length > Frame.HEADER + GuestLink.MTU) {
        bad.add("malformed answer of " + b.length + " bytes");
      }
      if (new String(b, StandardCharsets.ISO_8859_1).contains(SECRET)) {
        bad.add("a file outside of the shared folder");
      }
      return true;
    }

    @Override
    public void roomAgain() {}
  }

  private void start(boolean restrict) throws Exception {
    UserNetOptions d = UserNetOptions.DEFAULT;
    Path shared = Files.createDirectories(folder.resolve("shared"));
    Files.writeString(folder.resolve("secret"), SECRET);
    Files.write(shared.resolve("file"), new byte[3000]);
    Files.createSymbolicLink(shared.resolve("link"), folder.resolve("secret"));
    UserNetOptions.Boot boot = new UserNetOptions.Boot(Optional.of(shared), "", "boot");
    UserNetOptions options =
        new UserNetOptions(restrict, d.ipv4(), d.ipv6(), d.names(), boot, List.of(), List.of());
    net = new UserNet("n", options, Map.of(), log, () -> {
      lookups.incrementAndGet();
      return Optional.empty();
    });
    net.connect(card);
  }

  @AfterEach
  void stop() {
    net.close();
    assertThat(logged.toString()).doesNotContain("internal error");
    assertThat(card.bad).isEmpty();
  }

  private void send(byte[] frame) throws InterruptedException {
    while (!net.receive(new Frame(frame))) {
      TimeUnit.MICROSECONDS.sleep(200);
    }
  }

  private byte[] packet(IpAddress from, IpAddress to, int protocol, byte[] payload) {
    byte[] f = made.packet(from, to, protocol, payload.length);
    System.arraycopy(payload, 0, f, GuestLink.headers(from), payload.length);
    TestGuest.GATEWAY.put(f, 0);
    TestGuest.MAC.put(f, 6);
    return f;
  }

  private byte[] datagram(IpAddress from, int fromPort, IpAddress to, int port, byte[] data) {
    ByteBuffer b = ByteBuffer.allocate(8 + data.length);
    b.putShort((short) fromPort).putShort((short) port).putShort((short) (8 + data.length)).putShort((short) 0);
    return packet(from, to, IpPacket.UDP, b.put(data).array());
  }

  private static byte[] bytes(Random random, int length) {
    byte[] bytes = new byte[length];
    random.nextBytes(bytes);
    return bytes;
  }

  /** Options of some kind: code and length in {@code width} bytes each, some of them lies. */
  private static byte[] options(Random random, int width, int... codes) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    for (int n = random.nextInt(12); n > 0; n--) {
      int code = random.nextInt(4) == 0 ? random.nextInt(256) : codes[random.nextInt(codes.length)];
      int length = random.nextInt(8) == 0 ? random.nextInt(256) : random.nextInt(20);
      int said = random.nextInt(8) == 0 ? random.nextInt(256) : length;
      out.writeBytes(new byte[width - 1]);
      out.write(code);
      out.writeBytes(new byte[width - 1]);
      out.write(said);
      out.writeBytes(bytes(random, length));
    }
    return out.toByteArray();
  }

  private static byte[] join(byte[] a, byte[] b) {
    byte[] result = Arrays.copyOf(a, a.length + b.length);
    System.arraycopy(b, 0, result, a.length, b.length);
    return result;
  }

  private byte[] make(Protocol protocol, Random random) {
    return switch (protocol) {
      case ARP -> {
        byte[] f = new byte[42];
        ByteBuffer.wrap(f).putShort(12, (short) 0x0806).putLong(14, 0x0001_0800_0604_0001L);
        TestGuest.MAC.put(f, 6);
        TestGuest.OWN.put(f, 28);
        TestGuest.HOST.put(f, 38);
        yield f;
      }
      case DHCP -> {
        byte[] m = new byte[240];
        m[0] = 1;
        m[1] = 1;
        m[2] = 6;
        System.arraycopy(bytes(random, 6), 0, m, 28, 6);
        ByteBuffer.wrap(m).putInt(236, 0x63825363);
        byte[] type = {53, 1, (byte) (1 + random.nextInt(8))};
        byte[] body = join(join(m, type), options(random, 1, 0, 50, 53, 54, 55, 255));
        yield datagram(IpAddress.ANY4, 68, IpAddress.BROADCAST4, 67, body);
      }
      case DNS -> datagram(TestGuest.OWN, 1000 + random.nextInt(9), TestGuest.DNS, 53, bytes(random, 40));
      case TFTP -> {
        String[] names = {"file", "link", "../secret", "/../secret", "..", "", "x\u0000y", "file/", "./link"};
        String name = names[random.nextInt(names.length)];
        StringBuilder words = new StringBuilder(name + "\u0000octet\u0000");
        for (int n = random.nextInt(4); n > 0; n--) {
          words.append(random.nextBoolean() ? "tsize\u00000\u0000" : "blksize\u0000" + random.nextInt(9999) + "\u0000");
        }
        byte[] read = join(new byte[] {0, 1}, words.toString().getBytes(StandardCharsets.ISO_8859_1));
        byte[] acknowledge = {0, (byte) (3 + random.nextInt(4)), (byte) (random.nextInt(8) / 7 * 255), 1};
        byte[] m = random.nextInt(3) == 0 ? Arrays.copyOf(read, Math.min(read.length, 1400)) : acknowledge;
        yield datagram(TestGuest.OWN, 2000 + random.nextInt(40), TestGuest.HOST, 69, m);
      }
      case NDP -> {
        byte[] m = bytes(random, 24);
        m[0] = (byte) (133 + random.nextInt(5));
        TestGuest.HOST6.put(m, 8);
        byte[] f = packet(TestGuest.OWN6, TestGuest.HOST6, IpPacket.ICMP6, join(m, options(random, 1, 1, 2, 3, 5)));
        f[21] = (byte) 255;
        yield f;
      }
      case DHCP6 -> {
        byte[] m = join(new byte[] {11, 1, 2, 3}, options(random, 2, 1, 6, 8));
        yield datagram(TestGuest.OWN6, 546, IpAddress.parse("ff02::1:2"), 547, m);
      }
      case TCP, TCP6 -> {
        byte[] options = Arrays.copyOf(options(random, 1, 0, 1, 2, 3, 4, 8), 4 * random.nextInt(11));
        ByteBuffer b = ByteBuffer.allocate(20 + options.length + random.nextInt(100));
        b.putShort((short) (3000 + random.nextInt(20))).putShort((short) (1 + random.nextInt(3)));
        b.putInt(random.nextInt(5000)).putInt(random.nextInt()).put((byte) (20 + options.length << 2));
        b.put((byte) random.nextInt(64)).putShort((short) random.nextInt()).putInt(0).put(options);
        yield protocol == Protocol.TCP
            ? packet(TestGuest.OWN, TestGuest.HOST, IpPacket.TCP, b.array())
            : packet(TestGuest.OWN6, TestGuest.HOST6, IpPacket.TCP, b.array());
      }
      case FRAGMENT -> {
        byte[] f = packet(TestGuest.OWN, TestGuest.HOST, IpPacket.ICMP, bytes(random, 8 * random.nextInt(100)));
        Checksum.put(f, 18, random.nextInt(40));
        Checksum.put(f, 20, random.nextInt(4) << 13 | (random.nextInt(3) == 0 ? random.nextInt(8192) : 0));
        yield f;
      }
      case FRAGMENT6 -> {
        ByteBuffer b = ByteBuffer.allocate(8 + 8 * random.nextInt(100));
        b.put((byte) 58).put((byte) 0);
        b.putShort((short) ((random.nextInt(3) == 0 ? random.nextInt(8192) : 0) << 3 | random.nextInt(2)));
        b.putInt(random.nextInt(40));
        yield packet(TestGuest.OWN6, TestGuest.HOST6, Reassembly.FRAGMENT6, b.array());
      }
      case ICMP -> {
        byte[] m = bytes(random, 8 + random.nextInt(60));
        m[0] = (byte) (random.nextBoolean() ? 8 : random.nextInt(20));
        yield packet(TestGuest.OWN, TestGuest.HOST, IpPacket.ICMP, m);
      }
    };
  }

  /** Bends a frame: bytes change, the end is missing; the IPv4 header's checksum is right in most. */
  private static byte[] bend(byte[] frame, Random random, boolean addressesToo) {
    byte[] f = random.nextInt(8) == 0 ? Arrays.copyOf(frame, random.nextInt(frame.length + 1)) : frame;
    for (int n = random.nextInt(4); n > 0 && f.length > 34; n--) {
      int at = random.nextInt(f.length);
      boolean address = at >= 22 && at < 54;
      if (addressesToo || !address) {
        f[at] = (byte) random.nextInt();
      }
    }
    if (f.length >= 34 && random.nextInt(8) != 0 && IpPacket.read16(f, 12) == GuestLink.TYPE_IPV4) {
      int header = Math.min(f.length - 14, 4 * (f[14] & 15));
      Checksum.put(f, 24, 0);
      Checksum.put(f, 24, Checksum.of(f, 14, header, 0));
    }
    return f;
  }

  private void fuzz(Protocol protocol, boolean addressesToo) throws Exception {
    Random random = new Random(protocol.ordinal() + 1);
    for (int i = 0; i < FRAMES; i++) {
      send(bend(make(protocol, random), random, addressesToo));
    }
    int before = card.frames.get();
    for (int i = 0; i < 2000 && card.frames.get() == before; i++) {
      send(packet(TestGuest.OWN, TestGuest.HOST, IpPacket.ICMP, new byte[] {8, 0, 0, 0, 0, 0, 0, (byte) i}));
      TimeUnit.MILLISECONDS.sleep(1);
    }
    assertThat(card.frames.get()).as("answers").isGreaterThan(before);
  }

  @ParameterizedTest
  @EnumSource(Protocol.class)
  void aRestrictedGuestOpensNoSocketWhateverItSends(Protocol protocol) throws Exception {
    start(true);
    fuzz(protocol, true);
    assertThat(net.connections()).isEmpty();
    assertThat(lookups.get()).as("questions for the host's name server").isZero();
  }

  /** Addresses stay, so that it knocks at no doors but this host's, and those are ports 1 to 3. */
  @ParameterizedTest
  @EnumSource(
      value = Protocol.class,
      names = {"TCP", "TCP6", "DNS"})
  void whatAGuestOpensIsBounded(Protocol protocol) throws Exception {
    start(false);
    fuzz(protocol, false);
    assertThat(net.connections()).hasSizeLessThan(2048);
  }

  @Test
  void filesGoOutOnlyFromTheFolder() throws Exception {
    start(true);
    for (String name : List.of("link", "../secret", "/../secret", "./../shared/../secret", "file")) {
      byte[] m = ("\u0000\u0001" + name + "\u0000octet\u0000").getBytes(StandardCharsets.ISO_8859_1);
      int before = card.frames.get();
      send(datagram(TestGuest.OWN, 2000 + name.length(), TestGuest.HOST, 69, m));
      for (int i = 0; i < 5000 && card.frames.get() == before; i++) {
        TimeUnit.MILLISECONDS.sleep(1);
      }
      assertThat(card.frames.get()).as("an answer to " + name).isGreaterThan(before);
    }
  }

  @Test
  void anOptionThatIsThereThousandsOfTimesIsAnsweredOnce() throws Exception {
    start(true);
    String read = "\u0000\u0001file\u0000octet\u0000" + "tsize\u00000\u0000".repeat(8000);
    byte[] m = read.getBytes(StandardCharsets.US_ASCII);
    made.learn(TestGuest.OWN, TestGuest.MAC);
    Tftp tftp = new Tftp(folder.resolve("shared"), made);
    tftp.input(new FlowKey(TestGuest.OWN, 2000, TestGuest.HOST, 69), m);
    tftp.close();
    assertThat(card.frames.get()).isEqualTo(1);
  }
}
