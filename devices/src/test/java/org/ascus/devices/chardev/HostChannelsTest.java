package org.ascus.devices.chardev;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.ascus.devices.chardev.socket.UdpChardev;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Pipes, pseudo-terminals, datagrams and logs, each with a program at the other end. */
@Timeout(30)
class HostChannelsTest {
  @TempDir private Path dir;

  private final ByteArrayOutputStream got = new ByteArrayOutputStream();
  private final CharReceiver guest =
      new CharReceiver() {
        @Override
        public int canReceive() {
          return 100;
        }

        @Override
        public void receive(byte[] data, int offset, int length) {
          synchronized (got) {
            got.write(data, offset, length);
            got.notifyAll();
          }
        }
      };

  private String await(int count) throws InterruptedException {
    synchronized (got) {
      while (got.size() < count) {
        got.wait();
      }
      return got.toString(StandardCharsets.US_ASCII);
    }
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }

  private static void say(CharBackend channel, String text) {
    channel.write(ascii(text), 0, text.length());
  }

  private Path fifo(String name) throws Exception {
    Path path = dir.resolve(name);
    assumeTrue(Files.isExecutable(Path.of("/usr/bin/mkfifo")), "mkfifo is not installed");
    assertThat(new ProcessBuilder("/usr/bin/mkfifo", path.toString()).start().waitFor()).isZero();
    return path;
  }

  @Test
  void aFileIsTheInputAndAnotherTakesTheOutput() throws Exception {
    Path in = Files.writeString(dir.resolve("in"), "to the guest");
    Path out = Files.writeString(dir.resolve("out"), "old ");
    try (CharBackend channel = HostFile.files(out, true, Optional.of(in))) {
      channel.connect(guest);
      assertThat(await(12)).isEqualTo("to the guest");
      say(channel, "reply");
    }
    assertThat(out).hasContent("old reply");
    assertThatThrownBy(() -> HostFile.files(out, false, Optional.of(dir.resolve("none"))))
        .hasMessage("Could not open '" + dir.resolve("none") + "': No such file or directory");
    assertThatThrownBy(() -> HostFile.files(dir.resolve("none/x"), false, Optional.empty()))
        .hasMessage("Could not open '" + dir.resolve("none/x") + "': No such file or directory");
  }

  @Test
  void aPairOfPipesCarriesBothDirections() throws Exception {
    Path in = fifo("p.in");
    Path out = fifo("p.out");
    try (CharBackend channel = HostFile.pipe(dir.resolve("p"));
        RandomAccessFile to = new RandomAccessFile(in.toFile(), "rw");
        RandomAccessFile from = new RandomAccessFile(out.toFile(), "rw")) {
      channel.connect(guest);
      to.write(ascii("to the guest"));
      assertThat(await(12)).isEqualTo("to the guest");
      say(channel, "reply");
      byte[] reply = new byte[5];
      from.readFully(reply);
      assertThat(reply).isEqualTo(ascii("reply"));
    }
  }

  @Test
  void aMissingPipeIsNamed() {
    assertThatThrownBy(() -> HostFile.pipe(dir.resolve("none")))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("none': No such file or directory");
  }

  @Test
  void aPseudoTerminalHasAnotherEndThatIsRaw() throws Exception {
    assumeTrue(Files.exists(Path.of("/dev/ptmx")), "there are no pseudo-terminals");
    PseudoTerminal terminal = PseudoTerminal.open();
    assertThat(terminal.name()).startsWith("/dev/pts/");
    try (CharBackend channel = terminal.channel();
        RandomAccessFile other = new RandomAccessFile(terminal.name(), "rw")) {
      channel.connect(guest);
      other.write(ascii("a\003b"));
      assertThat(await(3)).isEqualTo("a\003b");
      say(channel, "line\n");
      byte[] line = new byte[5];
      other.readFully(line);
      assertThat(line).as("no carriage return is added").isEqualTo(ascii("line\n"));
    }
  }

  @Test
  void datagramsGoToThePeerAndComeFromItOnly() throws Exception {
    InetAddress loopback = InetAddress.getLoopbackAddress();
    try (DatagramSocket peer = new DatagramSocket(0, loopback);
        DatagramSocket stranger = new DatagramSocket(0, loopback);
        UdpChardev channel =
            new UdpChardev(
                new InetSocketAddress(loopback, peer.getLocalPort()), new InetSocketAddress(loopback, 0))) {
      channel.connect(guest);
      int port = channel.localAddress().getPort();
      stranger.send(new DatagramPacket(ascii("no"), 2, loopback, port));
      peer.send(new DatagramPacket(ascii("yes"), 3, loopback, port));
      assertThat(await(3)).isEqualTo("yes");
      say(channel, "out");
      DatagramPacket packet = new DatagramPacket(new byte[100], 100);
      peer.receive(packet);
      assertThat(new String(packet.getData(), 0, packet.getLength(), StandardCharsets.US_ASCII)).isEqualTo("out");
    }
  }

  @Test
  void aLogGetsACopyOfTheOutput() throws Exception {
    Path file = Files.writeString(dir.resolve("log"), "old ");
    for (boolean append : new boolean[] {true, false}) {
      try (CharBackend channel = new LoggedChardev(new NullChardev(), file, append)) {
        say(channel, "new");
      }
      assertThat(file).hasContent(append ? "old new" : "new");
    }
  }
}
