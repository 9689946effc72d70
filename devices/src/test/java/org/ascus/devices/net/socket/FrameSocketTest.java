package org.ascus.devices.net.socket;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.DataOutputStream;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.ascus.devices.net.NetBackend;
import org.ascus.devices.net.TestCard;
import org.ascus.machine.device.DeviceException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Machines that are networked through sockets. */
@Timeout(60)
class FrameSocketTest {
  private static final InetAddress LOCAL = InetAddress.getLoopbackAddress();
  private static final String HOST = "127.0.0.1";

  @TempDir Path folder;

  private final List<NetBackend> opened = new ArrayList<>();

  @AfterEach
  void close() {
    opened.forEach(NetBackend::close);
  }

  private <T extends NetBackend> T with(T backend, TestCard card) {
    backend.connect(card);
    opened.add(backend);
    return backend;
  }

  private static void awaitConnected(NetBackend backend) throws InterruptedException {
    while (backend.describe().endsWith(",")) {
      Thread.sleep(5);
    }
  }

  private void exchange(StreamAddress address) throws Exception {
    TestCard a = new TestCard();
    TestCard b = new TestCard();
    StreamNet server = with(new StreamNet("s", "stream", address, true, 0), a);
    StreamAddress target =
        address instanceof StreamAddress.Inet
            ? new StreamAddress.Inet(HOST, ((InetSocketAddress) server.localAddress()).getPort())
            : address;
    StreamNet client = with(new StreamNet("c", "stream", target, false, 0), b);
    awaitConnected(server);
    awaitConnected(client);
    for (int i = 0; i < 500; i++) {
      assertThat(server.receive(TestCard.frame(i))).isTrue();
      assertThat(client.receive(TestCard.frame(1000 + i))).isTrue();
    }
    for (int i = 0; i < 500; i++) {
      assertThat(b.next().bytes()).isEqualTo(TestCard.frame(i).bytes());
      assertThat(a.next().bytes()).isEqualTo(TestCard.frame(1000 + i).bytes());
    }
  }

  @Test
  void framesCrossATcpConnection() throws Exception {
    exchange(new StreamAddress.Inet(HOST, 0));
  }

  @Test
  void framesCrossAUnixConnection() throws Exception {
    exchange(new StreamAddress.Unix(folder.resolve("s")));
  }

  @Test
  void aGuestThatTakesNothingStopsTheSenderAndGetsAllLater() throws Exception {
    TestCard a = new TestCard();
    StreamNet server = with(new StreamNet("s", "socket", new StreamAddress.Inet(HOST, 0), true, 0), a);
    int port = ((InetSocketAddress) server.localAddress()).getPort();
    StreamNet client =
        with(new StreamNet("c", "socket", new StreamAddress.Inet(HOST, port), false, 0), new TestCard());
    awaitConnected(client);
    a.setFull(true);
    int sent = 0;
    for (int refused = 0; refused < 200 && sent < 100_000; ) {
      if (client.receive(TestCard.frame(sent % 30_000))) {
        sent++;
      } else {
        refused++;
        Thread.sleep(1);
      }
    }
    assertThat(sent).isLessThan(100_000);
    a.setFull(false);
    server.roomAgain();
    for (int i = 0; i < sent; i++) {
      assertThat(a.next().length()).isEqualTo(TestCard.frame(i % 30_000).length());
    }
  }

  @Test
  void aPeerThatLiesAboutLengthsIsThrownOutAndTheNextIsServed() throws Exception {
    TestCard a = new TestCard();
    StreamNet server = with(new StreamNet("s", "socket", new StreamAddress.Inet(HOST, 0), true, 0), a);
    int port = ((InetSocketAddress) server.localAddress()).getPort();
    for (int length : new int[] {-1, Integer.MAX_VALUE, 70_000}) {
      try (Socket liar = new Socket(LOCAL, port)) {
        new DataOutputStream(liar.getOutputStream()).writeInt(length);
        assertThat(liar.getInputStream().read()).isEqualTo(-1);
      }
    }
    while (!server.describe().endsWith(",")) {
      Thread.sleep(5);
    }
    try (Socket honest = new Socket(LOCAL, port)) {
      DataOutputStream out = new DataOutputStream(honest.getOutputStream());
      out.writeInt(0);
      out.writeInt(5);
      out.write(new byte[5]);
      byte[] frame = TestCard.frame(7).bytes();
      out.writeInt(frame.length);
      out.write(frame);
      assertThat(a.next().bytes()).isEqualTo(frame);
    }
  }

  @Test
  void aClientComesBackAfterItsServerDid() throws Exception {
    int port;
    try (ServerSocket free = new ServerSocket(0, 1, LOCAL)) {
      port = free.getLocalPort();
    }
    StreamAddress address = new StreamAddress.Inet(HOST, port);
    assertThatThrownBy(() -> new StreamNet("c", "stream", address, false, 0))
        .isInstanceOf(DeviceException.class)
        .hasMessageContaining("tcp:127.0.0.1:" + port);
    StreamNet client = with(new StreamNet("c", "stream", address, false, 1), new TestCard());
    TestCard a = new TestCard();
    StreamNet server = with(new StreamNet("s", "stream", address, true, 0), a);
    awaitConnected(server);
    awaitConnected(client);
    client.receive(TestCard.frame(3));
    assertThat(a.next().bytes()[21]).isEqualTo((byte) 3);
  }

  @Test
  void datagramsCarryFramesBetweenTwoAndNobodyElse() throws Exception {
    int[] ports = new int[2];
    try (DatagramSocket x = new DatagramSocket(0, LOCAL);
        DatagramSocket y = new DatagramSocket(0, LOCAL)) {
      ports[0] = x.getLocalPort();
      ports[1] = y.getLocalPort();
    }
    InetSocketAddress first = new InetSocketAddress(HOST, ports[0]);
    InetSocketAddress second = new InetSocketAddress(HOST, ports[1]);
    TestCard a = new TestCard();
    TestCard b = new TestCard();
    DatagramNet one = with(new DatagramNet("a", "dgram", Optional.of(first), second), a);
    with(new DatagramNet("b", "dgram", Optional.of(second), first), b);
    try (DatagramSocket stranger = new DatagramSocket(0, LOCAL)) {
      byte[] frame = TestCard.frame(99).bytes();
      stranger.send(new DatagramPacket(frame, frame.length, second));
    }
    one.receive(TestCard.frame(5));
    assertThat(b.next().bytes()[21]).isEqualTo((byte) 5);
    assertThat(b.count()).isZero();
    assertThatThrownBy(() -> new DatagramNet("c", "dgram", Optional.of(first), second))
        .isInstanceOf(DeviceException.class)
        .hasMessageContaining("127.0.0.1:" + ports[0]);
  }

  @Test
  void unixDatagramsWaitForWhoIsSlow() throws Exception {
    Path here = folder.resolve("here");
    Path there = folder.resolve("there");
    TestCard a = new TestCard();
    UnixDatagramNet one = with(new UnixDatagramNet("a", here, there), a);
    Files.writeString(there, "in the way");
    TestCard b = new TestCard();
    UnixDatagramNet two = with(new UnixDatagramNet("b", there, here), b);
    assertThat(one.describe()).isEqualTo("type=dgram,udp=" + here + ":" + there);
    for (int i = 0; i < 500; i++) {
      while (!one.receive(TestCard.frame(i % 1000))) {
        Thread.sleep(1);
      }
    }
    for (int i = 0; i < 500; i++) {
      assertThat(b.next().bytes()).isEqualTo(TestCard.frame(i % 1000).bytes());
    }
    two.receive(TestCard.frame(7));
    assertThat(a.next().bytes()).isEqualTo(TestCard.frame(7).bytes());
    assertThatThrownBy(() -> new UnixDatagramNet("c", folder.resolve("x".repeat(120)), here))
        .hasMessageContaining("is too long");
    assertThatThrownBy(() -> new UnixDatagramNet("c", folder.resolve("nosuch/x"), here))
        .hasMessageContaining("can't bind unix=")
        .hasMessageContaining("No such file or directory");
  }

  @Test
  void aGroupHearsEveryMemberButNoneHearsItself() throws Exception {
    InetSocketAddress group = new InetSocketAddress("230.0.0.7", freePort());
    TestCard a = new TestCard();
    TestCard b = new TestCard();
    DatagramNet one;
    try {
      one = with(new DatagramNet("a", "socket", Optional.of(new InetSocketAddress(HOST, 0)), group), a);
      with(new DatagramNet("b", "socket", Optional.of(new InetSocketAddress(HOST, 0)), group), b);
    } catch (DeviceException e) {
      Assumptions.abort("no multicast here: " + e.getMessage());
      return;
    }
    one.receive(TestCard.frame(6));
    assertThat(b.next().bytes()[21]).isEqualTo((byte) 6);
    one.receive(TestCard.frame(8));
    assertThat(b.next().bytes()[21]).isEqualTo((byte) 8);
    assertThat(a.count()).isZero();
  }

  private static int freePort() throws IOException {
    try (DatagramSocket socket = new DatagramSocket(0)) {
      return socket.getLocalPort();
    }
  }
}
