package org.ascus.devices.net.user;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.ascus.devices.chardev.CharBackend;
import org.ascus.devices.chardev.CharReceiver;
import org.ascus.devices.chardev.InputFeeder;
import org.ascus.devices.net.Checksum;
import org.ascus.devices.net.Frame;
import org.ascus.devices.net.Offloads;
import org.ascus.machine.device.DeviceException;
import org.ascus.machine.trace.Log;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The user-mode network as a guest and programs of the host see it. */
@Timeout(60)
class UserNetTest {
  private static final InetAddress LOCAL = InetAddress.getLoopbackAddress();

  private final ByteArrayOutputStream logged = new ByteArrayOutputStream();
  private final Log log = new Log(new PrintStream(logged, true), EnumSet.of(Log.Category.GUEST_ERRORS));
  private Optional<InetSocketAddress> nameServer = Optional.empty();
  private volatile Supplier<Optional<InetSocketAddress>> names = () -> nameServer;
  private Map<String, CharBackend> channels = Map.of();
  private UserNet net;
  private TestGuest guest;

  private void start(UserNetOptions options, Offloads offloads) throws DeviceException {
    net = new UserNet("n", options, channels, log, () -> names.get());
    guest = new TestGuest(net, offloads);
  }

  private void start() throws DeviceException {
    start(UserNetOptions.DEFAULT, Offloads.ALL);
  }

  private static UserNetOptions options(boolean restrict, List<HostForward> host, List<GuestForward> guest) {
    UserNetOptions d = UserNetOptions.DEFAULT;
    return new UserNetOptions(restrict, d.ipv4(), d.ipv6(), d.names(), d.boot(), host, guest);
  }

  @AfterEach
  void stop() {
    if (net != null) {
      net.close();
    }
    assertThat(logged.toString()).doesNotContain("internal error");
  }

  private static byte[] random(int length) {
    byte[] bytes = new byte[length];
    new Random(length).nextBytes(bytes);
    return bytes;
  }

  @Test
  void theGatewayHasAnEthernetAddressAndAnswersPings() throws Exception {
    start();
    byte[] question = new byte[42];
    Arrays.fill(question, 0, 6, (byte) -1);
    TestGuest.MAC.put(question, 6);
    byte[] arp = {8, 6, 0, 1, 8, 0, 6, 4, 0, 1};
    System.arraycopy(arp, 0, question, 12, arp.length);
    TestGuest.MAC.put(question, 22);
    TestGuest.OWN.put(question, 28);
    TestGuest.HOST.put(question, 38);
    net.receive(new Frame(question));
    byte[] answer = guest.await(f -> IpPacket.read16(f.bytes(), 12) == GuestLink.TYPE_ARP).bytes();
    assertThat(answer[21]).isEqualTo((byte) 2);
    assertThat(IpAddress.read4(answer, 28)).isEqualTo(TestGuest.HOST);
    for (IpAddress to : List.of(TestGuest.HOST, TestGuest.DNS)) {
      byte[] rest = random(100);
      guest.link().sendIcmp(TestGuest.OWN, to, 8, 0, rest);
      IpPacket reply = guest.await(to, IpPacket.ICMP);
      assertThat(reply.read8(0)).isZero();
      assertThat(reply.copy(4)).isEqualTo(rest);
    }
  }

  @Test
  void largePingsAreCutAndPutTogether() throws Exception {
    start();
    byte[] rest = random(4000);
    guest.link().sendIcmp(TestGuest.OWN, TestGuest.HOST, 8, 0, rest);
    Reassembly together = new Reassembly();
    IpPacket whole = null;
    while (whole == null) {
      whole = together.add(guest.await(TestGuest.HOST, IpPacket.ICMP));
    }
    assertThat(whole.copy(4)).isEqualTo(rest);
  }

  private static byte[] dhcp(int type, byte[]... options) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    byte[] fixed = new byte[240];
    fixed[0] = 1;
    fixed[1] = 1;
    fixed[2] = 6;
    fixed[4] = 77;
    TestGuest.MAC.put(fixed, 28);
    fixed[236] = 0x63;
    fixed[237] = (byte) 0x82;
    fixed[238] = 0x53;
    fixed[239] = 0x63;
    out.writeBytes(fixed);
    out.writeBytes(new byte[] {53, 1, (byte) type});
    for (byte[] option : options) {
      out.writeBytes(option);
    }
    out.write(255);
    return out.toByteArray();
  }

  private byte[] exchange(byte[] message) {
    guest.link().sendUdp(IpAddress.ANY4, 68, IpAddress.BROADCAST4, 67, message);
    return guest.awaitUdp(TestGuest.HOST);
  }

  private static boolean contains(byte[] message, int... option) {
    for (int at = 240; at + option.length <= message.length; at++) {
      boolean same = true;
      for (int i = 0; i < option.length; i++) {
        same &= message[at + i] == (byte) option[i];
      }
      if (same) {
        return true;
      }
    }
    return false;
  }

  @Test
  void dhcpGivesAnAddressAndTellsOfTheNetwork() throws Exception {
    UserNetOptions.Names names = new UserNetOptions.Names("box", "example.org", List.of("a.b", "c"));
    UserNetOptions d = UserNetOptions.DEFAULT;
    start(new UserNetOptions(false, d.ipv4(), d.ipv6(), names, d.boot(), List.of(), List.of()), Offloads.ALL);
    byte[] offer = exchange(dhcp(1));
    assertThat(contains(offer, 53, 1, 2)).isTrue();
    assertThat(IpAddress.read4(offer, 16)).isEqualTo(TestGuest.OWN);
    assertThat(offer[4]).isEqualTo((byte) 77);
    byte[] ack = exchange(dhcp(3, new byte[] {50, 4, 10, 0, 2, 15}));
    assertThat(contains(ack, 53, 1, 5)).isTrue();
    assertThat(contains(ack, 1, 4, 255, 255, 255, 0)).isTrue();
    assertThat(contains(ack, 3, 4, 10, 0, 2, 2)).isTrue();
    assertThat(contains(ack, 6, 4, 10, 0, 2, 3)).isTrue();
    assertThat(contains(ack, 12, 3, 'b', 'o', 'x')).isTrue();
    assertThat(contains(ack, 119, 8, 1, 'a', 1, 'b', 0, 1, 'c', 0)).isTrue();
    byte[] nak = exchange(dhcp(3, new byte[] {50, 4, 10, 0, 9, 9}));
    assertThat(contains(nak, 53, 1, 6)).isTrue();
  }

  private DatagramSocket udpEcho() throws IOException {
    DatagramSocket socket = new DatagramSocket(0, LOCAL);
    Thread.ofVirtual().start(() -> {
      byte[] buffer = new byte[65536];
      try {
        while (true) {
          DatagramPacket p = new DatagramPacket(buffer, buffer.length);
          socket.receive(p);
          socket.send(p);
        }
      } catch (IOException e) {
        // Closed by the test.
      }
    });
    return socket;
  }

  @Test
  void datagramsReachTheHostAndComeBack() throws Exception {
    start();
    try (DatagramSocket echo = udpEcho()) {
      for (int length : new int[] {1, 500, 1472, 5000}) {
        byte[] data = random(length);
        guest.udp(4000, TestGuest.HOST, echo.getLocalPort(), data);
        if (length < 1473) {
          assertThat(guest.awaitUdp(TestGuest.HOST)).isEqualTo(data);
        } else {
          Reassembly together = new Reassembly();
          IpPacket whole = null;
          while (whole == null) {
            whole = together.add(guest.await(TestGuest.HOST, IpPacket.UDP));
          }
          assertThat(UdpNat.data(whole).orElseThrow()).isEqualTo(data);
        }
      }
      assertThat(net.connections()).anyMatch(line -> line.contains("UDP[") && line.contains("4000"));
    }
  }

  @Test
  void theNameServerIsTheHosts() throws Exception {
    try (DatagramSocket echo = udpEcho()) {
      nameServer = Optional.of(new InetSocketAddress(LOCAL, echo.getLocalPort()));
      start();
      guest.udp(4000, TestGuest.DNS, 53, random(40));
      assertThat(guest.awaitUdp(TestGuest.DNS)).isEqualTo(random(40));
    }
  }

  private static ServerSocket tcpEcho(InetAddress address) throws IOException {
    ServerSocket server = new ServerSocket(0, 50, address);
    Thread.ofVirtual().start(() -> {
      try {
        while (true) {
          Socket s = server.accept();
          Thread.ofVirtual().start(() -> {
            try (s) {
              s.getInputStream().transferTo(s.getOutputStream());
              s.shutdownOutput();
            } catch (IOException e) {
              // The guest went away.
            }
          });
        }
      } catch (IOException e) {
        // Closed by the test.
      }
    });
    return server;
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aConnectionCarriesDataBothWaysAndClosesByHalves(boolean offload) throws Exception {
    start(UserNetOptions.DEFAULT, offload ? Offloads.ALL : Offloads.NONE);
    try (ServerSocket server = tcpEcho(LOCAL)) {
      TestGuest.Stream s = guest.connect(5000, TestGuest.HOST, server.getLocalPort());
      s.toSend = random(3_000_000);
      s.finish = true;
      guest.until(() -> s.ended);
      assertThat(Arrays.equals(s.got.toByteArray(), s.toSend)).isTrue();
      assertThat(s.broken).isFalse();
    }
  }

  @Test
  void aGuestThatFilledItsWindowLearnsOfRoomWithoutAsking() throws Exception {
    start();
    try (ServerSocket server = new ServerSocket(0, 1, LOCAL)) {
      TestGuest.Stream s = guest.connect(5000, TestGuest.HOST, server.getLocalPort());
      s.toSend = random(550_000);
      guest.until(() -> s.given > 100_000 && s.window > 400_000);
      var asked = new CountDownLatch(1);
      var goOn = new CountDownLatch(1);
      names = () -> {
        asked.countDown();
        try {
          goOn.await();
        } catch (InterruptedException e) {
          Thread.currentThread().interrupt();
        }
        return Optional.empty();
      };
      // What comes while the network is busy with this, it takes all at once.
      guest.udp(4000, TestGuest.DNS, 53, random(40));
      asked.await();
      s.most = 1 << 20;
      s.feed();
      guest.mute = true;
      s.window = 0;
      goOn.countDown();
      try (Socket host = server.accept()) {
        Thread.ofVirtual().start(() -> {
          try {
            host.getInputStream().transferTo(OutputStream.nullOutputStream());
          } catch (IOException e) {
            // Closed by the test.
          }
        });
        guest.until(() -> s.window > 300_000);
      }
    }
  }

  @Test
  void manyConnectionsAtOnce() throws Exception {
    start();
    try (ServerSocket server = tcpEcho(LOCAL)) {
      List<TestGuest.Stream> all = new java.util.ArrayList<>();
      for (int i = 0; i < 50; i++) {
        TestGuest.Stream s = guest.connect(5000 + i, TestGuest.HOST, server.getLocalPort());
        s.toSend = random(20_000 + i);
        s.finish = true;
        all.add(s);
      }
      guest.until(() -> all.stream().allMatch(s -> s.ended));
      assertThat(all).allMatch(s -> Arrays.equals(s.got.toByteArray(), s.toSend));
      guest.until(() -> net.connections().isEmpty());
    }
  }

  @Test
  void aPortThatNobodyListensAtIsRefused() throws Exception {
    int port;
    try (ServerSocket server = new ServerSocket(0, 1, LOCAL)) {
      port = server.getLocalPort();
    }
    start();
    TestGuest.Stream s = guest.connect(5000, TestGuest.HOST, port);
    guest.until(() -> s.broken);
    TestGuest.Stream t = guest.connect(5001, TestGuest.DNS, 80);
    guest.until(() -> t.broken);
  }

  @Test
  void aResetOfTheGuestReachesTheHost() throws Exception {
    start();
    try (ServerSocket server = new ServerSocket(0, 1, LOCAL)) {
      TestGuest.Stream s = guest.connect(5000, TestGuest.HOST, server.getLocalPort());
      guest.until(() -> s.opened);
      try (Socket peer = server.accept()) {
        s.tcp.reset();
        guest.step();
        assertThatThrownBy(() -> {
          int ignored = peer.getInputStream().read();
        }).isInstanceOf(IOException.class);
      }
    }
  }

  @Test
  void aPortOfTheHostLeadsToTheGuest() throws Exception {
    HostForward rule = HostForward.parse("tcp:127.0.0.1:0-:22");
    start(options(false, List.of(rule), List.of()), Offloads.ALL);
    guest.listening = true;
    guest.link().sendIcmp(TestGuest.OWN, TestGuest.HOST, 8, 0, new byte[4]);
    byte[] data = random(500_000);
    int port = net.port(rule);
    CompletableFuture<byte[]> answer = CompletableFuture.supplyAsync(() -> {
      try (Socket s = new Socket(LOCAL, port)) {
        s.getOutputStream().write(data);
        s.shutdownOutput();
        return s.getInputStream().readAllBytes();
      } catch (IOException e) {
        throw new IllegalStateException(e);
      }
    });
    guest.until(() -> !guest.accepted.isEmpty() && guest.accepted.getFirst().ended);
    TestGuest.Stream s = guest.accepted.getFirst();
    assertThat(s.tcp.key().guest()).isEqualTo(TestGuest.HOST);
    assertThat(s.tcp.key().remotePort()).isEqualTo(22);
    assertThat(Arrays.equals(s.got.toByteArray(), data)).isTrue();
    s.toSend = random(300_000);
    s.finish = true;
    guest.until(answer::isDone);
    assertThat(Arrays.equals(answer.get(), s.toSend)).isTrue();
    assertThat(net.removeForward(rule)).isTrue();
    assertThat(net.removeForward(rule)).isFalse();
    guest.until(() -> refuses(port));
  }

  private static boolean refuses(int port) {
    try (Socket ignored = new Socket(LOCAL, port)) {
      return false;
    } catch (IOException e) {
      return true;
    }
  }

  @Test
  void aForwardedConnectionWaitsForAGuestThatIsNotUp() throws Exception {
    HostForward rule = HostForward.parse("tcp:127.0.0.1:0-:22");
    start(options(false, List.of(rule), List.of()), Offloads.ALL);
    guest.deaf = true;
    try (Socket s = new Socket(LOCAL, net.port(rule))) {
      guest.step();
      guest.deaf = false;
      net.roomAgain();
      guest.await(f -> IpPacket.read16(f.bytes(), 12) == GuestLink.TYPE_ARP);
      guest.listening = true;
      guest.link().sendIcmp(TestGuest.OWN, TestGuest.HOST, 8, 0, new byte[4]);
      guest.until(() -> !guest.accepted.isEmpty() && guest.accepted.getFirst().opened);
    }
  }

  @Test
  void datagramsOfAForwardedPortReachTheGuest() throws Exception {
    HostForward rule = HostForward.parse("udp:127.0.0.1:0-:69");
    start(options(false, List.of(rule), List.of()), Offloads.ALL);
    guest.link().sendIcmp(TestGuest.OWN, TestGuest.HOST, 8, 0, new byte[4]);
    guest.await(TestGuest.HOST, IpPacket.ICMP);
    try (DatagramSocket socket = new DatagramSocket(0, LOCAL)) {
      socket.send(new DatagramPacket(random(30), 30, LOCAL, net.port(rule)));
      IpPacket p = guest.await(TestGuest.HOST, IpPacket.UDP);
      assertThat(p.read16(2)).isEqualTo(69);
      guest.udp(69, TestGuest.HOST, p.read16(0), random(31));
      DatagramPacket back = new DatagramPacket(new byte[100], 100);
      socket.setSoTimeout(10_000);
      socket.receive(back);
      assertThat(back.getLength()).isEqualTo(31);
    }
  }

  @Test
  void aPortThatIsTakenIsAnErrorThatNamesTheRule() throws Exception {
    try (ServerSocket taken = new ServerSocket(0, 1, LOCAL)) {
      String rule = "tcp:127.0.0.1:" + taken.getLocalPort() + "-:22";
      assertThatThrownBy(() -> start(options(false, List.of(HostForward.parse(rule)), List.of()), Offloads.ALL))
          .isInstanceOf(DeviceException.class)
          .hasMessageContaining(rule);
    }
  }

  @Test
  void aRestrictedGuestReachesNothingButWhatRulesName() throws Exception {
    try (ServerSocket server = tcpEcho(LOCAL);
        DatagramSocket echo = udpEcho()) {
      nameServer = Optional.of(new InetSocketAddress(LOCAL, echo.getLocalPort()));
      GuestForward.Tcp target = new GuestForward.Tcp("127.0.0.1", server.getLocalPort());
      GuestForward forward = new GuestForward(IpAddress.parse("10.0.2.100"), 7, target);
      start(options(true, List.of(), List.of(forward)), Offloads.ALL);
      TestGuest.Stream refused = guest.connect(5000, TestGuest.HOST, server.getLocalPort());
      guest.until(() -> refused.broken);
      guest.udp(4000, TestGuest.HOST, echo.getLocalPort(), random(5));
      guest.udp(4000, TestGuest.DNS, 53, random(5));
      TestGuest.Stream allowed = guest.connect(5001, IpAddress.parse("10.0.2.100"), 7);
      allowed.toSend = random(1000);
      allowed.finish = true;
      guest.until(() -> allowed.ended);
      assertThat(allowed.got.toByteArray()).isEqualTo(allowed.toSend);
      assertThat(net.connections()).noneMatch(line -> line.contains("UDP"));
      byte[] offer = exchange(dhcp(1));
      assertThat(contains(offer, 3, 4, 10, 0, 2, 2)).isFalse();
    }
  }

  @Test
  void aProgramOfTheHostAnswersAtAForwardedAddress() throws Exception {
    GuestForward forward = GuestForward.parse("tcp:10.0.2.100:7-cmd:cat");
    start(options(false, List.of(), List.of(forward)), Offloads.ALL);
    TestGuest.Stream s = guest.connect(5000, IpAddress.parse("10.0.2.100"), 7);
    s.toSend = random(400_000);
    s.finish = true;
    guest.until(() -> s.ended);
    assertThat(Arrays.equals(s.got.toByteArray(), s.toSend)).isTrue();
  }

  @Test
  void aChannelOfTheHostAnswersAtAForwardedAddress() throws Exception {
    CharBackend echo = new CharBackend() {
      private final InputFeeder input = new InputFeeder(InputFeeder.thread("echo"), () -> {});

      @Override
      public void write(byte[] data, int offset, int length) {
        input.accept(Arrays.copyOfRange(data, offset, offset + length));
      }

      @Override
      public void connect(CharReceiver receiver) {
        input.connect(receiver);
      }

      @Override
      public void acceptInput() {
        input.wake();
      }
    };
    channels = Map.of("c", echo);
    // What the channel says before anybody asks waits for who does.
    echo.write(new byte[] {1, 2, 3}, 0, 3);
    start(options(false, List.of(), List.of(GuestForward.parse("tcp:10.0.2.100:7-chardev:c"))), Offloads.ALL);
    byte[] greeting = {1, 2, 3};
    for (int port = 5000; port < 5002; port++) {
      TestGuest.Stream s = guest.connect(port, IpAddress.parse("10.0.2.100"), 7);
      s.toSend = random(100_000);
      int length = greeting.length + s.toSend.length;
      guest.until(() -> s.got.size() == length);
      byte[] got = s.got.toByteArray();
      assertThat(Arrays.equals(Arrays.copyOf(got, greeting.length), greeting)).isTrue();
      assertThat(Arrays.equals(Arrays.copyOfRange(got, greeting.length, length), s.toSend)).isTrue();
      greeting = new byte[0];
      s.finish = true;
      s.feed();
      guest.until(() -> s.ended);
    }
    assertThatThrownBy(() -> GuestForward.parse("tcp:10.0.2.100:7-chardev:")).hasMessageContaining("chardev:id");
  }

  @Test
  void framesOfJunkHarmNothing() throws Exception {
    start();
    Random random = new Random(9);
    byte[][] seeds = {
      frame(6, 60), frame(17, 300), frame(1, 60), frame(44, 80), frame6(6, 80), frame6(17, 80), frame6(58, 90),
      frame6(44, 90), frame6(0, 90)
    };
    for (int i = 0; i < 30_000; i++) {
      byte[] f = seeds[random.nextInt(seeds.length)].clone();
      if (random.nextInt(4) == 0) {
        f = Arrays.copyOf(f, random.nextInt(f.length + 1));
      }
      for (int changes = random.nextInt(6); changes > 0 && f.length > 0; changes--) {
        f[random.nextInt(f.length)] = (byte) random.nextInt();
      }
      if (f.length > 34 && random.nextBoolean()) {
        // Headers that a checksum does not give away.
        f[24] = 0;
        f[25] = 0;
        int sum = Checksum.of(f, 14, 20, 0);
        Checksum.put(f, 24, sum);
      }
      while (!net.receive(new Frame(f))) {
        guest.step();
      }
    }
    guest.link().sendIcmp(TestGuest.OWN, TestGuest.HOST, 8, 0, random(123));
    guest.await(f -> {
      IpPacket p = TestGuest.packet(f);
      return p != null && p.protocol() == IpPacket.ICMP && p.length() == 127;
    });
  }

  /** A packet to the host itself: whatever junk does, it must not knock at the doors of others. */
  private static byte[] frame(int protocol, int length) {
    GuestLink link = new GuestLink(null, TestGuest.MAC, a -> {});
    byte[] f = link.packet(TestGuest.OWN, TestGuest.HOST, protocol, length);
    TestGuest.MAC.put(f, 6);
    f[34 + 3] = 9;
    f[34 + 12] = 0x50;
    f[34 + 13] = 2;
    return f;
  }

  private static byte[] frame6(int protocol, int length) {
    GuestLink link = new GuestLink(null, TestGuest.MAC, a -> {});
    byte[] f = link.packet(TestGuest.OWN6, TestGuest.HOST6, protocol, length);
    TestGuest.MAC.put(f, 6);
    f[54] = (byte) (133 + protocol % 4);
    f[20 + 1] = (byte) 255;
    return f;
  }

  @Test
  void whatAGuestDoesNotTakeIsNotKeptForEver() throws Exception {
    start();
    guest.deaf = true;
    for (int i = 0; i < 5000; i++) {
      while (!net.receive(new Frame(ping()))) {
        TimeUnit.MILLISECONDS.sleep(1);
      }
    }
    guest.deaf = false;
    net.roomAgain();
    guest.await(TestGuest.HOST, IpPacket.ICMP);
    for (int i = 0; i < 50; i++) {
      guest.step();
    }
    // What waited for the guest, and what the guest itself had not been answered yet.
    assertThat(guest.seenCount()).isLessThan(512 + 1024);
  }

  private static byte[] ping() {
    byte[] f = frame(1, 64);
    f[34] = 8;
    return f;
  }

  // IPv6.

  @Test
  void aGuestFindsItsWayInIpv6() throws Exception {
    start();
    IpAddress local = IpAddress.parse("fe80::5054:ff:fe12:3456");
    byte[] solicitation = new byte[12];
    solicitation[4] = 1;
    solicitation[5] = 1;
    TestGuest.MAC.put(solicitation, 6);
    guest.link().sendIcmp(local, IpAddress.parse("ff02::2"), 133, 0, solicitation);
    IpPacket advertised = guest.await(Places.ROUTER6, IpPacket.ICMP6);
    assertThat(advertised.read8(0)).isEqualTo(134);
    assertThat(IpAddress.read6(advertised.bytes(), advertised.payload() + 32)).isEqualTo(IpAddress.parse("fec0::"));

    byte[] target = new byte[28];
    TestGuest.HOST6.put(target, 4);
    target[20] = 1;
    target[21] = 1;
    TestGuest.MAC.put(target, 22);
    guest.link().sendIcmp(TestGuest.OWN6, IpAddress.parse("ff02::1:ff00:2"), 135, 0, target);
    IpPacket neighbour = guest.await(TestGuest.HOST6, IpPacket.ICMP6);
    assertThat(neighbour.read8(0)).isEqualTo(136);

    guest.link().sendIcmp(TestGuest.OWN6, TestGuest.HOST6, 128, 0, random(3000));
    Reassembly together = new Reassembly();
    IpPacket whole = null;
    while (whole == null) {
      whole = together.add(guest.await(TestGuest.HOST6, Reassembly.FRAGMENT6));
    }
    assertThat(whole.read8(0)).isEqualTo(129);
    assertThat(whole.copy(4)).isEqualTo(random(3000));

    byte[] question = {11, 1, 2, 3, 0, 1, 0, 2, 9, 9};
    guest.link().sendUdp(local, 546, IpAddress.parse("ff02::1:2"), 547, question);
    byte[] answer = guest.awaitUdp(Places.ROUTER6);
    assertThat(answer).startsWith(7, 1, 2, 3, 0, 1, 0, 2, 9, 9);
    assertThat(answer).endsWith(IpAddress.parse("fec0::3").bytes());
  }

  @Test
  void aConnectionOverIpv6() throws Exception {
    InetAddress loopback = IpAddress.parse("::1").toInet();
    try (ServerSocket probe = new ServerSocket(0, 1, loopback)) {
      assertThat(probe.isBound()).isTrue();
    } catch (IOException e) {
      org.junit.jupiter.api.Assumptions.abort("no IPv6 here");
    }
    start();
    try (ServerSocket server = tcpEcho(loopback)) {
      TestGuest.Stream s = guest.connect(5000, TestGuest.HOST6, server.getLocalPort());
      s.toSend = random(200_000);
      s.finish = true;
      guest.until(() -> s.ended);
      assertThat(Arrays.equals(s.got.toByteArray(), s.toSend)).isTrue();
    }
  }
}
