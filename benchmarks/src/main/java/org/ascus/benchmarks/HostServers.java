package org.ascus.benchmarks;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Random;

/** Servers on the host's loopback interface that guests talk to. They end with this process. */
final class HostServers {
  /** Content is this many bytes over and over: no power of two, so that a piece in a wrong place is noticed. */
  private static final int BLOCK = 999_983;

  private HostServers() {}

  /**
   * A web server.
   *
   * @param sha256 of what every path but {@code /hello} has, in hexadecimal
   */
  record Web(int port, String sha256) {}

  /** Starts a web server with so much to download. */
  static Web web(int mebibytes) throws IOException {
    long length = (long) mebibytes << 20;
    byte[] block = new byte[BLOCK];
    new Random(1).nextBytes(block);
    HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext(
        "/",
        exchange -> {
          boolean hello = exchange.getRequestURI().getPath().equals("/hello");
          exchange.sendResponseHeaders(200, hello ? BLOCK : length);
          try (OutputStream out = exchange.getResponseBody()) {
            write(block, hello ? BLOCK : length, out);
          }
        });
    server.start();
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      try (var out = new DigestOutputStream(OutputStream.nullOutputStream(), digest)) {
        write(block, length, out);
      }
      return new Web(server.getAddress().getPort(), HexFormat.of().formatHex(digest.digest()));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  private static void write(byte[] block, long length, OutputStream out) throws IOException {
    for (long left = length; left > 0; left -= block.length) {
      out.write(block, 0, (int) Math.min(left, block.length));
    }
  }

  /** Starts an {@code iperf3} server and returns its port. */
  static int iperf3() throws IOException, UserException {
    InetAddress loopback = InetAddress.getLoopbackAddress();
    int port;
    try (var free = new ServerSocket(0, 1, loopback)) {
      port = free.getLocalPort();
    }
    try {
      Process server =
          new ProcessBuilder("iperf3", "--server", "--bind", loopback.getHostAddress(), "--port", "" + port)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .redirectError(ProcessBuilder.Redirect.DISCARD)
              .start();
      Runtime.getRuntime().addShutdownHook(new Thread(server::destroy));
    } catch (IOException e) {
      throw new UserException("iperf3 cannot be started on this machine: " + e.getMessage());
    }
    return port;
  }
}
