package org.ascus.devices.virtio.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.ascus.devices.net.Checksum;
import org.ascus.devices.net.Frame;
import org.ascus.devices.net.MacAddress;
import org.ascus.devices.net.NetLink;
import org.ascus.devices.net.Offload;
import org.ascus.devices.net.Offloads;
import org.ascus.devices.net.TestBackend;
import org.ascus.devices.virtio.GuestDriver;
import org.ascus.devices.virtio.VirtioContract;
import org.ascus.devices.virtio.VirtioDevice;
import org.ascus.devices.virtio.VirtioHost;
import org.ascus.devices.virtio.VirtioStatus;
import org.ascus.machine.device.DeviceException;
import org.ascus.machine.state.StateReader;
import org.ascus.machine.state.StateWriter;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class VirtioNetTest extends VirtioContract {
  private static final MacAddress OWN = MacAddress.parse("52:54:00:12:34:56");
  private static final long CSUM = 1;
  private static final long GUEST_CSUM = 1L << 1;
  private static final long GUEST_TSO4 = 1L << 7;
  private static final long HOST_TSO4 = 1L << 11;
  private static final long MERGEABLE = 1L << 15;
  private static final long STATUS = 1L << 16;
  private static final long CONTROL = 1L << 17 | 1L << 18 | 1L << 19 | 1L << 20 | 1L << 23;
  private static final long MQ = 1L << 22;

  private TestBackend backend;
  private NetLink link;
  private Offloads offloads = Offloads.ALL;
  private NetOptions options = NetOptions.of(OWN);

  @Override
  protected VirtioDevice device(VirtioHost host) throws Exception {
    backend = new TestBackend(offloads);
    link = new NetLink("net0", backend);
    return new VirtioNet("nic0", host, link, options);
  }

  @Override
  protected int workQueue() {
    return 1;
  }

  @Override
  protected boolean writesWorkQueue() {
    return false;
  }

  private GuestDriver.Queue rx;
  private GuestDriver.Queue tx;
  private GuestDriver.Queue control;

  private GuestDriver start(boolean legacy, long features) throws Exception {
    GuestDriver d = driver(legacy);
    d.start(features);
    rx = d.queue(0, 16);
    tx = d.queue(1, 16);
    if ((features & CONTROL) != 0) {
      control = d.queue(2, 16);
    }
    d.ready();
    return d;
  }

  private static byte[] frame(MacAddress to, int length) {
    byte[] frame = new byte[length];
    new Random(length).nextBytes(frame);
    to.put(frame, 0);
    frame[12] = 8;
    frame[13] = 0;
    return frame;
  }

  private static byte[] header(int size, int flags, int gso, int segment, int start, int field) {
    ByteBuffer header = ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    header.put((byte) flags).put((byte) gso).putShort((short) 0).putShort((short) segment);
    return header.putShort((short) start).putShort((short) field).array();
  }

  private void send(GuestDriver d, byte[] header, byte[] frame) {
    tx.add(d.out(d.bytes(header), header.length), d.out(d.bytes(frame), frame.length));
    tx.kick();
  }

  private boolean deliver(byte[] frame) {
    return backend.guest().receive(new Frame(frame));
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void framesGoOutAsTheyAre(boolean legacy) throws Exception {
    GuestDriver d = start(legacy, 0);
    byte[] frame = frame(MacAddress.BROADCAST, 99);
    send(d, new byte[legacy ? 10 : 12], frame);
    assertThat(tx.await(1)).containsExactly(0L);
    assertThat(d.irq()).isTrue();
    assertThat(backend.sent()).singleElement().satisfies(f -> {
      assertThat(f.bytes()).isEqualTo(frame);
      assertThat(f.work()).isEqualTo(Offload.NONE);
    });
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void framesComeInBehindAHeader(boolean legacy) throws Exception {
    GuestDriver d = start(legacy, 0);
    int header = legacy ? 10 : 12;
    long a = d.alloc(50);
    long b = d.alloc(2000);
    rx.add(d.in(a, 50), d.in(b, 2000));
    byte[] frame = frame(OWN, 1514);
    assertThat(deliver(frame)).isTrue();
    assertThat(rx.await(1)).containsExactly(1514L + header);
    assertThat(d.irq()).isTrue();
    assertThat(d.bytesAt(a + header, 50 - header)).isEqualTo(Arrays.copyOf(frame, 50 - header));
    assertThat(d.bytesAt(b, 1514 - 50 + header)).isEqualTo(Arrays.copyOfRange(frame, 50 - header, 1514));
  }

  @Test
  void aFrameFillsAsManyBuffersAsItNeeds() throws Exception {
    GuestDriver d = start(false, MERGEABLE);
    long buffers = d.alloc(3 * 1000);
    for (int i = 0; i < 3; i++) {
      rx.add(d.in(buffers + 1000L * i, 1000));
    }
    byte[] frame = frame(OWN, 2500);
    assertThat(deliver(frame)).isTrue();
    assertThat(rx.await(3)).containsExactly(1000L, 1000L, 512L);
    assertThat(d.get(buffers + 10, 2)).isEqualTo(3);
    assertThat(d.bytesAt(buffers + 12, 2500)).isEqualTo(frame);
  }

  @Test
  void withoutRoomAFrameWaitsAndTheBackEndIsToldWhenThereIsSome() throws Exception {
    GuestDriver d = start(false, MERGEABLE);
    long buffer = d.alloc(4000);
    rx.add(d.in(buffer, 1000));
    assertThat(deliver(frame(OWN, 1500))).isFalse();
    assertThat(rx.usedIndex()).isZero();
    int before = backend.roomAgainCount();
    rx.add(d.in(buffer + 1000, 1000));
    rx.kick();
    assertThat(backend.roomAgainCount()).isEqualTo(before + 1);
    assertThat(deliver(frame(OWN, 1500))).isTrue();
    assertThat(rx.await(2)).containsExactly(1000L, 512L);
  }

  @Test
  void aFrameThatNoBufferCanHoldIsDropped() throws Exception {
    GuestDriver d = start(false, 0);
    rx.add(d.in(d.alloc(200), 200));
    assertThat(deliver(frame(OWN, 1000))).isTrue();
    assertThat(rx.usedIndex()).isZero();
    assertThat(deliver(frame(OWN, 100))).isTrue();
    assertThat(rx.await(1)).containsExactly(112L);
  }

  @Test
  void aFrameWaitsUntilTheDriverIsUp() throws Exception {
    GuestDriver d = driver(false);
    assertThat(deliver(frame(OWN, 100))).isFalse();
    d.start(0);
    assertThat(deliver(frame(OWN, 100))).isFalse();
    rx = d.queue(0, 16);
    rx.add(d.in(d.alloc(200), 200));
    d.ready();
    assertThat(backend.roomAgainCount()).isPositive();
    assertThat(deliver(frame(OWN, 100))).isTrue();
  }

  @Test
  void whatTheBackEndHasNoRoomForStaysInTheQueue() throws Exception {
    GuestDriver d = start(false, 0);
    backend.setRoom(1);
    byte[] header = new byte[12];
    for (int length = 60; length < 63; length++) {
      byte[] frame = frame(OWN, length);
      tx.add(d.out(d.bytes(header), 12), d.out(d.bytes(frame), length));
    }
    tx.kick();
    assertThat(tx.await(1)).hasSize(1);
    assertThat(tx.usedIndex()).isEqualTo(1);
    backend.setRoom(Integer.MAX_VALUE);
    backend.guest().roomAgain();
    assertThat(tx.await(2)).hasSize(2);
    assertThat(backend.sent()).extracting(Frame::length).containsExactly(60, 61, 62);
  }

  @Test
  void aChecksumIsLeftToABackEndThatCanAndComputedForOneThatCannot() throws Exception {
    GuestDriver d = start(false, CSUM | HOST_TSO4);
    byte[] frame = frame(OWN, 80);
    send(d, header(12, 1, 1, 1000, 34, 16), frame);
    assertThat(backend.sent()).singleElement().satisfies(f -> {
      assertThat(f.bytes()).isEqualTo(frame);
      assertThat(f.work()).isEqualTo(new Offload(34, 16, Offload.Cut.TCP4, 1000, false));
    });

    offloads = Offloads.NONE;
    d = start(false, 0);
    assertThat(d.offered() & (CSUM | GUEST_CSUM | HOST_TSO4 | GUEST_TSO4)).isZero();
    send(d, header(12, 1, 0, 0, 34, 16), frame);
    Frame sent = backend.sent().getFirst();
    assertThat(sent.work()).isEqualTo(Offload.NONE);
    byte[] expected = frame.clone();
    Checksum.put(expected, 50, Checksum.of(frame, 34, 46, 0));
    assertThat(sent.bytes()).isEqualTo(expected);
    send(d, header(12, 1, 1, 1000, 34, 16), frame);
    assertThat(backend.sent()).isEmpty();
    assertThat(d.log()).contains("segmentation");
  }

  @Test
  void aLargeFrameReachesOnlyADriverThatTakesIt() throws Exception {
    GuestDriver d = start(false, MERGEABLE | GUEST_CSUM | GUEST_TSO4);
    assertThat(backend.guest().offloads()).isEqualTo(new Offloads(true, true, false));
    long buffer = d.alloc(4000);
    rx.add(d.in(buffer, 4000));
    byte[] bytes = frame(OWN, 3000);
    bytes[14] = 0x45;
    bytes[46] = 0x50;
    Frame frame = new Frame(bytes, new Offload(34, 16, Offload.Cut.TCP4, 1460, true));
    assertThat(backend.guest().receive(frame)).isTrue();
    assertThat(rx.await(1)).containsExactly(3012L);
    assertThat(d.bytesAt(buffer, 12)).containsExactly(1, 1, 54, 0, 0xb4, 5, 34, 0, 16, 0, 1, 0);

    d = start(false, MERGEABLE);
    rx.add(d.in(d.alloc(4000), 4000));
    assertThat(backend.guest().receive(frame)).isTrue();
    assertThat(rx.usedIndex()).isZero();
  }

  @Test
  void junkHeadersAndFramesAreDroppedAndTheDeviceGoesOn() throws Exception {
    Random random = new Random(1);
    GuestDriver d = start(false, CSUM | HOST_TSO4);
    for (int i = 0; i < 2000; i++) {
      d.freeAll();
      d.alloc(8192);
      byte[] header = new byte[12];
      random.nextBytes(header);
      if (random.nextBoolean()) {
        header[1] = (byte) (random.nextInt(6) | random.nextInt(2) << 7);
        header[7] = 0;
      }
      byte[] frame = new byte[random.nextInt(200) + 1];
      random.nextBytes(frame);
      send(d, header, frame);
      tx.await(1);
      for (Frame f : backend.sent()) {
        assertThat(f.length()).isEqualTo(frame.length);
        assertThat(f.finished().work().needsChecksum()).isFalse();
        assertThat(NetHeader.make(f, 12, 1, GUEST_CSUM)).hasSize(12);
      }
    }
    assertThat(d.read(0x70) & VirtioStatus.NEEDS_RESET).isZero();
  }

  private boolean command(GuestDriver d, int kind, int command, byte[] data) {
    long answer = d.alloc(1);
    d.put(answer, 1, 0xff);
    control.add(d.out(d.bytes(new byte[] {(byte) kind, (byte) command}), 2), d.out(d.bytes(data), data.length),
        d.in(answer, 1));
    control.kick();
    assertThat(control.await(1)).containsExactly(1L);
    return d.get(answer, 1) == 0;
  }

  private boolean passes(GuestDriver d, MacAddress to) {
    rx.add(d.in(d.alloc(200), 200));
    int before = rx.usedIndex();
    assertThat(deliver(frame(to, 100))).isTrue();
    return rx.usedIndex() != before;
  }

  @Test
  void theDriverChoosesWhatItReceives() throws Exception {
    GuestDriver d = start(false, CONTROL);
    MacAddress other = MacAddress.parse("52:54:00:00:00:01");
    MacAddress group = MacAddress.parse("33:33:00:00:00:01");
    assertThat(passes(d, other)).isTrue();
    assertThat(command(d, 0, 0, new byte[] {0})).isTrue();
    assertThat(passes(d, other)).isFalse();
    assertThat(passes(d, group)).isFalse();
    assertThat(passes(d, OWN)).isTrue();
    assertThat(passes(d, MacAddress.BROADCAST)).isTrue();
    byte[] table = new byte[20];
    table[0] = 1;
    other.put(table, 4);
    table[10] = 1;
    group.put(table, 14);
    assertThat(command(d, 1, 0, table)).isTrue();
    assertThat(passes(d, other)).isTrue();
    assertThat(passes(d, group)).isTrue();
    assertThat(command(d, 0, 5, new byte[] {1})).isTrue();
    assertThat(passes(d, MacAddress.BROADCAST)).isFalse();
    byte[] changed = new byte[6];
    MacAddress.parse("52:54:00:00:00:02").put(changed, 0);
    assertThat(command(d, 1, 1, changed)).isTrue();
    assertThat(passes(d, OWN)).isFalse();
    assertThat(d.get(GuestDriver.SLOT + 0x105, 1)).isEqualTo(2);
  }

  @Test
  void framesOfVlansThatNobodyNamedAreDropped() throws Exception {
    GuestDriver d = start(false, CONTROL);
    command(d, 0, 0, new byte[] {0});
    byte[] frame = frame(OWN, 100);
    frame[12] = (byte) 0x81;
    frame[14] = 0;
    frame[15] = 7;
    rx.add(d.in(d.alloc(200), 200));
    deliver(frame);
    assertThat(rx.usedIndex()).isZero();
    assertThat(command(d, 2, 0, new byte[] {7, 0})).isTrue();
    deliver(frame);
    assertThat(rx.usedIndex()).isEqualTo(1);
    assertThat(command(d, 2, 0, new byte[] {0, 16})).isFalse();
  }

  @Test
  void wrongCommandsAreRefused() throws Exception {
    GuestDriver d = start(false, CONTROL);
    assertThat(command(d, 0, 6, new byte[] {0})).isFalse();
    assertThat(command(d, 9, 0, new byte[] {0})).isFalse();
    assertThat(command(d, 1, 0, new byte[] {-1, -1, -1, -1})).isFalse();
    assertThat(command(d, 1, 0, new byte[] {1, 0, 0, 0, 1, 1, 1, 1, 1, 1})).isFalse();
    assertThat(command(d, 1, 1, new byte[5])).isFalse();
    assertThat(command(d, 4, 0, new byte[] {1, 0})).isFalse();
    assertThat(command(d, 5, 0, new byte[8])).isFalse();
    Random random = new Random(3);
    for (int i = 0; i < 500; i++) {
      d.freeAll();
      d.alloc(8192);
      byte[] data = new byte[1 + random.nextInt(30)];
      random.nextBytes(data);
      command(d, random.nextInt(7), random.nextInt(7), data);
    }
    assertThat(d.read(0x70) & VirtioStatus.NEEDS_RESET).isZero();
  }

  @Test
  void aPulledCableShowsAndLosesFrames() throws Exception {
    GuestDriver d = start(false, STATUS);
    assertThat(d.get(GuestDriver.SLOT + 0x106, 2)).isEqualTo(1);
    link.setUp(false);
    assertThat(d.read(0x60) & 2).isNotZero();
    assertThat(d.get(GuestDriver.SLOT + 0x106, 2)).isZero();
    send(d, new byte[12], frame(OWN, 60));
    assertThat(tx.await(1)).hasSize(1);
    assertThat(backend.sent()).isEmpty();
    rx.add(d.in(d.alloc(200), 200));
    assertThat(deliver(frame(OWN, 60))).isTrue();
    assertThat(rx.usedIndex()).isZero();
    link.setUp(true);
    assertThat(d.get(GuestDriver.SLOT + 0x106, 2)).isEqualTo(1);
  }

  @Test
  void flowsSpreadOverThePairsThatTheDriverUses() throws Exception {
    options = new NetOptions(OWN, 2, 256, 256, 1400, NetOptions.Link.UNKNOWN, NetFeature.all());
    GuestDriver d = driver(false);
    d.start(CONTROL | MQ);
    rx = d.queue(0, 16);
    GuestDriver.Queue second = d.queue(2, 16);
    control = d.queue(4, 16);
    d.ready();
    assertThat(d.get(GuestDriver.SLOT + 0x108, 2)).isEqualTo(2);
    assertThat(d.get(GuestDriver.SLOT + 0x10a, 2)).isEqualTo(1400);
    assertThat(command(d, 4, 0, new byte[] {3, 0})).isFalse();
    assertThat(command(d, 4, 0, new byte[] {2, 0})).isTrue();
    for (int i = 0; i < 8; i++) {
      rx.add(d.in(d.alloc(200), 200));
      second.add(d.in(d.alloc(200), 200));
    }
    for (int i = 0; i < 8; i++) {
      byte[] frame = new byte[60];
      OWN.put(frame, 0);
      frame[12] = 8;
      frame[14] = 0x45;
      frame[23] = 6;
      frame[35] = (byte) i;
      assertThat(deliver(frame)).isTrue();
    }
    assertThat(rx.usedIndex()).isEqualTo(4);
    assertThat(second.usedIndex()).isEqualTo(4);
  }

  @Test
  void theDriversChoicesAreSaved() throws Exception {
    GuestDriver d = start(false, CONTROL);
    command(d, 0, 0, new byte[] {0});
    command(d, 2, 0, new byte[] {7, 0});
    StateWriter out = new StateWriter();
    out.section(d.device);
    byte[] state = out.toByteArray();
    GuestDriver other = new GuestDriver(false, this::device);
    new StateReader(state).section(other.device);
    StateWriter again = new StateWriter();
    again.section(other.device);
    assertThat(again.toByteArray()).isEqualTo(state);
    other.close();
  }

  @Test
  void aCardThatIsTakenOutLeavesItsCableToAnother() throws Exception {
    GuestDriver d = start(false, 0);
    assertThat(link.inUse()).isTrue();
    d.device.close();
    assertThat(link.inUse()).isFalse();
    assertThat(deliver(frame(OWN, 60))).isTrue();
    link.plug(new TestBackend(Offloads.NONE));
  }

  @Test
  void wrongPropertiesAreNamed() throws Exception {
    for (String property : List.of("rx_queue_size", "tx_queue_size", "queues", "host_mtu")) {
      NetOptions wrong =
          new NetOptions(OWN, property.equals("queues") ? 0 : 1, property.startsWith("rx") ? 100 : 256,
              property.startsWith("tx") ? 2048 : 256, property.equals("host_mtu") ? 10 : 0,
              NetOptions.Link.UNKNOWN, NetFeature.all());
      assertThatThrownBy(wrong::check).isInstanceOf(DeviceException.class).hasMessageContaining(property);
    }
    assertThatThrownBy(() -> NetOptions.of(MacAddress.BROADCAST).check()).hasMessageContaining("mac");
    NetLink used = new NetLink("net0", new TestBackend(Offloads.NONE));
    used.plug(new TestBackend(Offloads.NONE));
    assertThatThrownBy(() -> used.plug(new TestBackend(Offloads.NONE))).hasMessageContaining("'net0'");
  }

  /** Device and driver bits without what all virtio devices have. */
  private static long own(GuestDriver d) {
    return d.device.offeredFeatures() & (1L << 63 | (1L << 24) - 1);
  }

  @ParameterizedTest
  @EnumSource(NetFeature.class)
  void aPropertyThatIsOffTakesItsFeatureAway(NetFeature feature) throws Exception {
    Set<NetFeature> left = NetFeature.all();
    left.remove(feature);
    options = new NetOptions(OWN, 1, 256, 256, 0, NetOptions.Link.UNKNOWN, left);
    for (boolean legacy : new boolean[] {false, true}) {
      GuestDriver d = driver(legacy);
      options = NetOptions.of(OWN);
      long all = own(driver(legacy));
      options = new NetOptions(OWN, 1, 256, 256, 0, NetOptions.Link.UNKNOWN, left);
      long gone = all & ~own(d);
      assertThat(own(d) & feature.mask()).isZero();
      boolean never = feature == NetFeature.GUEST_UFO || feature == NetFeature.HOST_UFO
          || feature == NetFeature.GSO && !legacy;
      assertThat(gone & feature.mask()).isEqualTo(never ? 0 : feature.mask());
      long also =
          switch (feature) {
            case CSUM -> 1L << 6 | 1L << 11 | 1L << 12 | 1L << 13;
            case GUEST_CSUM -> 1L << 2 | 1L << 7 | 1L << 8 | 1L << 9;
            case HOST_TSO4, HOST_TSO6, HOST_ECN -> 1L << 6;
            case CTRL_VQ -> 1L << 2 | 1L << 18 | 1L << 19 | 1L << 20 | 1L << 21 | 1L << 23;
            default -> 0;
          };
      assertThat(gone & ~feature.mask() & ~also).as("taken away besides").isZero();
    }
  }

  @Test
  void speedAndDuplexAreToldOnlyWhenTheyAreKnown() throws Exception {
    assertThat(own(driver(false)) & 1L << 63).isZero();
    options = new NetOptions(OWN, 1, 256, 256, 0, new NetOptions.Link(2500, "full"), NetFeature.all());
    GuestDriver d = start(false, 0);
    assertThat(own(d) & 1L << 63).isNotZero();
    assertThat(d.get(GuestDriver.SLOT + 0x10c, 4)).isEqualTo(2500);
    assertThat(d.get(GuestDriver.SLOT + 0x110, 1)).isEqualTo(1);
    options = new NetOptions(OWN, 1, 256, 256, 0, new NetOptions.Link(-1, "half"), NetFeature.all());
    d = start(false, 0);
    assertThat(d.get(GuestDriver.SLOT + 0x10c, 4)).isEqualTo(0xffffffffL);
    assertThat(d.get(GuestDriver.SLOT + 0x110, 1)).isZero();
    for (NetOptions.Link wrong : List.of(new NetOptions.Link(1, "both"), new NetOptions.Link(-2, ""))) {
      NetOptions impossible = new NetOptions(OWN, 1, 256, 256, 0, wrong, NetFeature.all());
      assertThatThrownBy(impossible::check).hasMessageContaining(wrong.speed() < 0 ? "'speed'" : "'duplex'");
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void marksOfCongestionAreToldToADriverThatAsksForThem(boolean asks) throws Exception {
    GuestDriver d = start(false, GUEST_CSUM | GUEST_TSO4 | (asks ? NetFeature.GUEST_ECN.mask() : 0));
    byte[] frame = frame(OWN, 3000);
    frame[14] = 0x45;
    frame[46] = 0x50;
    frame[47] = (byte) 0x90;
    long buffer = d.alloc(4000);
    rx.add(d.in(buffer, 4000));
    assertThat(backend.guest().receive(new Frame(frame, new Offload(34, 16, Offload.Cut.TCP4, 1460, false)))).isTrue();
    rx.await(1);
    assertThat(d.bytesAt(buffer, 2)[1] & 0xff).isEqualTo(asks ? 0x81 : 1);
  }
}
