package org.ascus.devices.block.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.BlockNode;
import org.ascus.devices.block.protocol.FileProtocol;
import org.ascus.devices.block.protocol.Protocols;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class HttpNodeTest {
  private enum Kind { HONEST, NO_RANGES, WHOLE, SHORT, OTHER_PLACE, REFUSES }

  private final byte[] content = new byte[1_000_000];
  private final List<String> ranges = new CopyOnWriteArrayList<>();
  private volatile Kind kind = Kind.HONEST;
  private ServerSocket server;

  @BeforeEach
  void serve() throws IOException {
    new Random(1).nextBytes(content);
    server = new ServerSocket(0, 10, InetAddress.getLoopbackAddress());
    Thread.ofPlatform().daemon().start(this::accept);
  }

  @AfterEach
  void stop() throws IOException {
    server.close();
  }

  private void accept() {
    while (!server.isClosed()) {
      try (Socket peer = server.accept()) {
        answer(peer);
      } catch (IOException e) {
        // The test is over, or this client did not wait for all of it.
      }
    }
  }

  private void answer(Socket peer) throws IOException {
    BufferedReader in = new BufferedReader(new InputStreamReader(peer.getInputStream(), StandardCharsets.US_ASCII));
    String[] request = in.readLine().split(" ");
    Map<String, String> headers = new HashMap<>();
    for (String line = in.readLine(); !line.isEmpty(); line = in.readLine()) {
      headers.put(line.substring(0, line.indexOf(':')), line.substring(line.indexOf(':') + 2));
    }
    StringBuilder head = new StringBuilder();
    byte[] body = new byte[0];
    if (request[1].equals("/moved")) {
      head.append("HTTP/1.1 302 Found\r\nLocation: /disk\r\nContent-Length: 0\r\n");
    } else if (!request[1].equals("/disk")) {
      head.append("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n");
    } else if (kind == Kind.REFUSES || !"a=b".equals(headers.get("Cookie"))) {
      head.append("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n");
    } else if (request[0].equals("HEAD")) {
      head.append("HTTP/1.1 200 OK\r\nContent-Length: ").append(content.length).append("\r\n");
      head.append(kind == Kind.NO_RANGES ? "" : "Accept-Ranges: bytes\r\n");
    } else {
      String range = headers.get("Range");
      ranges.add(range);
      String[] ends = range.substring("bytes=".length()).split("-");
      int from = Integer.parseInt(ends[0]) + (kind == Kind.OTHER_PLACE ? 1 : 0);
      int to = Integer.parseInt(ends[1]) + 1 - (kind == Kind.SHORT ? 1 : 0);
      body = Arrays.copyOfRange(content, from, to);
      head.append("HTTP/1.1 ").append(kind == Kind.WHOLE ? "200 OK" : "206 Partial Content");
      head.append("\r\nContent-Range: bytes ").append(from).append('-').append(to - 1).append("/1000000\r\n");
      head.append("Content-Length: ").append(to - from).append("\r\n");
    }
    peer.getOutputStream().write(head.append("Connection: close\r\n\r\n").toString().getBytes());
    peer.getOutputStream().write(body);
  }

  private BlockNode open(String path, String... more) throws BlockException {
    Map<String, String> keys = new HashMap<>(Map.of("url", "http://127.0.0.1:" + server.getLocalPort() + path,
        "cookie", "a=b", "timeout", "60", "readahead", "64k"));
    for (int i = 0; i < more.length; i += 2) {
      keys.put(more[i], more[i + 1]);
    }
    BlockNode node = Protocols.described("http", keys, Protocols.Objects.NONE).open(FileProtocol.Options.READ_ONLY);
    assertThat(keys).isEmpty();
    return node;
  }

  private static byte[] read(BlockNode node, long at, int length) throws BlockException {
    ByteBuffer target = ByteBuffer.allocate(length);
    node.read(at, target);
    return target.array();
  }

  @Test
  void bytesAreReadInPiecesAndAhead() throws Exception {
    try (BlockNode node = open("/disk")) {
      assertThat(node.size()).isEqualTo(1_000_448);
      assertThat(node.readOnly()).isTrue();
      for (int at = 0; at < 64 << 10; at += 4096) {
        assertThat(read(node, at, 4096)).isEqualTo(Arrays.copyOfRange(content, at, at + 4096));
      }
      assertThat(ranges).containsExactly("bytes=0-65535");
      assertThat(read(node, 60_000, 300_000)).isEqualTo(Arrays.copyOfRange(content, 60_000, 360_000));
      assertThat(ranges).hasSize(2);
      assertThat(read(node, 999_000, 1448)).isEqualTo(Arrays.copyOf(Arrays.copyOfRange(content, 999_000, 1_000_000),
          1448));
      assertThatThrownBy(() -> node.write(0, ByteBuffer.allocate(1))).hasMessageContaining("read-only");
      Thread.currentThread().interrupt();
      read(node, 500_000, 512);
      assertThat(Thread.interrupted()).isTrue();
    }
    open("/moved", "readahead", "1k").close();
  }

  @Test
  void serversThatCannotOrLieGetAClearErrorEach() throws Exception {
    kind = Kind.NO_RANGES;
    assertThatThrownBy(() -> open("/disk")).hasMessageContaining("Server does not support 'range'");
    kind = Kind.REFUSES;
    assertThatThrownBy(() -> open("/disk")).hasMessageContaining("403");
    kind = Kind.HONEST;
    assertThatThrownBy(() -> open("/none")).hasMessageContaining("404");
    assertThatThrownBy(() -> open("/disk", "cookie", "")).hasMessageContaining("403");
    assertThatThrownBy(() -> open("/disk", "readahead", "100")).hasMessageContaining("512");
    assertThatThrownBy(() -> open("/disk", "password-secret", "x")).hasMessageContaining("No secret with id 'x'");
    try (BlockNode node = open("/disk")) {
      kind = Kind.WHOLE;
      assertThatThrownBy(() -> read(node, 0, 512)).hasMessageContaining("the server says 200");
      kind = Kind.SHORT;
      assertThatThrownBy(() -> read(node, 0, 512)).hasMessageContaining("65535 of 65536 bytes");
      kind = Kind.OTHER_PLACE;
      assertThatThrownBy(() -> read(node, 0, 512)).hasMessageContaining("the server sends 'bytes 1-");
      kind = Kind.HONEST;
      assertThat(read(node, 0, 512)).isEqualTo(Arrays.copyOf(content, 512));
    }
    assertThatThrownBy(() -> HttpAddress.named("http:/x")).isInstanceOf(BlockException.class);
  }
}
