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
import org.ascus.devices.security.TlsCredentials;
import org.ascus.devices.security.TlsPriority;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.io.TempDir;

/** Encrypted channels, and the programs of others that come to them. */
abstract class TlsChardevFixture {
  @TempDir Path dir;

  final SocketChardevTest.Guest guest = new SocketChardevTest.Guest();
  final List<SocketChardev> opened = new ArrayList<>();

  @AfterEach
  final void close() {
    opened.forEach(SocketChardev::close);
  }

  static TlsPriority priority(String text, String... always) throws Exception {
    return TlsPriority.parse(text, List.of(always));
  }

  final SocketChardev open(int port, boolean server, TlsCredentials tls, Optional<Authorization> authorization)
      throws IOException {
    SocketChardev channel =
        SocketChardev.open(
            new SocketOptions(SocketChardevTest.loopback(port), server, false, true, 0, Protocol.RAW,
                Optional.of(tls), authorization));
    opened.add(channel);
    return channel;
  }

  /** Returns the port. */
  final int serve(TlsCredentials tls, Optional<Authorization> authorization) throws IOException {
    SocketChardev channel = open(0, true, tls, authorization);
    channel.connect(guest);
    return ((InetSocketAddress) channel.localAddress()).getPort();
  }

  /** Runs a client until it ends by itself; what it is to say is sent when it has connected. */
  final String client(String text, String... command) throws Exception {
    boolean installed = Files.isExecutable(Path.of("/usr/bin", command[0]));
    if (!installed) {
      System.err.println("SKIPPED: " + getClass().getSimpleName() + " needs " + command[0]);
    }
    assumeTrue(installed, command[0] + " is not installed");
    Path log = dir.resolve("log");
    Process process =
        new ProcessBuilder(command).directory(dir.toFile()).redirectErrorStream(true).redirectOutput(log.toFile())
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
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    return Files.readString(log);
  }

  static void await(SocketChardev channel, boolean connected) throws InterruptedException {
    for (int i = 0; channel.isConnected() != connected; i++) {
      assertThat(i).as("thousandths of a second").isLessThan(30_000);
      Thread.sleep(1);
    }
  }

  static String[] words(String command) {
    return command.split(" ");
  }
}
