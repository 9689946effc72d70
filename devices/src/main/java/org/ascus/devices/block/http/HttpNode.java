package org.ascus.devices.block.http;

import java.io.IOException;
import java.io.InputStream;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Base64;
import java.util.Deque;
import java.util.Optional;
import java.util.concurrent.CompletionException;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.ReadOnlyNode;
import org.ascus.devices.block.Uninterrupted;

/**
 * An image on a web server, read-only. Short reads ask for more than they need, and what was read last is kept; it is
 * taken for granted that the image does not change.
 */
final class HttpNode extends ReadOnlyNode {
  private static final int SECTOR = 512;
  private static final int KEPT = 8;
  private static final int PARTIAL = 206;
  private static final int OK = 200;

  /** A run of bytes that was read. */
  private record Piece(long offset, byte[] bytes) {
    boolean has(long at) {
      return at >= offset && at < offset + bytes.length;
    }
  }

  private final HttpAddress address;
  private final HttpClient client;
  private final long exact;
  private final long size;
  private final Deque<Piece> kept = new ArrayDeque<>();

  private HttpNode(HttpAddress address, HttpClient client, long bytes) {
    this.address = address;
    this.client = client;
    this.exact = bytes;
    this.size = Math.ceilDiv(bytes, (long) SECTOR) * SECTOR;
  }

  static HttpNode open(HttpAddress address) throws BlockException {
    HttpClient client = client(address);
    try {
      HttpResponse<Void> head =
          send(address, client, request(address).method("HEAD", HttpRequest.BodyPublishers.noBody()).build(),
              BodyHandlers.discarding());
      if (head.statusCode() != OK) {
        throw failure(address, "the server says " + head.statusCode());
      }
      long bytes = head.headers().firstValueAsLong("Content-Length").orElse(-1);
      if (bytes < 0) {
        throw failure(address, "Server didn't report file size.");
      }
      if (!head.headers().firstValue("Accept-Ranges").orElse("").equalsIgnoreCase("bytes")) {
        throw failure(address, "Server does not support 'range' (byte ranges).");
      }
      return new HttpNode(address, client, bytes);
    } catch (BlockException e) {
      client.shutdownNow();
      throw e;
    }
  }

  private static HttpClient client(HttpAddress address) throws BlockException {
    HttpClient.Builder builder =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .followRedirects(HttpClient.Redirect.NORMAL)
            .connectTimeout(Duration.ofSeconds(address.timeoutSeconds()));
    if (!address.verify()) {
      try {
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, new TrustManager[] {new TrustAnybody()}, null);
        builder.sslContext(context);
      } catch (GeneralSecurityException e) {
        throw failure(address, e.getMessage());
      }
    }
    return builder.build();
  }

  private static BlockException failure(HttpAddress address, String why) {
    return new BlockException("Could not open '" + address.uri() + "': CURL: Error opening file: " + why);
  }

  private static HttpRequest.Builder request(HttpAddress address) {
    HttpRequest.Builder builder =
        HttpRequest.newBuilder(address.uri()).timeout(Duration.ofSeconds(address.timeoutSeconds()));
    if (!address.cookie().isEmpty()) {
      builder.header("Cookie", address.cookie());
    }
    if (!address.user().isEmpty()) {
      byte[] login = (address.user() + ":" + address.password()).getBytes(StandardCharsets.UTF_8);
      builder.header("Authorization", "Basic " + Base64.getEncoder().encodeToString(login));
    }
    return builder;
  }

  private static <T> HttpResponse<T> send(
      HttpAddress address, HttpClient client, HttpRequest request, HttpResponse.BodyHandler<T> handler)
      throws BlockException {
    try {
      return client.sendAsync(request, handler).join();
    } catch (CompletionException e) {
      Throwable cause = e.getCause() == null ? e : e.getCause();
      String why = cause.getMessage() == null ? cause.getClass().getSimpleName() : cause.getMessage();
      throw failure(address, why);
    }
  }

  @Override
  public String name() {
    return address.uri().toString();
  }

  @Override
  public long size() {
    return size;
  }

  @Override
  public void read(long offset, ByteBuffer target) throws BlockException {
    checkRange(offset, target.remaining());
    long at = offset;
    while (target.hasRemaining() && at < exact) {
      Optional<Piece> found = find(at);
      Piece piece = found.isPresent() ? found.get() : fetch(at, target.remaining());
      int from = (int) (at - piece.offset());
      int count = Math.min(piece.bytes().length - from, target.remaining());
      target.put(piece.bytes(), from, count);
      at += count;
    }
    while (target.hasRemaining()) {
      target.put((byte) 0);
    }
  }

  private synchronized Optional<Piece> find(long at) {
    return kept.stream().filter(p -> p.has(at)).findFirst();
  }

  private synchronized void keep(Piece piece) {
    kept.addFirst(piece);
    if (kept.size() > KEPT) {
      kept.removeLast();
    }
  }

  private Piece fetch(long at, int wanted) throws BlockException {
    return Uninterrupted.get(() -> get(at, wanted));
  }

  private Piece get(long at, int wanted) throws BlockException {
    boolean ahead = wanted <= address.readAhead();
    int length = (int) Math.min(ahead ? address.readAhead() : Math.min(wanted, 4 << 20), exact - at);
    HttpRequest request = request(address).header("Range", "bytes=" + at + "-" + (at + length - 1)).build();
    HttpResponse<InputStream> response = send(address, client, request, BodyHandlers.ofInputStream());
    byte[] bytes;
    try (InputStream in = response.body()) {
      if (response.statusCode() != PARTIAL) {
        throw new BlockException(name() + ": read at " + at + ": the server says " + response.statusCode());
      }
      String range = response.headers().firstValue("Content-Range").orElse("");
      if (!range.startsWith("bytes " + at + "-")) {
        throw new BlockException(name() + ": read at " + at + ": the server sends '" + range + "'");
      }
      bytes = in.readNBytes(length);
    } catch (IOException e) {
      throw new BlockException(name() + ": read at " + at + ": " + e.getMessage(), e);
    }
    if (bytes.length < length) {
      throw new BlockException(name() + ": read at " + at + ": the server sends " + bytes.length + " of " + length
          + " bytes");
    }
    Piece piece = new Piece(at, bytes);
    if (ahead) {
      keep(piece);
    }
    return piece;
  }

  @Override
  public void close() {
    client.shutdownNow();
  }
}
