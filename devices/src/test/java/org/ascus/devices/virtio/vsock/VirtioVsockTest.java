package org.ascus.devices.virtio.vsock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.ascus.devices.virtio.GuestDriver;
import org.ascus.devices.virtio.VirtioContract;
import org.ascus.devices.virtio.VirtioDevice;
import org.ascus.devices.virtio.VirtioHost;
import org.ascus.machine.device.DeviceException;
import org.ascus.machine.run.Machine;
import org.ascus.machine.trace.Log;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class VirtioVsockTest extends VirtioContract {
  private static final int CID = 42;
  private static final int SLOTS = 16;
  private static final int BUFFER = 2048;

  @TempDir Path folder;

  private Path socket;
  private int devices;
  private GuestDriver d;
  private GuestDriver.Queue rx;
  private GuestDriver.Queue tx;
  private long buffers;
  private int taken;
  private int window = 1 << 16;
  private int consumed;

  @BeforeEach
  void nameSocket() {
    socket = folder.resolve("s");
  }

  @Override
  protected VirtioDevice device(VirtioHost host) throws Exception {
    // The one before may still be there.
    socket = folder.resolve("s" + devices++);
    return new VirtioVsock("vsock0", host, CID, socket);
  }

  @Override
  protected int workQueue() {
    return 1;
  }

  @Override
  protected boolean writesWorkQueue() {
    return false;
  }

  private void start() throws Exception {
    d = driver(false);
    d.start(0);
    rx = d.queue(0, SLOTS);
    tx = d.queue(1, SLOTS);
    d.ready();
    buffers = d.alloc((long) BUFFER * SLOTS);
    for (int i = 0; i < SLOTS; i++) {
      rx.add(d.in(buffers + (long) BUFFER * i, BUFFER));
    }
    rx.kick();
    taken = 0;
  }

  private void send(int guestPort, int hostPort, int operation, int flags, byte... data) {
    VsockPacket packet =
        new VsockPacket(
            CID, 2, guestPort, hostPort, data.length, 1, operation, flags, window, consumed);
    send(packet, data);
  }

  private void send(VsockPacket packet, byte... data) {
    long at = d.bytes(packet.toBytes());
    if (data.length == 0) {
      tx.add(d.out(at, VsockPacket.HEADER));
    } else {
      tx.add(d.out(at, VsockPacket.HEADER), d.out(d.bytes(data), data.length));
    }
    tx.kick();
    tx.await(1);
  }

  private record Received(VsockPacket header, byte[] data) {}

  private Received receive() {
    rx.await(1);
    long at = buffers + (long) BUFFER * (taken % SLOTS);
    VsockPacket header = VsockPacket.parse(d.bytesAt(at, VsockPacket.HEADER));
    byte[] data = d.bytesAt(at + VsockPacket.HEADER, header.length());
    rx.offer(taken % SLOTS);
    taken++;
    rx.kick();
    assertThat(header.source()).isEqualTo(2);
    assertThat(header.target()).isEqualTo(CID);
    consumed += data.length;
    return new Received(header, data);
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }

  private static String read(SocketChannel channel, int count) throws Exception {
    ByteBuffer in = ByteBuffer.allocate(count);
    while (in.hasRemaining() && channel.read(in) >= 0) {
      Thread.onSpinWait();
    }
    return new String(in.array(), 0, in.position(), StandardCharsets.US_ASCII);
  }

  @Test
  void theHostConnectsToAPortOfTheGuest() throws Exception {
    start();
    try (SocketChannel client = SocketChannel.open(UnixDomainSocketAddress.of(socket))) {
      client.write(ByteBuffer.wrap(ascii("CONNECT 1234\nearly")));
      VsockPacket request = receive().header();
      assertThat(request.operation()).isEqualTo(VsockPacket.REQUEST);
      assertThat(request.targetPort()).isEqualTo(1234);
      send(1234, request.sourcePort(), VsockPacket.RESPONSE, 0);
      String ok = "OK " + request.sourcePort() + "\n";
      assertThat(read(client, ok.length())).isEqualTo(ok);
      assertThat(receive().data()).isEqualTo(ascii("early"));
      send(1234, request.sourcePort(), VsockPacket.DATA, 0, ascii("hello"));
      assertThat(read(client, 5)).isEqualTo("hello");
      send(1234, request.sourcePort(), VsockPacket.DATA, 0, ascii("bye"));
      send(1234, request.sourcePort(), VsockPacket.SHUTDOWN, VsockPacket.NO_SEND);
      assertThat(read(client, 100)).isEqualTo("bye");
      client.write(ByteBuffer.wrap(ascii("last")));
      assertThat(receive().data()).isEqualTo(ascii("last"));
      send(1234, request.sourcePort(), VsockPacket.SHUTDOWN, VsockPacket.NO_RECEIVE);
      assertThat(receive().header().operation()).isEqualTo(VsockPacket.RESET);
    }
  }

  @Test
  void aSocketThatTheHostClosesIsShutDown() throws Exception {
    start();
    SocketChannel client = SocketChannel.open(UnixDomainSocketAddress.of(socket));
    client.write(ByteBuffer.wrap(ascii("CONNECT 5\n")));
    int port = receive().header().sourcePort();
    send(5, port, VsockPacket.RESPONSE, 0);
    assertThat(read(client, 14)).startsWith("OK ");
    client.write(ByteBuffer.wrap(ascii("all")));
    client.close();
    assertThat(receive().data()).isEqualTo(ascii("all"));
    VsockPacket end = receive().header();
    assertThat(end.operation()).isEqualTo(VsockPacket.SHUTDOWN);
    assertThat(end.flags()).as("nobody can tell yet whether it still reads").isEqualTo(VsockPacket.NO_SEND);
    send(5, port, VsockPacket.DATA, 0, ascii("nobody reads this"));
    end = receive().header();
    assertThat(end.operation()).isEqualTo(VsockPacket.SHUTDOWN);
    assertThat(end.flags()).isEqualTo(VsockPacket.NO_SEND | VsockPacket.NO_RECEIVE);
    send(5, port, VsockPacket.CREDIT_UPDATE, 0);
    assertThat(receive().header().operation()).as("it is forgotten").isEqualTo(VsockPacket.RESET);
  }

  @Test
  void aSocketThatEndsItsOutputStillGetsTheAnswer() throws Exception {
    start();
    try (SocketChannel client = SocketChannel.open(UnixDomainSocketAddress.of(socket))) {
      client.write(ByteBuffer.wrap(ascii("CONNECT 5\nquestion")));
      client.shutdownOutput();
      int port = receive().header().sourcePort();
      send(5, port, VsockPacket.RESPONSE, 0);
      assertThat(read(client, ("OK " + port + "\n").length())).startsWith("OK ");
      assertThat(receive().data()).isEqualTo(ascii("question"));
      VsockPacket end = receive().header();
      assertThat(end.operation()).isEqualTo(VsockPacket.SHUTDOWN);
      assertThat(end.flags()).isEqualTo(VsockPacket.NO_SEND);
      send(5, port, VsockPacket.DATA, 0, ascii("answer"));
      assertThat(read(client, 6)).isEqualTo("answer");
      send(5, port, VsockPacket.SHUTDOWN, VsockPacket.NO_SEND | VsockPacket.NO_RECEIVE);
      assertThat(receive().header().operation()).isEqualTo(VsockPacket.RESET);
      assertThat(read(client, 1)).isEmpty();
    }
  }

  @Test
  void theGuestConnectsToASocketOfTheHostIfThereIsOne() throws Exception {
    start();
    send(9, 80, VsockPacket.REQUEST, 0);
    assertThat(receive().header().operation()).as("nobody listens").isEqualTo(VsockPacket.RESET);
    try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      server.bind(UnixDomainSocketAddress.of(socket + "_80"));
      send(9, 80, VsockPacket.REQUEST, 0);
      VsockPacket response = receive().header();
      assertThat(response.operation()).isEqualTo(VsockPacket.RESPONSE);
      assertThat(response.window()).isEqualTo(VsockConnection.WINDOW);
      SocketChannel peer = server.accept();
      send(9, 80, VsockPacket.DATA, 0, ascii("ping"));
      assertThat(read(peer, 4)).isEqualTo("ping");
      peer.write(ByteBuffer.wrap(ascii("pong")));
      assertThat(receive().data()).isEqualTo(ascii("pong"));
      send(9, 80, VsockPacket.CREDIT_REQUEST, 0);
      VsockPacket update = receive().header();
      assertThat(update.operation()).isEqualTo(VsockPacket.CREDIT_UPDATE);
      assertThat(update.consumed()).isEqualTo(4);
      send(9, 80, VsockPacket.RESET, 0);
      assertThat(read(peer, 1)).isEmpty();
      peer.close();
    }
  }

  @Test
  void neitherSideSendsMoreThanTheOtherHasRoomFor() throws Exception {
    start();
    window = 3000;
    try (SocketChannel client = SocketChannel.open(UnixDomainSocketAddress.of(socket))) {
      client.write(ByteBuffer.wrap(ascii("CONNECT 7\n")));
      int port = receive().header().sourcePort();
      send(7, port, VsockPacket.RESPONSE, 0);
      byte[] data = new byte[10_000];
      new Random(1).nextBytes(data);
      client.write(ByteBuffer.wrap(data));
      ByteBuffer got = ByteBuffer.allocate(data.length);
      while (got.hasRemaining()) {
        while (got.position() < consumed || consumed % 3000 != 0 || consumed == 0) {
          Received part = receive();
          got.put(part.data());
          if (!got.hasRemaining()) {
            break;
          }
        }
        assertThat(rx.usedIndex()).as("all that there is room for").isEqualTo(taken);
        send(7, port, VsockPacket.CREDIT_UPDATE, 0);
        if (got.hasRemaining()) {
          got.put(receive().data());
        }
      }
      assertThat(got.array()).isEqualTo(data);
      send(7, port, VsockPacket.DATA, 0, new byte[VsockConnection.WINDOW + 1]);
      assertThat(receive().header().operation()).isEqualTo(VsockPacket.RESET);
    }
  }

  @Test
  void nonsenseIsRefused() throws Exception {
    start();
    send(1, 2, VsockPacket.DATA, 0, (byte) 1);
    assertThat(receive().header().operation()).isEqualTo(VsockPacket.RESET);
    send(1, 2, VsockPacket.RESET, 0);
    send(new VsockPacket(CID, 99, 1, 2, 0, 1, VsockPacket.REQUEST, 0, 0, 0));
    rx.await(1);
    taken++;
    send(new VsockPacket(7, 2, 1, 2, 0, 1, VsockPacket.REQUEST, 0, 0, 0));
    send(new VsockPacket(CID, 2, 1, 2, 1000, 1, VsockPacket.DATA, 0, 0, 0));
    assertThat(d.log().lines()).hasSize(2);
    for (String greeting : new String[] {"HELLO\n", "CONNECT x\n", "CONNECT 99999999999\n", "x".repeat(100)}) {
      try (SocketChannel client = SocketChannel.open(UnixDomainSocketAddress.of(socket))) {
        client.write(ByteBuffer.wrap(ascii(greeting)));
        assertThat(read(client, 1)).isEmpty();
      }
    }
  }

  @Test
  void aHostileGuestFillsNothing() throws Exception {
    start();
    Random random = new Random(11);
    for (int i = 0; i < 3000; i++) {
      d.freeAll();
      long at = GuestDriver.RAM + (8 << 20);
      VsockPacket packet =
          new VsockPacket(
              random.nextInt(20) == 0 ? random.nextLong() : CID,
              random.nextInt(20) == 0 ? random.nextInt(5) : 2,
              random.nextInt(50),
              random.nextInt(3),
              random.nextInt(100),
              random.nextInt(20) == 0 ? 2 : 1,
              random.nextInt(9),
              random.nextInt(5),
              random.nextInt(),
              random.nextInt());
      d.ram.write(at - GuestDriver.RAM, packet.toBytes(), 0, VsockPacket.HEADER);
      tx.add(d.out(at, VsockPacket.HEADER + random.nextInt(200)));
      tx.kick();
      if (i % 100 == 0) {
        for (int k = 0; k < SLOTS; k++) {
          rx.offer(k);
        }
        rx.kick();
      }
      if (i % 1000 == 999) {
        start();
      }
    }
  }

  @Test
  void contextsAreChecked() {
    assertThatThrownBy(() -> new VirtioVsock("v", anyHost(), 2, socket))
        .isInstanceOf(DeviceException.class)
        .hasMessageContaining("guest-cid");
    assertThatThrownBy(() -> new VirtioVsock("v", anyHost(), 3, folder.resolve("none/s")))
        .isInstanceOf(DeviceException.class)
        .hasMessageContaining("none/s");
    assertThat(Files.exists(socket)).isFalse();
  }

  private static VirtioHost anyHost() {
    return VirtioHost.of(new Machine(Log.off()));
  }
}
