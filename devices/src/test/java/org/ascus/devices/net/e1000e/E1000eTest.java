package org.ascus.devices.net.e1000e;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.ascus.devices.Wire;
import org.ascus.devices.net.Checksum;
import org.ascus.devices.net.Frame;
import org.ascus.devices.net.MacAddress;
import org.ascus.devices.net.NetLink;
import org.ascus.devices.net.Offload;
import org.ascus.devices.net.Offloads;
import org.ascus.devices.net.TestBackend;
import org.ascus.devices.pci.PciHost;
import org.ascus.machine.bus.BusFault;
import org.ascus.machine.bus.GuestRam;
import org.ascus.machine.bus.RamRegion;
import org.ascus.machine.device.DeviceException;
import org.ascus.machine.irq.IrqLine;
import org.ascus.machine.run.Machine;
import org.ascus.machine.state.StateReader;
import org.ascus.machine.state.StateWriter;
import org.ascus.machine.trace.Log;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The card as a driver meets it: rings in RAM, registers behind BAR 0. */
class E1000eTest {
  private static final long ECAM = 0x3000_0000L;
  private static final long FUNCTION = ECAM + (1 << 15);
  private static final long REGISTERS = 0x4000_0000L;
  private static final long VECTORS = 0x4010_0000L;
  private static final long PORTS = 0x300_0000L;
  private static final long RAM = 0x8000_0000L;
  private static final int TX_RING = 0x1000;
  private static final int RX_RING = 0x2000;
  private static final int TX_DATA = 0x1_0000;
  private static final int RX_DATA = 0x4_0000;
  private static final int RING = 8;
  private static final int BUFFER = 2048;
  private static final int RXQ0 = 1 << 20;
  private static final int TXQ0 = 1 << 22;
  private static final int OTHER = 1 << 24;
  private static final int LSC = 1 << 2;
  private static final int RXT0 = 1 << 7;
  private static final int REPORT = 8;
  private static final int END = 1;
  private static final int EXTENDED = 0x20;
  private static final int TYPE_DATA = 1 << 20;
  private static final MacAddress OWN = MacAddress.parse("52:54:00:12:34:56");

  private final Machine machine = new Machine(Log.off());
  private final GuestRam ram = new GuestRam("ram", 1 << 20);
  private final long[] nanos = {0};
  private final Wire line = new Wire();
  private final List<String> messages = new ArrayList<>();
  private Offloads offloads = Offloads.NONE;
  private TestBackend backend;
  private NetLink link;
  private E1000e card;
  private PciHost host;
  private int tail;

  @BeforeEach
  void start() throws DeviceException {
    machine.clock().useInstructionTime(() -> nanos[0]);
    machine.memory().map(RAM, new RamRegion("ram", ram, true));
    host =
        new PciHost(
            "pcie.0",
            machine.memory(),
            new PciHost.Window(PORTS, 0, 0x1_0000),
            List.of(new PciHost.Window(REGISTERS, REGISTERS, 0x4000_0000)),
            List.of(IrqLine.NONE, line, IrqLine.NONE, IrqLine.NONE),
            (address, data) -> messages.add(Long.toHexString(address) + ":" + data));
    machine.memory().map(ECAM, host.region());
    plug();
  }

  private void plug() throws DeviceException {
    backend = new TestBackend(offloads);
    link = new NetLink("net0", backend);
    card = new E1000e("nic0", machine.memory(), machine.clock(), Log.off(), link, OWN, false);
    host.childBus().plug(card, "1");
    put(FUNCTION + 0x10, 4, REGISTERS);
    put(FUNCTION + 0x18, 4, 0x1000);
    put(FUNCTION + 0x1c, 4, VECTORS);
    put(FUNCTION + 4, 2, 7);
  }

  @AfterEach
  void close() {
    machine.close();
  }

  private long get(long address, int width) {
    try {
      return machine.memory().read(address, width);
    } catch (BusFault e) {
      throw new AssertionError("0x" + Long.toHexString(address), e);
    }
  }

  private void put(long address, int width, long value) {
    try {
      machine.memory().write(address, width, value);
    } catch (BusFault e) {
      throw new AssertionError("0x" + Long.toHexString(address), e);
    }
  }

  private int read(int register) {
    return (int) get(REGISTERS + register, 4);
  }

  private void write(int register, int value) {
    put(REGISTERS + register, 4, value & 0xffff_ffffL);
  }

  /** Rings of eight, receive buffers of 2 KiB, all addresses wanted. */
  private void startRings(int rctl, int rfctl) {
    write(0x3800, (int) (RAM + TX_RING));
    write(0x3808, RING * 16);
    write(0x400, 2);
    write(0x5008, rfctl);
    write(0x2800, (int) (RAM + RX_RING));
    write(0x2808, RING * 16);
    for (int i = 0; i < RING; i++) {
      ram.put(RX_RING + 16L * i, 8, RAM + RX_DATA + (long) BUFFER * i);
    }
    write(0x100, 0x0400_8002 | rctl);
    write(0x2818, RING - 1);
  }

  private void describe(long low, long high) {
    ram.put(TX_RING + 16L * tail, 8, low);
    ram.put(TX_RING + 16L * tail + 8, 8, high);
    tail = (tail + 1) % RING;
  }

  private void data(byte[] frame, int from, int length, int command, int third) {
    ram.write(TX_DATA + from, frame, from, length & ~TYPE_DATA);
    describe(RAM + TX_DATA + from, (long) third << 32 | length | (long) command << 24);
  }

  private void kick() {
    write(0x3818, tail);
  }

  private byte[] received(int index, int length) {
    byte[] bytes = new byte[length];
    ram.read(RX_DATA + (long) BUFFER * index, bytes, 0, length);
    return bytes;
  }

  private static byte[] frame(String to, int length) {
    byte[] bytes = new byte[length];
    for (int i = 14; i < length; i++) {
      bytes[i] = (byte) (i * 7);
    }
    MacAddress.parse(to).put(bytes, 0);
    MacAddress.parse("02:00:00:00:00:01").put(bytes, 6);
    bytes[12] = (byte) 0x88;
    bytes[13] = (byte) 0xb5;
    return bytes;
  }

  /** A TCP segment over IPv4 complete, or with the sum of a pseudo header without a length in it. */
  private static byte[] tcp(int payload, boolean complete) {
    byte[] bytes = frame("02:00:00:00:00:01", 54 + payload);
    ByteBuffer b = ByteBuffer.wrap(bytes);
    b.putShort(12, (short) 0x0800).putInt(14, 0x4500_0000 | 40 + payload).putInt(18, 0x1234_4000);
    b.put(22, (byte) 64).put(23, (byte) 6).putShort(24, (short) 0).putInt(26, 0x0a00020f).putInt(30, 0x0a000202);
    b.putInt(34, 0x1000_0050).putInt(38, 1000).putInt(42, 2000).putInt(46, 0x5019_2000).putInt(50, 0);
    long pseudo = Checksum.sum(bytes, 26, 8, 6);
    if (complete) {
      Checksum.put(bytes, 24, Checksum.of(bytes, 14, 20, 0));
      Checksum.put(bytes, 50, Checksum.of(bytes, 34, 20 + payload, pseudo + 20 + payload));
    } else {
      Checksum.put(bytes, 50, Checksum.partial(pseudo));
    }
    return bytes;
  }

  /** IP from 14, TCP from 34, its checksum at 50; then what segmentation needs. */
  private void context(int command, int mss) {
    long low = 14L | 24 << 8 | 33L << 16 | 34L << 32 | 50L << 40;
    describe(low, (long) (EXTENDED | command) << 24 | (long) (54 | mss << 8) << 40);
  }

  @Test
  void driversRecogniseTheCard() {
    assertThat(get(FUNCTION, 4)).isEqualTo(0x10d3_8086L);
    assertThat(get(FUNCTION + 8, 4)).isEqualTo(0x0200_0000L);
    int sum = 0;
    byte[] address = new byte[6];
    for (int i = 0; i < 64; i++) {
      write(0x14, i << 2 | 1);
      assertThat(read(0x14) & 2).as("done").isEqualTo(2);
      int word = read(0x14) >>> 16;
      sum += word;
      if (i < 3) {
        address[2 * i] = (byte) word;
        address[2 * i + 1] = (byte) (word >> 8);
      }
    }
    assertThat(sum & 0xffff).isEqualTo(0xbaba);
    assertThat(MacAddress.of(address, 0)).isEqualTo(OWN);
    assertThat(read(0x5400)).isEqualTo(0x12005452);
    assertThat(read(0x5404)).isEqualTo(0x80005634);
    assertThat(phy(2)).isEqualTo(0x0141);
    assertThat(phy(3)).isEqualTo(0x0cb1);
    write(0x20, 2 << 26 | 2 << 21 | 2 << 16);
    assertThat(read(0x20) >>> 28).as("no other PHY").isEqualTo(5);
    put(PORTS + 0x1000, 4, 0x5400);
    assertThat(get(PORTS + 0x1004, 4)).as("by ports").isEqualTo(0x12005452);
  }

  private int phy(int register) {
    write(0x20, 2 << 26 | 1 << 21 | register << 16);
    assertThat(read(0x20) >>> 28 & 1).isEqualTo(1);
    return read(0x20) & 0xffff;
  }

  @Test
  void theCableShowsInStatusPhyAndInterrupt() {
    write(0xd0, LSC);
    assertThat(read(8) & 0xc3).isEqualTo(0x83);
    link.setUp(false);
    assertThat(read(8) & 2).isZero();
    assertThat(phy(1) & 4).isZero();
    assertThat(line.isHigh()).isTrue();
    assertThat(read(0xc0)).isEqualTo(LSC | 1 << 31);
    assertThat(line.isHigh()).isFalse();
    link.setUp(true);
    assertThat(phy(1) & 0x24).isEqualTo(0x24);
    assertThat(read(0xc0) & LSC).isEqualTo(LSC);
  }

  @Test
  void legacyDescriptorsSendAndReceive() {
    startRings(0, 0);
    byte[] sent = frame("02:00:00:00:00:01", 300);
    data(sent, 0, 100, 0, 0);
    data(sent, 100, 200, END | REPORT, 0);
    kick();
    assertThat(backend.sent()).extracting(Frame::bytes).containsExactly(sent);
    assertThat(ram.getByte(TX_RING + 12) & 1).as("not asked for").isZero();
    assertThat(ram.getByte(TX_RING + 28) & 1).isEqualTo(1);
    assertThat(read(0x3810)).isEqualTo(2);
    byte[] frame = frame(OWN.toString(), 500);
    assertThat(backend.guest().receive(new Frame(frame))).isTrue();
    assertThat(received(0, 500)).isEqualTo(frame);
    assertThat(ram.getShort(RX_RING + 8)).isEqualTo((short) 500);
    assertThat(ram.getByte(RX_RING + 12) & 3).isEqualTo(3);
    assertThat(read(0x2810)).isEqualTo(1);
    assertThat(backend.guest().receive(new Frame(frame(OWN.toString(), 42)))).isTrue();
    assertThat(ram.getShort(RX_RING + 24)).as("filled up").isEqualTo((short) 60);
    assertThat(read(0x4080)).as("frames sent").isEqualTo(1);
    assertThat(read(0x4074)).as("frames received").isEqualTo(2);
    assertThat(read(0x4074)).as("clear on read").isZero();
  }

  @Test
  void aFrameFillsAsManyBuffersAsItNeeds() {
    startRings(0x20 | 2 << 16, 1 << 15);
    byte[] frame = frame(OWN.toString(), 1300);
    assertThat(backend.guest().receive(new Frame(frame))).isTrue();
    assertThat(read(0x2810)).isEqualTo(3);
    assertThat(ram.getInt(RX_RING + 8) & 3).isEqualTo(1);
    assertThat(ram.getInt(RX_RING + 24) & 3).isEqualTo(1);
    assertThat(ram.getInt(RX_RING + 40) & 3).isEqualTo(3);
    assertThat(ram.getShort(RX_RING + 44)).isEqualTo((short) (1300 - 1024));
    assertThat(received(1, 512)).isEqualTo(Arrays.copyOfRange(frame, 512, 1024));
  }

  @Test
  void splitDescriptorsSpreadAFrameOverTheirBuffers() {
    write(0x2170, 2 | 1 << 8 | 1 << 16);
    startRings(0x400, 1 << 15);
    ram.put(RX_RING + 8, 8, RAM + RX_DATA + BUFFER);
    ram.put(RX_RING + 16, 8, RAM + RX_DATA + 2 * BUFFER);
    byte[] frame = frame(OWN.toString(), 1400);
    assertThat(backend.guest().receive(new Frame(frame))).isTrue();
    assertThat(received(0, 256)).isEqualTo(Arrays.copyOf(frame, 256));
    assertThat(received(1, 1024)).isEqualTo(Arrays.copyOfRange(frame, 256, 1280));
    assertThat(received(2, 120)).isEqualTo(Arrays.copyOfRange(frame, 1280, 1400));
    assertThat(ram.getShort(RX_RING + 12)).isEqualTo((short) 256);
    assertThat(read(0x2810)).as("in units of 16 bytes").isEqualTo(2);
    assertThat(ram.getShort(RX_RING + 18)).isEqualTo((short) 1024);
    assertThat(ram.getShort(RX_RING + 20)).isEqualTo((short) 120);
  }

  @Test
  void framesWaitWithTheSenderWhileThereAreNoBuffers() {
    startRings(0, 1 << 15);
    Frame frame = new Frame(frame(OWN.toString(), 100));
    for (int i = 0; i < RING - 1; i++) {
      assertThat(backend.guest().receive(frame)).isTrue();
    }
    assertThat(backend.guest().receive(frame)).isFalse();
    assertThat(backend.roomAgainCount()).isZero();
    write(0x2818, 0);
    assertThat(backend.roomAgainCount()).isEqualTo(1);
    assertThat(backend.guest().receive(frame)).isTrue();
  }

  @Test
  void onlyWantedFramesComeIn() {
    startRings(0, 1 << 15);
    backend.guest().receive(new Frame(frame("52:54:00:12:34:57", 100)));
    backend.guest().receive(new Frame(frame("01:00:5e:00:00:fb", 100)));
    assertThat(read(0x2810)).isZero();
    backend.guest().receive(new Frame(frame("ff:ff:ff:ff:ff:ff", 100)));
    assertThat(read(0x2810)).isEqualTo(1);
    int hash = 0xfb00 >> 4;
    write(0x5200 + 4 * (hash >> 5), 1 << (hash & 31));
    backend.guest().receive(new Frame(frame("01:00:5e:00:00:fb", 100)));
    assertThat(read(0x2810)).isEqualTo(2);
    write(0x5408, 0x12005452);
    write(0x540c, 0x80005734);
    backend.guest().receive(new Frame(frame("52:54:00:12:34:57", 100)));
    assertThat(read(0x2810)).isEqualTo(3);
    backend.guest().receive(new Frame(frame(OWN.toString(), 1519)));
    assertThat(read(0x2810)).as("too long").isEqualTo(3);
    write(0x100, 0);
    assertThat(backend.guest().receive(new Frame(frame(OWN.toString(), 100)))).as("lost").isTrue();
    assertThat(read(0x2810)).isEqualTo(3);
  }

  @Test
  void checksumsAreInserted() {
    startRings(0, 0);
    byte[] whole = tcp(101, true);
    byte[] left = tcp(101, false);
    // The sum of the pseudo header has the length in it.
    int partial = (left[50] & 0xff) << 8 | left[51] & 0xff;
    Checksum.put(left, 50, Checksum.partial((long) partial + 20 + 101));
    context(0, 0);
    data(left, 0, left.length | TYPE_DATA, EXTENDED | END | REPORT, 3 << 8);
    kick();
    assertThat(backend.sent()).extracting(Frame::bytes).containsExactly(whole);
  }

  private byte[] sendSequence(int payload) {
    byte[] left = tcp(payload, false);
    context(4 | 2 | 1, 1000);
    data(left, 0, left.length | TYPE_DATA, EXTENDED | END | REPORT | 4, 3 << 8);
    kick();
    return left;
  }

  @Test
  void segmentationIsDoneWhereTheBackEndHasNone() {
    startRings(0, 0);
    byte[] left = sendSequence(2500);
    List<Frame> sent = backend.sent();
    assertThat(sent).hasSize(3);
    for (int i = 0; i < 3; i++) {
      byte[] b = sent.get(i).bytes();
      ByteBuffer in = ByteBuffer.wrap(b);
      int payload = i < 2 ? 1000 : 500;
      assertThat(b).hasSize(54 + payload);
      assertThat(in.getShort(16)).isEqualTo((short) (40 + payload));
      assertThat(in.getShort(18)).isEqualTo((short) (0x1234 + i));
      assertThat(in.getInt(38)).isEqualTo(1000 + 1000 * i);
      assertThat(in.get(47) & 9).as("FIN and PSH").isEqualTo(i < 2 ? 0 : 9);
      assertThat(Checksum.of(b, 14, 20, 0)).isZero();
      assertThat(Checksum.of(b, 34, 20 + payload, Checksum.sum(b, 26, 8, 6 + 20 + payload))).isZero();
      byte[] expected = Arrays.copyOfRange(left, 54 + 1000 * i, 54 + 1000 * i + payload);
      assertThat(Arrays.copyOfRange(b, 54, b.length)).isEqualTo(expected);
    }
  }

  @Test
  void segmentationIsLeftToABackEndThatHasIt() throws Exception {
    offloads = Offloads.ALL;
    card.unplug();
    plug();
    startRings(0, 0);
    sendSequence(2500);
    Frame sent = backend.sent().getFirst();
    assertThat(sent.work()).isEqualTo(new Offload(34, 16, Offload.Cut.TCP4, 1000, false));
    assertThat(Checksum.of(sent.bytes(), 14, 20, 0)).isZero();
    Frame one = new Frame(sent.bytes(), new Offload(34, 16, Offload.Cut.NONE, 0, false)).finished();
    assertThat(Checksum.of(one.bytes(), 34, 2520, Checksum.sum(one.bytes(), 26, 8, 6 + 2520))).isZero();
  }

  @Test
  void aFrameThatTheBackEndHasNoRoomForSurvivesSavingAndLoading() throws Exception {
    startRings(0, 0);
    backend.setRoom(1);
    sendSequence(2500);
    byte[] second = frame("02:00:00:00:00:01", 60);
    data(second, 0, 60, END | REPORT, 0);
    kick();
    assertThat(backend.sent()).hasSize(1);
    assertThat(read(0x3810)).as("the second is the driver's").isEqualTo(2);
    StateWriter out = new StateWriter();
    out.section(card);
    write(0, 1 << 26);
    new StateReader(out.toByteArray()).section(card);
    backend.setRoom(Integer.MAX_VALUE);
    card.resumed();
    List<Frame> sent = backend.sent();
    assertThat(sent).extracting(Frame::length).containsExactly(1054, 554, 60);
    assertThat(ByteBuffer.wrap(sent.getFirst().bytes()).getInt(38)).isEqualTo(2000);
    assertThat(read(0x3810)).isEqualTo(3);
  }

  @Test
  void vlanTagsAreTakenOutAndPutIn() {
    startRings(0, 1 << 15);
    write(0, read(0) | 1 << 30);
    byte[] plain = frame(OWN.toString(), 200);
    byte[] tagged = new byte[204];
    System.arraycopy(plain, 0, tagged, 0, 12);
    ByteBuffer.wrap(tagged).putInt(12, 0x8100_0007);
    System.arraycopy(plain, 12, tagged, 16, 188);
    backend.guest().receive(new Frame(tagged));
    assertThat(received(0, 200)).isEqualTo(plain);
    assertThat(ram.getInt(RX_RING + 8) & 0xb).isEqualTo(0xb);
    assertThat(ram.getShort(RX_RING + 14)).isEqualTo((short) 7);
    data(plain, 0, 200, END | 0x40, 7 << 16);
    kick();
    assertThat(backend.sent().getFirst().bytes()).isEqualTo(tagged);
    write(0x100, read(0x100) | 1 << 18);
    backend.guest().receive(new Frame(tagged));
    assertThat(read(0x2810)).as("filtered").isEqualTo(1);
    write(0x5600, 1 << 7);
    backend.guest().receive(new Frame(tagged));
    assertThat(read(0x2810)).isEqualTo(2);
  }

  @Test
  void checksumsOfReceivedFramesAreChecked() {
    startRings(0, 1 << 15);
    byte[] good = tcp(100, true);
    OWN.put(good, 0);
    byte[] bad = good.clone();
    bad[100]++;
    byte[] badHeader = good.clone();
    badHeader[22]++;
    backend.guest().receive(new Frame(good));
    backend.guest().receive(new Frame(bad));
    backend.guest().receive(new Frame(badHeader));
    backend.guest().receive(new Frame(frame(OWN.toString(), 100)));
    write(0x5000, 0);
    backend.guest().receive(new Frame(good));
    int[] status = {0x63, 0x2000_0063, 0x4000_0063, 3, 7};
    for (int i = 0; i < status.length; i++) {
      assertThat(ram.getInt(RX_RING + 16L * i + 8)).as("frame " + i).isEqualTo(status[i]);
    }
  }

  @Test
  void theLineIsHighUntilCausesAreReadAndReadingMasksWhatTheDriverAsked() {
    startRings(0, 1 << 15);
    write(0x18, 1 << 27);
    write(0xe0, -1);
    write(0xd0, RXT0);
    backend.guest().receive(new Frame(frame(OWN.toString(), 100)));
    assertThat(line.isHigh()).isTrue();
    assertThat(read(0xc0)).isEqualTo(RXT0 | 1 << 31);
    assertThat(line.isHigh()).isFalse();
    assertThat(read(0xd0)).isZero();
    backend.guest().receive(new Frame(frame(OWN.toString(), 100)));
    assertThat(line.isHigh()).isFalse();
    write(0xd0, RXT0);
    assertThat(line.isHigh()).isTrue();
  }

  @Test
  void throttledInterruptsWaitForTheirTime() {
    startRings(0, 1 << 15);
    write(0xc4, 1000);
    write(0xd0, RXT0);
    backend.guest().receive(new Frame(frame(OWN.toString(), 100)));
    assertThat(line.rises()).isEqualTo(1);
    assertThat(read(0xc0) & RXT0).isEqualTo(RXT0);
    backend.guest().receive(new Frame(frame(OWN.toString(), 100)));
    assertThat(line.isHigh()).isFalse();
    nanos[0] = 1000 * 256;
    machine.clock().runDue();
    assertThat(line.isHigh()).isTrue();
  }

  private void enableVectors() {
    int at = (int) get(FUNCTION + 0x34, 1);
    while ((get(FUNCTION + at, 1) & 0xff) != 0x11) {
      at = (int) get(FUNCTION + at + 1, 1);
    }
    for (int i = 0; i < 3; i++) {
      put(VECTORS + 16 * i, 8, 0x2800_0000L);
      put(VECTORS + 16 * i + 8, 4, 40 + i);
      put(VECTORS + 16 * i + 12, 4, 0);
    }
    put(FUNCTION + at + 2, 2, 0x8000);
    write(0xe4, 0x8000_0000 | 0xa << 16 | 0x9 << 8 | 0x8);
  }

  @Test
  void eachQueueHasItsVectorAndClearsItself() {
    startRings(0, 1 << 15);
    enableVectors();
    write(0x18, 1 << 24);
    write(0xe0, -1);
    write(0xdc, RXQ0 | TXQ0);
    write(0xd0, RXQ0 | TXQ0 | OTHER | LSC);
    backend.guest().receive(new Frame(frame(OWN.toString(), 100)));
    assertThat(messages).containsExactly("28000000:40");
    assertThat(read(0xd0) & RXQ0).as("masked by itself").isZero();
    backend.guest().receive(new Frame(frame(OWN.toString(), 100)));
    assertThat(messages).hasSize(1);
    write(0xd0, RXQ0);
    assertThat(messages).hasSize(2);
    data(frame("02:00:00:00:00:01", 60), 0, 60, END | REPORT, 0);
    kick();
    assertThat(messages.getLast()).isEqualTo("28000000:41");
    link.setUp(false);
    assertThat(messages.getLast()).isEqualTo("28000000:42");
    assertThat(read(0xc0) & (LSC | OTHER | RXQ0 | TXQ0)).isEqualTo(LSC | OTHER);
    assertThat(line.rises()).isZero();
  }

  @Test
  void aMessageTakesTheLinesPlace() {
    int at = (int) get(FUNCTION + 0x34, 1);
    while ((get(FUNCTION + at, 1) & 0xff) != 0x05) {
      at = (int) get(FUNCTION + at + 1, 1);
    }
    put(FUNCTION + at + 4, 4, 0x2800_0000L);
    put(FUNCTION + at + 12, 2, 77);
    put(FUNCTION + at + 2, 2, 1);
    write(0xd0, LSC);
    write(0xc8, LSC);
    assertThat(messages).containsExactly("28000000:77");
    assertThat(line.rises()).isZero();
  }

  @Test
  void resetByTheDriverForgetsAllButConfigurationSpace() {
    startRings(0, 1 << 15);
    write(0x5400, 0);
    write(0, 1 << 26);
    assertThat(read(0x2800)).isZero();
    assertThat(read(0x5400)).isEqualTo(0x12005452);
    assertThat(get(FUNCTION + 0x10, 4)).isEqualTo(REGISTERS);
  }
}
