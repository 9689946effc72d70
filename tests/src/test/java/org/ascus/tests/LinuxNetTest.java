package org.ascus.tests;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.zip.GZIPInputStream;
import org.ascus.tests.support.ConsoleProcess;
import org.ascus.tests.support.Host;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A stock Linux guest on the user-mode network: what a person does first with a machine that has one. */
class LinuxNetTest {
  private static final Duration BOOT = Duration.ofMinutes(5);
  private static final Duration SOON = Duration.ofMinutes(1);
  private static final int BYTES = 8 << 20;

  /** The guest's IPv6 address takes a few seconds: its kernel first asks whether anyone else has it. */
  private static final String SCRIPT =
      "udhcpc -n -q -f -s /bin/true -i eth0; ping -c 1 -W 20 10.0.2.2;"
          + " wget -q -O - http://10.0.2.2:%d/ | sha256sum;"
          + " for i in 1 2 3 4 5 6 7 8 9; do ping -6 -c 1 -W 5 fec0::2 && break; sleep 1; done;"
          + " echo LISTENING; echo from the guest | nc -l -p 7; echo";

  @ParameterizedTest
  @CsvSource({"virtio-net-device,virtio_net", "e1000e,e1000e"})
  void reachesTheHostAndIsReached(String card, String module) throws Exception {
    Path guest = Host.requireRiscv64Guest();
    Assumptions.assumeTrue(
        modules(guest).contains("modules/" + module + ".ko"),
        "the guest has no module " + module + ": make it anew with tests/guests/make-guest.sh --force riscv64");
    byte[] content = new byte[BYTES];
    new Random(1).nextBytes(content);
    HttpServer server = serve(content);
    int port = freePort();
    try (var console = boot(guest, card, String.format(SCRIPT, server.getAddress().getPort()), port)) {
      console.expect("GUEST-READY", BOOT);
      assertThat(console.expect("LISTENING", BOOT))
          .contains("lease of 10.0.2.15 obtained from 10.0.2.2")
          .contains("64 bytes from 10.0.2.2")
          .contains("64 bytes from fec0::2")
          .contains(sha256(content));
      assertThat(talk(port, "from the host\n")).isEqualTo("from the guest\n");
      assertThat(console.expect("GUEST-DONE rc=0", SOON)).contains("from the host");
      assertThat(console.awaitExit(SOON)).isZero();
    } finally {
      server.stop(0);
    }
  }

  /** The initramfs, in which names of files can be found. */
  private static String modules(Path guest) throws IOException {
    try (var in = new GZIPInputStream(Files.newInputStream(guest.resolve("initramfs.cpio.gz")))) {
      return new String(in.readAllBytes(), StandardCharsets.ISO_8859_1);
    }
  }

  private static HttpServer serve(byte[] content) throws IOException {
    HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext(
        "/",
        exchange -> {
          exchange.sendResponseHeaders(200, content.length);
          try (OutputStream out = exchange.getResponseBody()) {
            out.write(content);
          }
        });
    server.start();
    return server;
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  /** The guest may need a moment before it listens; a connection that it refuses ends without a word. */
  private static String talk(int port, String text) throws IOException, InterruptedException {
    for (int tries = 0; tries < 100; tries++) {
      try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
        socket.getOutputStream().write(text.getBytes(StandardCharsets.US_ASCII));
        socket.shutdownOutput();
        String answer = new String(socket.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
        if (!answer.isEmpty()) {
          return answer;
        }
      } catch (IOException e) {
        // Refused.
      }
      Thread.sleep(200);
    }
    return "";
  }

  private static String sha256(byte[] content) throws NoSuchAlgorithmException {
    return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(content));
  }

  private static ConsoleProcess boot(Path guest, String card, String script, int port) throws IOException {
    var arguments = new ArrayList<String>();
    arguments.addAll(List.of("-M", "virt", "-m", "512M", "-nographic", "-no-reboot"));
    arguments.addAll(List.of("-bios", guest.resolve("fw/fw_dynamic.bin").toString()));
    arguments.addAll(List.of("-kernel", guest.resolve("Image").toString()));
    arguments.addAll(List.of("-initrd", guest.resolve("initramfs.cpio.gz").toString()));
    String words = "console=ttyS0 quiet guest.net guest.run=\"" + script + "\"";
    arguments.addAll(List.of("-append", words));
    arguments.addAll(List.of("-netdev", "user,id=n,hostfwd=tcp:127.0.0.1:" + port + "-:7"));
    arguments.addAll(List.of("-device", card + ",netdev=n"));
    return Host.startAscus(arguments);
  }
}
