package org.ascus.devices.chardev;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.Pipe;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(30)
class ChardevTest {
  /** A device that takes what it is told to take. */
  private static final class Sink implements CharReceiver {
    private final StringBuilder got = new StringBuilder();
    private int room = Integer.MAX_VALUE;
    private int breaks;
    private int focus;

    @Override
    public synchronized int canReceive() {
      return room;
    }

    @Override
    public synchronized void receive(byte[] data, int offset, int length) {
      assertThat(length).isPositive().isLessThanOrEqualTo(room);
      got.append(new String(data, offset, length, StandardCharsets.ISO_8859_1));
      room -= length;
      notifyAll();
    }

    @Override
    public synchronized void breakReceived() {
      breaks++;
      notifyAll();
    }

    @Override
    public synchronized void focusChanged(boolean focused) {
      focus += focused ? 1 : -1;
      notifyAll();
    }

    synchronized void room(int bytes) {
      room = bytes;
    }

    synchronized void await(String text) throws InterruptedException {
      while (got.length() < text.length()) {
        wait();
      }
      assertThat(got).hasToString(text);
    }

    synchronized void awaitBreaks(int count) throws InterruptedException {
      while (breaks < count) {
        wait();
      }
    }
  }

  private static void write(CharBackend backend, String text) {
    byte[] data = text.getBytes(StandardCharsets.ISO_8859_1);
    backend.write(data, 0, data.length);
  }

  @Test
  void fileHasAllOutputAfterClose(@TempDir Path dir) throws Exception {
    Path file = dir.resolve("log");
    try (FileChardev chardev = new FileChardev(file, false)) {
      for (int i = 0; i < 10_000; i++) {
        write(chardev, "line " + i + "\n");
      }
    }
    assertThat(Files.readAllLines(file)).hasSize(10_000).endsWith("line 9999");
    try (FileChardev chardev = new FileChardev(file, true)) {
      write(chardev, "more\n");
    }
    assertThat(Files.readAllLines(file)).hasSize(10_001);
    new FileChardev(file, false).close();
    assertThat(file).isEmptyFile();
  }

  @Test
  void ringExpectsOutputPieceByPiece() throws Exception {
    try (RingChardev ring = RingChardev.of(100)) {
      write(ring, "login: ");
      assertThat(ring.expect("login: ", Duration.ofSeconds(5))).isEqualTo("login: ");
      Thread.ofVirtual().start(() -> write(ring, "last login\r\n# "));
      assertThat(ring.expect("# ", Duration.ofSeconds(5))).isEqualTo("last login\r\n# ");
      assertThatThrownBy(() -> ring.expect("#", Duration.ZERO)).isInstanceOf(TimeoutException.class);
      write(ring, "x".repeat(150));
      assertThat(ring.take()).hasSize(100);
      assertThat(ring.take()).isEmpty();
    }
  }

  @Test
  void ringKeepsInputUntilTheDeviceHasRoom() throws Exception {
    try (RingChardev ring = RingChardev.of(100)) {
      Sink sink = new Sink();
      sink.room(2);
      ring.send("ab");
      ring.connect(sink);
      sink.await("ab");
      ring.send("cd");
      sink.room(1);
      ring.acceptInput();
      sink.await("abc");
      sink.room(5);
      ring.acceptInput();
      sink.await("abcd");
    }
  }

  @Test
  void stdioPassesInputToItsEndAndFlushesOutput() throws Exception {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    Sink sink = new Sink();
    byte[] in = "typed".getBytes(StandardCharsets.ISO_8859_1);
    StdioChardev stdio = new StdioChardev(new ByteArrayInputStream(in), out, Optional.empty(), true);
    stdio.connect(sink);
    write(stdio, "printed");
    sink.await("typed");
    stdio.close();
    stdio.close();
    assertThat(out).hasToString("printed");
  }

  @Test
  void closingStdioEndsAReadThatWaits() throws Exception {
    Pipe pipe = Pipe.open();
    AtomicReference<IOException> ended = new AtomicReference<>();
    CountDownLatch done = new CountDownLatch(1);
    InputStream waiting =
        new FilterInputStream(Channels.newInputStream(pipe.source())) {
          @Override
          public int read(byte[] data) throws IOException {
            try {
              return super.read(data);
            } catch (IOException e) {
              ended.set(e);
              throw e;
            } finally {
              done.countDown();
            }
          }
        };
    StdioChardev stdio = new StdioChardev(waiting, new ByteArrayOutputStream(), Optional.empty(), true);
    stdio.connect(new Sink());
    stdio.close();
    done.await();
    assertThat(ended.get()).isInstanceOf(ClosedChannelException.class);
    pipe.sink().close();
  }

  @Test
  void outputThatTheHostDoesNotTakeIsRefusedInTime() throws Exception {
    CountDownLatch gate = new CountDownLatch(1);
    AtomicInteger written = new AtomicInteger();
    OutputStream stuck =
        new OutputStream() {
          @Override
          public void write(int b) {
            throw new AssertionError("bytes come in arrays");
          }

          @Override
          public void write(byte[] data, int offset, int length) {
            try {
              gate.await();
            } catch (InterruptedException e) {
              Thread.currentThread().interrupt();
            }
            written.addAndGet(length);
          }
        };
    CountDownLatch told = new CountDownLatch(1);
    OutputPump pump = new OutputPump("test", stuck, told::countDown);
    int sent = 0;
    while (pump.hasRoom()) {
      pump.write(new byte[1000], 0, 1000);
      sent += 1000;
    }
    assertThat(sent).isLessThan(200_000);
    gate.countDown();
    assertThat(told.await(10, TimeUnit.SECONDS)).isTrue();
    pump.close();
    assertThat(written).hasValue(sent);
  }

  @Test
  void muxRoutesInputByFocusAndObeysItsCommands() throws Exception {
    RingChardev host = RingChardev.synchronous(4096);
    AtomicInteger quits = new AtomicInteger();
    try (MuxChardev mux = new MuxChardev(host, quits::incrementAndGet)) {
      Sink serial = new Sink();
      Sink monitor = new Sink();
      CharBackend one = mux.addFront("serial");
      CharBackend two = mux.addFront("monitor");
      one.connect(serial);
      two.connect(monitor);
      host.send("ab\u0001\u0001c\u0001cinfo\u0001bx\u0001cd\u0001b\u0001q");
      serial.await("ab\u0001cd");
      monitor.await("infox");
      monitor.awaitBreaks(1);
      serial.awaitBreaks(1);
      assertThat(monitor.focus).isZero();
      write(one, "from one\n");
      write(two, "from two\n");
      assertThat(host.take()).isEqualTo("from one\nfrom two\n");
      host.send("\u0001h");
      assertThat(host.take()).contains("Ctrl-a x ");
      host.send("\u0001");
      assertThat(quits).hasValue(0);
      host.send("x");
      assertThat(quits).hasValue(1);
    }
  }

  @Test
  void aFrontThatConnectsLateLearnsWhoIsThere() throws Exception {
    CharBackend connected =
        new CharBackend() {
          @Override
          public void write(byte[] data, int offset, int length) {}

          @Override
          public boolean hasPeers() {
            return true;
          }

          @Override
          public void connect(CharReceiver receiver) {
            receiver.peerChanged(true);
          }
        };
    try (MuxChardev mux = new MuxChardev(connected, () -> {})) {
      CharBackend front = mux.addFront("port");
      AtomicInteger peers = new AtomicInteger();
      front.connect(
          new CharReceiver() {
            @Override
            public int canReceive() {
              return 0;
            }

            @Override
            public void receive(byte[] data, int offset, int length) {}

            @Override
            public void peerChanged(boolean there) {
              peers.addAndGet(there ? 1 : -1);
            }
          });
      assertThat(peers).hasValue(1);
    }
  }

  @Test
  void muxPutsTimesBeforeLinesWhenAsked() throws Exception {
    RingChardev host = RingChardev.synchronous(4096);
    try (MuxChardev mux = new MuxChardev(host, () -> {})) {
      CharBackend front = mux.addFront("serial");
      host.send("\u0001t");
      write(front, "part\none\ntwo\n");
      assertThat(host.take().replaceAll("\\d", "0"))
          .isEqualTo("part\n[00:00:00.000] one\n[00:00:00.000] two\n");
      host.send("\u0001t");
      write(front, "plain\n");
      assertThat(host.take()).isEqualTo("plain\n");
    }
  }

  @Test
  void muxKeepsALotOfInputForADeviceThatIsSlow() throws Exception {
    RingChardev host = RingChardev.of(16);
    try (MuxChardev mux = new MuxChardev(host, () -> {})) {
      Sink serial = new Sink();
      serial.room(0);
      CharBackend front = mux.addFront("serial");
      front.connect(serial);
      String text = "0123456789".repeat(10_000);
      Thread sender =
          Thread.ofVirtual().start(() -> {
            try {
              host.send(text);
            } catch (InterruptedException e) {
              Thread.currentThread().interrupt();
            }
          });
      sender.join(50);
      serial.room(Integer.MAX_VALUE);
      front.acceptInput();
      serial.await(text);
      sender.join();
    }
  }
}
