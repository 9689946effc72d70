package org.ascus.devices.net.filter;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.ascus.devices.chardev.CharBackend;
import org.ascus.devices.chardev.CharReceiver;
import org.ascus.devices.net.Frame;
import org.ascus.devices.net.NetFilter.Direction;
import org.ascus.devices.net.NetLink;
import org.ascus.devices.net.Offloads;
import org.ascus.devices.net.TestBackend;
import org.ascus.devices.net.TestCard;
import org.ascus.machine.clock.VirtualClock;
import org.ascus.machine.run.Machine;
import org.ascus.machine.trace.Log;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FiltersTest {
  /** Keeps frames that are written to it, and has a receiver for others. */
  private static final class Channel implements CharBackend {
    private final List<Frame> frames = new ArrayList<>();
    private final FrameWire wire;
    private CharReceiver receiver = CharReceiver.NOBODY;
    private boolean full;

    Channel(boolean headers) {
      wire = new FrameWire(headers, frames::add);
    }

    @Override
    public void write(byte[] data, int offset, int length) {
      assertThat(wire.decode(ByteBuffer.wrap(data, offset, length))).isTrue();
    }

    @Override
    public boolean hasRoom() {
      return !full;
    }

    @Override
    public void connect(CharReceiver other) {
      receiver = other;
    }
  }

  @TempDir
  private Path folder;

  private final Machine machine = new Machine(Log.off());
  private final long[] nanos = {0};
  private final TestBackend backend = new TestBackend(Offloads.NONE);
  private final NetLink link = new NetLink("n", backend);
  private final TestCard card = new TestCard();

  @BeforeEach
  void plug() throws Exception {
    machine.clock().useInstructionTime(() -> nanos[0]);
    link.plug(card);
  }

  @AfterEach
  void close() {
    link.close();
    machine.close();
  }

  private static List<byte[]> bytes(List<Frame> frames) {
    return frames.stream().map(Frame::bytes).toList();
  }

  private List<Frame> sentSoon(int count) throws InterruptedException {
    List<Frame> sent = new ArrayList<>();
    for (int i = 0; i < 1000 && sent.size() < count; i++) {
      sent.addAll(backend.sent());
      Thread.sleep(sent.size() < count ? 10 : 0);
    }
    return sent;
  }

  @Test
  void aDumpShowsWhatWentOverTheCable() throws Exception {
    Path file = folder.resolve("x.pcap");
    try (link) {
      link.add(new PcapDump(file, 64, Log.off()), Direction.ALL);
      link.send(TestCard.frame(0));
      backend.guest().receive(TestCard.frame(100));
      backend.setRoom(0);
      assertThat(link.send(TestCard.frame(1))).isFalse();
      link.setUp(false);
      link.send(TestCard.frame(1));
    }
    ByteBuffer dump = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
    assertThat(dump.remaining()).isEqualTo(24 + 16 + 60 + 16 + 64);
    assertThat(dump.getInt(0)).isEqualTo(0xa1b2c3d4);
    assertThat(dump.getInt(20)).isEqualTo(1);
    assertThat(dump.getInt(24 + 8)).isEqualTo(60);
    assertThat(dump.getInt(24 + 76 + 8)).isEqualTo(64);
    assertThat(dump.getInt(24 + 76 + 12)).isEqualTo(160);
  }

  @Test
  void aMirrorCopiesFramesOfItsDirection() throws Exception {
    Channel out = new Channel(true);
    link.add(new MirrorFilter(out, true), Direction.TX);
    link.send(TestCard.frame(1));
    backend.guest().receive(TestCard.frame(2));
    out.full = true;
    link.send(TestCard.frame(3));
    assertThat(bytes(out.frames)).containsExactly(TestCard.frame(1).bytes());
    assertThat(backend.sent()).hasSize(2);
    assertThat(card.count()).isEqualTo(1);
  }

  @Test
  void aRedirectorTakesFramesOffAndLetsOthersGoOn() throws Exception {
    Channel in = new Channel(false);
    Channel out = new Channel(false);
    Channel before = new Channel(false);
    Channel behind = new Channel(false);
    link.add(new MirrorFilter(behind, false), Direction.ALL);
    link.add(new RedirectorFilter(link, Direction.TX, Optional.of(in), Optional.of(out), false), Direction.TX);
    link.add(new MirrorFilter(before, false), Direction.ALL);
    assertThat(link.send(TestCard.frame(1))).isTrue();
    assertThat(backend.sent()).isEmpty();
    assertThat(bytes(out.frames)).containsExactly(TestCard.frame(1).bytes());
    assertThat(before.frames).as("nearer to the guest").hasSize(1);
    assertThat(behind.frames).isEmpty();
    backend.setRoom(0);
    byte[] frame = TestCard.frame(2).bytes();
    byte[] stream = ByteBuffer.allocate(4 + frame.length).putInt(frame.length).put(frame).array();
    in.receiver.receive(stream, 0, 10);
    in.receiver.receive(stream, 10, stream.length - 10);
    backend.setRoom(5);
    backend.guest().roomAgain();
    assertThat(bytes(sentSoon(1))).containsExactly(frame);
    assertThat(before.frames).hasSize(1);
    backend.guest().receive(TestCard.frame(3));
    assertThat(card.count()).isEqualTo(1);
  }

  @Test
  void whoComesAfterAPeerThatBrokeOffIsUnderstood() throws Exception {
    Channel in = new Channel(false);
    link.add(new RedirectorFilter(link, Direction.TX, Optional.of(in), Optional.empty(), false), Direction.TX);
    byte[] frame = TestCard.frame(2).bytes();
    byte[] stream = ByteBuffer.allocate(4 + frame.length).putInt(frame.length).put(frame).array();
    for (byte[] rubbish : new byte[][] {Arrays.copyOf(stream, 20), {-1, -1, -1, -1, 0}}) {
      in.receiver.receive(rubbish, 0, rubbish.length);
      in.receiver.peerChanged(false);
      in.receiver.peerChanged(true);
    }
    in.receiver.receive(stream, 0, stream.length);
    assertThat(bytes(sentSoon(1))).containsExactly(frame);
  }

  @Test
  void aBufferReleasesFramesTogether() throws Exception {
    VirtualClock clock = machine.clock();
    link.add(new BufferFilter(link, clock, 1000), Direction.ALL);
    nanos[0] = 300_000;
    link.send(TestCard.frame(1));
    link.send(TestCard.frame(2));
    backend.guest().receive(TestCard.frame(3));
    nanos[0] = 999_999;
    clock.runDue();
    assertThat(backend.sent()).isEmpty();
    nanos[0] = 1_000_000;
    clock.runDue();
    assertThat(bytes(sentSoon(2))).containsExactly(TestCard.frame(1).bytes(), TestCard.frame(2).bytes());
    assertThat(card.next().bytes()).isEqualTo(TestCard.frame(3).bytes());
  }

  @Test
  void junkInAStreamOfFramesEndsIt() {
    Random random = new Random(1);
    for (int i = 0; i < 2000; i++) {
      byte[] junk = new byte[random.nextInt(64)];
      random.nextBytes(junk);
      if (random.nextBoolean() && junk.length > 3) {
        junk[0] = 0;
        junk[1] = 0;
      }
      List<Frame> frames = new ArrayList<>();
      FrameWire wire = new FrameWire(random.nextBoolean(), frames::add);
      boolean ignored = wire.decode(ByteBuffer.wrap(junk));
      assertThat(frames.stream().mapToInt(Frame::length).sum()).isLessThanOrEqualTo(junk.length);
    }
    assertThat(new FrameWire(false, f -> {}).decode(ByteBuffer.allocate(4).putInt(0, -1))).isFalse();
    assertThat(new FrameWire(false, f -> {}).decode(ByteBuffer.allocate(4).putInt(0, 1 << 20))).isFalse();
  }
}
