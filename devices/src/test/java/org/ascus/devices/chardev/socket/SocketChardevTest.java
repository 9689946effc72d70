package org.ascus.devices.chardev.socket;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import org.ascus.devices.chardev.CharReceiver;
import org.ascus.devices.chardev.socket.SocketOptions.Protocol;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(30)
class SocketChardevTest {
  @TempDir private Path dir;

  private final Guest guest = new Guest();
  private SocketChardev channel;

  /** A device that takes so many bytes at once. */
  static final class Guest implements CharReceiver {
    private final ByteArrayOutputStream got = new ByteArrayOutputStream();
    private int room = 1 << 20;
    private int breaks;
    private String peers = "";

    @Override
    public synchronized int canReceive() {
      return room;
    }

    @Override
    public synchronized void receive(byte[] data, int offset, int length) {
      got.write(data, offset, length);
      notifyAll();
    }

    @Override
    public synchronized void peerChanged(boolean there) {
      peers += there ? "+" : "-";
      notifyAll();
    }

    synchronized void awaitPeers(String history) throws InterruptedException {
      while (!peers.equals(history)) {
        wait();
      }
    }

    @Override
    public synchronized void breakReceived() {
      breaks++;
      got.write('!');
      notifyAll();
    }

    synchronized void setRoom(int bytes) {
      room = bytes;
    }

    synchronized String await(int bytes) throws InterruptedException {
      while (got.size() < bytes) {
        wait();
      }
      return got.toString(StandardCharsets.ISO_8859_1);
    }
  }

  static SocketOptions options(SocketAddress address, boolean server, Protocol protocol) {
    return new SocketOptions(address, server, false, true, 0, protocol, Optional.empty(), Optional.empty());
  }

  static InetSocketAddress loopback(int port) {
    return new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
  }

  private int open(SocketOptions options) throws IOException {
    channel = SocketChardev.open(options);
    channel.connect(guest);
    return options.server() ? ((InetSocketAddress) channel.localAddress()).getPort() : 0;
  }

  private int server(Protocol protocol) throws IOException {
    return open(options(loopback(0), true, protocol));
  }

  @AfterEach
  void close() {
    if (channel != null) {
      channel.close();
    }
  }

  private void say(String text) {
    byte[] data = text.getBytes(StandardCharsets.ISO_8859_1);
    channel.write(data, 0, data.length);
  }

  private static void send(Socket socket, String text) throws IOException {
    socket.getOutputStream().write(text.getBytes(StandardCharsets.ISO_8859_1));
  }

  private static String receive(Socket socket, int count) throws IOException {
    return new String(socket.getInputStream().readNBytes(count), StandardCharsets.ISO_8859_1);
  }

  private void awaitPeer(boolean there) throws InterruptedException {
    while (channel.isConnected() != there) {
      Thread.sleep(1);
    }
  }

  @Test
  void aServerTalksToOnePeerAfterTheOther() throws Exception {
    int port = server(Protocol.RAW);
    say("lost");
    for (String name : new String[] {"one", "two"}) {
      try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
        send(socket, name);
        guest.await(name.equals("one") ? 3 : 6);
        say("hello " + name);
        assertThat(receive(socket, 9)).isEqualTo("hello " + name);
      }
      awaitPeer(false);
    }
    assertThat(guest.await(6)).isEqualTo("onetwo");
  }

  @Test
  void aSecondPeerWaitsForTheFirstToLeave() throws Exception {
    int port = server(Protocol.RAW);
    Socket first = new Socket(InetAddress.getLoopbackAddress(), port);
    send(first, "1");
    guest.await(1);
    try (Socket second = new Socket(InetAddress.getLoopbackAddress(), port)) {
      send(second, "2");
      send(first, "1");
      assertThat(guest.await(2)).isEqualTo("11");
      first.close();
      assertThat(guest.await(3)).isEqualTo("112");
    }
  }

  @Test
  void aPeerIsNotReadFromWhileTheGuestTakesNothing() throws Exception {
    guest.setRoom(0);
    int port = server(Protocol.RAW);
    int size = 8 << 20;
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
      Thread sender =
          Thread.ofPlatform()
              .daemon()
              .start(
                  () -> {
                    try {
                      socket.getOutputStream().write(new byte[size]);
                    } catch (IOException e) {
                      // Fails the assertion below.
                    }
                  });
      assertThat(sender.join(Duration.ofMillis(200))).as("the sender must wait").isFalse();
      guest.setRoom(1 << 20);
      channel.acceptInput();
      guest.await(size);
      sender.join();
    }
  }

  @Test
  void aUnixSocketWorksAndIsRemovedAtTheEnd() throws Exception {
    Path path = dir.resolve("s");
    channel = SocketChardev.open(SocketOptions.of(UnixDomainSocketAddress.of(path), true, false));
    channel.connect(guest);
    try (SocketChannel peer = SocketChannel.open(StandardProtocolFamily.UNIX)) {
      peer.connect(UnixDomainSocketAddress.of(path));
      peer.write(ByteBuffer.wrap(new byte[] {'x'}));
      assertThat(guest.await(1)).isEqualTo("x");
    }
    channel.close();
    assertThat(Files.exists(path)).isFalse();
  }

  @Test
  void aClientConnectsOrSaysWhyNot() throws Exception {
    try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      open(options(loopback(server.getLocalPort()), false, Protocol.RAW));
      try (Socket socket = server.accept()) {
        send(socket, "abc");
        assertThat(guest.await(3)).isEqualTo("abc");
        say("def");
        assertThat(receive(socket, 3)).isEqualTo("def");
      }
    }
    assertThatThrownBy(() -> SocketChardev.open(options(loopback(1), false, Protocol.RAW)))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("Failed to connect to '")
        .hasMessageEndingWith(":1': Connection refused");
    assertThatThrownBy(
            () ->
                SocketChardev.open(
                    options(UnixDomainSocketAddress.of(dir.resolve("none")), false, Protocol.RAW)))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("none");
  }

  @Test
  void aClientThatShallReconnectsAfterItWasCutOff() throws Exception {
    try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      SocketAddress address = loopback(server.getLocalPort());
      open(new SocketOptions(address, false, false, true, 1, Protocol.RAW, Optional.empty(), Optional.empty()));
      server.accept().close();
      try (Socket socket = server.accept()) {
        send(socket, "again");
        assertThat(guest.await(5)).isEqualTo("again");
      }
    }
  }

  private void server(SocketOptions options) throws IOException {
    open(options);
  }

  @Test
  void telnetNegotiatesAndEscapes() throws Exception {
    int port = server(Protocol.TELNET);
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
      assertThat(receive(socket, 12)).startsWith("ÿûÿ".substring(0, 2)).hasSize(12);
      send(socket, "aÿý\1bÿócÿúxxÿðdÿÿ");
      assertThat(guest.await(6)).isEqualTo("ab!cdÿ");
      assertThat(guest.breaks).isEqualTo(1);
      say("xÿy");
      assertThat(receive(socket, 4)).isEqualTo("xÿÿy");
    }
  }

  @Test
  void webSocketFramesCarryBytes() throws Exception {
    int port = server(Protocol.WEBSOCKET);
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
      send(
          socket,
          "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
              + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: binary\r\n\r\n");
      StringBuilder answer = new StringBuilder();
      while (answer.indexOf("\r\n\r\n") < 0) {
        answer.append(receive(socket, 1));
      }
      // The key and its answer are the example of RFC 6455, section 1.3.
      assertThat(answer.toString()).startsWith("HTTP/1.1 101").contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
      // A binary frame of four bytes, masked with zeros.
      send(socket, "\u0082\u0084\0\0\0\0ping");
      assertThat(guest.await(4)).isEqualTo("ping");
      say("pong");
      assertThat(receive(socket, 6)).isEqualTo("\u0082\4pong");
    }
  }

  @Test
  void whoSpeaksNoHttpToAWebSocketIsThrownOut() throws Exception {
    int port = server(Protocol.WEBSOCKET);
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
      send(socket, "\0\1\2 rubbish\r\n\r\n\r\n");
      socket.setSoTimeout(20_000);
      while (socket.getInputStream().read() >= 0) {
        assertThat(channel.isConnected()).isFalse();
      }
    }
  }

  @Test
  void theReceiverHearsOfPeersThatComeAndGo() throws Exception {
    int port = open(options(loopback(0), true, Protocol.RAW));
    for (String history : new String[] {"+-", "+-+-"}) {
      try (Socket peer = new Socket("127.0.0.1", port)) {
        guest.awaitPeers(history.substring(0, history.length() - 1));
        assertThat(peer.isConnected()).isTrue();
      }
      guest.awaitPeers(history);
    }
  }

  @Test
  void whyAServerCannotListenIsSaidAsQemuSaysIt() throws Exception {
    try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      assertThatThrownBy(() -> SocketChardev.open(options(taken.getLocalSocketAddress(), true, Protocol.RAW)))
          .hasMessage("Failed to find an available port: Address already in use");
    }
    assertThatThrownBy(
        () -> SocketChardev.open(options(new InetSocketAddress("192.0.2.1", 5), true, Protocol.RAW)))
        .hasMessage("Failed to bind socket: Cannot assign requested address");
  }
}
