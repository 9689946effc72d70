package org.ascus.devices.chardev.socket;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.ascus.devices.chardev.socket.SocketOptions.Protocol;
import org.ascus.devices.security.Authorization;
import org.ascus.devices.security.TestCertificates;
import org.ascus.devices.security.TlsCredentials;
import org.ascus.devices.security.TlsPriority;
import org.ascus.devices.security.X509Credentials;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** TLS against openssl's client and our own. */
@Timeout(60)
class TlsChardevTest {
  @TempDir private Path dir;

  private final SocketChardevTest.Guest guest = new SocketChardevTest.Guest();
  private final List<SocketChardev> opened = new ArrayList<>();

  @AfterEach
  void close() {
    opened.forEach(SocketChardev::close);
  }

  private SocketChardev open(SocketOptions options) throws IOException {
    SocketChardev channel = SocketChardev.open(options);
    opened.add(channel);
    return channel;
  }

  private int server(TestCertificates certificates, Optional<Authorization> authorization) throws Exception {
    TlsCredentials tls =
        X509Credentials.read(certificates.folder(), true, true, Optional.empty(), TlsPriority.normal());
    SocketChardev channel =
        open(
            new SocketOptions(
                SocketChardevTest.loopback(0), true, false, true, 0, Protocol.RAW, Optional.of(tls), authorization));
    channel.connect(guest);
    return ((InetSocketAddress) channel.localAddress()).getPort();
  }

  /** Sends {@code text} by openssl; returns when it has ended. */
  private void openssl(int port, String text, String... more) throws Exception {
    boolean installed = Files.isExecutable(Path.of("/usr/bin/openssl"));
    if (!installed) {
      System.err.println("SKIPPED: TlsChardevTest needs openssl's client");
    }
    assumeTrue(installed, "openssl is not installed");
    List<String> command =
        new ArrayList<>(List.of("openssl", "s_client", "-connect", "127.0.0.1:" + port));
    command.addAll(List.of(more));
    Process process =
        new ProcessBuilder(command)
            .directory(dir.toFile())
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .start();
    try (OutputStream out = process.getOutputStream()) {
      out.write(text.getBytes(StandardCharsets.US_ASCII));
      out.flush();
      if (!text.isEmpty()) {
        guest.await(text.length());
      }
    } catch (IOException e) {
      // It was thrown out before it could say anything.
    }
    assertThat(process.waitFor(20, TimeUnit.SECONDS)).isTrue();
  }

  @Test
  void aClientWithACertificateComesIn() throws Exception {
    TestCertificates certificates = new TestCertificates(dir);
    certificates.issue("alice", "alice");
    int port = server(certificates, Optional.of(Authorization.simple("CN=alice,O=Test")));
    openssl(port, "hello", "-cert", "alice-cert.pem", "-key", "alice-key.pem");
    assertThat(guest.await(5)).isEqualTo("hello");
  }

  @Test
  void noCertificateAWrongNameAndNoTlsGetNothing() throws Exception {
    TestCertificates certificates = new TestCertificates(dir);
    certificates.issue("alice", "alice");
    certificates.issue("mallory", "mallory");
    int port = server(certificates, Optional.of(Authorization.simple("CN=alice,O=Test")));
    SocketChardev channel = opened.getFirst();
    openssl(port, "");
    assertThat(channel.isConnected()).isFalse();
    try (var plain = new java.net.Socket("127.0.0.1", port)) {
      plain.getOutputStream().write("hello, this is no TLS at all".getBytes(StandardCharsets.US_ASCII));
      plain.setSoTimeout(20_000);
      assertThat(readToEnd(plain)).isLessThan(20);
    }
    TlsCredentials tls =
        X509Credentials.read(certificates.client("mallory"), false, true, Optional.empty(), TlsPriority.normal());
    SocketOptions options =
        new SocketOptions(
            SocketChardevTest.loopback(port), false, false, true, 0, Protocol.RAW, Optional.of(tls), Optional.empty());
    SocketChardev mallory = open(options);
    byte[] data = "let me in".getBytes(StandardCharsets.US_ASCII);
    mallory.write(data, 0, data.length);
    while (mallory.isConnected()) {
      Thread.sleep(1);
    }
    // The next one, who may come in, proves that what went before was dropped.
    openssl(port, "hello", "-cert", "alice-cert.pem", "-key", "alice-key.pem");
    assertThat(guest.await(5)).isEqualTo("hello");
  }

  private static int readToEnd(java.net.Socket socket) {
    int count = 0;
    try {
      while (socket.getInputStream().read() >= 0) {
        count++;
      }
    } catch (IOException e) {
      // Cut off, which is as good as ended.
    }
    return count;
  }
}
