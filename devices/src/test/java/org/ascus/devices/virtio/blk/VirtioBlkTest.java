package org.ascus.devices.virtio.blk;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import org.ascus.devices.block.BlockSizes;
import org.ascus.devices.block.ErrorPolicy;
import org.ascus.devices.block.ErrorPolicy.Action;
import org.ascus.devices.block.IoThread;
import org.ascus.devices.block.MemoryNode;
import org.ascus.devices.virtio.GuestDriver;
import org.ascus.devices.virtio.VirtioContract;
import org.ascus.devices.virtio.VirtioDevice;
import org.ascus.devices.virtio.VirtioFeatures;
import org.ascus.devices.virtio.VirtioHost;
import org.ascus.devices.virtio.VirtioStatus;
import org.ascus.machine.run.RunState;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class VirtioBlkTest extends VirtioContract {
  private static final int SIZE = 4 << 20;
  private static final long FLUSH = 1L << 9;
  private static final long CONFIG_WCE = 1L << 11;

  private final MemoryNode node = new MemoryNode(SIZE);
  private ErrorPolicy errors = ErrorPolicy.DEFAULT;

  @Override
  protected VirtioDevice device(VirtioHost host) throws Exception {
    BlockSizes sizes = new BlockSizes(512, 4096, 4096, 65536, 8192);
    BlkOptions options = new BlkOptions("SER-1", sizes, 1, 256, true, true, true, errors);
    return new VirtioBlk("disk0", host, node, options, new IoThread("test", 4));
  }

  @Override
  protected int workQueue() {
    return 0;
  }

  @Override
  protected boolean writesWorkQueue() {
    return false;
  }

  private static byte[] header(int type, long sector) {
    return ByteBuffer.allocate(16).order(ByteOrder.LITTLE_ENDIAN).putInt(type).putInt(0).putLong(sector).array();
  }

  /** A request with data at {@code data}; returns the address of its status byte, which is 0xff until it is done. */
  private static long request(
      GuestDriver d, GuestDriver.Queue q, int type, long sector, long data, int length, boolean indirect) {
    long head = d.bytes(header(type, sector));
    long status = d.bytes(new byte[] {(byte) 0xff});
    boolean in = type == BlkRequest.IN || type == BlkRequest.GET_ID;
    GuestDriver.Part[] parts =
        length == 0
            ? new GuestDriver.Part[] {d.out(head, 16), d.in(status, 1)}
            : new GuestDriver.Part[] {d.out(head, 16), new GuestDriver.Part(data, length, in), d.in(status, 1)};
    if (indirect) {
      q.addIndirect(parts);
    } else {
      q.add(parts);
    }
    return status;
  }

  private static byte[] random(int seed, int length) {
    byte[] bytes = new byte[length];
    new Random(seed).nextBytes(bytes);
    return bytes;
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void whatIsWrittenIsReadBack(boolean legacy) throws Exception {
    GuestDriver d = driver(legacy);
    for (boolean indirect : new boolean[] {false, true}) {
      d.start(FLUSH | CONFIG_WCE | VirtioFeatures.EVENT_IDX | VirtioFeatures.INDIRECT_DESC);
      GuestDriver.Queue q = d.queue(0, 16);
      d.ready();
      byte[] content = random(1, 8192);
      long written = request(d, q, BlkRequest.OUT, 5, d.bytes(content), content.length, indirect);
      q.kick();
      assertThat(q.await(1)).containsExactly(1L);
      assertThat(d.get(written, 1)).isZero();
      assertThat(Arrays.copyOfRange(node.bytes, 5 * 512, 5 * 512 + 8192)).isEqualTo(content);
      assertThat(d.irq()).isTrue();
      assertThat(d.read(0x60)).isEqualTo(1);
      d.write(0x64, 1);
      assertThat(d.irq()).isFalse();

      long target = d.alloc(8192);
      long read = request(d, q, BlkRequest.IN, 5, target, 8192, indirect);
      q.kick();
      assertThat(q.await(1)).containsExactly(8193L);
      assertThat(d.get(read, 1)).isZero();
      assertThat(d.bytesAt(target, 8192)).isEqualTo(content);
    }
  }

  @Test
  void manyRequestsInOneGoComeBackOnceEachAndInOrder() throws Exception {
    GuestDriver d = driver(false);
    d.start(VirtioFeatures.EVENT_IDX | VirtioFeatures.INDIRECT_DESC | FLUSH | CONFIG_WCE);
    GuestDriver.Queue q = d.queue(0, 64);
    d.ready();
    byte[] content = random(2, 64 * 1024);
    for (int i = 0; i < 64; i++) {
      long data = d.bytes(Arrays.copyOfRange(content, i * 1024, i * 1024 + 1024));
      request(d, q, BlkRequest.OUT, 2L * i, data, 1024, true);
    }
    q.kick();
    assertThat(q.await(64)).containsOnly(1L);
    assertThat(Arrays.copyOf(node.bytes, content.length)).isEqualTo(content);
    assertThat(node.requests.get()).as("contiguous writes are joined").isLessThan(8);
  }

  /** A driver that keeps to the event indices: it kicks only when asked to and sleeps until an interrupt. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void noNotificationOrInterruptIsLost(boolean eventIndex) throws Exception {
    GuestDriver d = driver(true);
    d.start(FLUSH | CONFIG_WCE | (eventIndex ? VirtioFeatures.EVENT_IDX : 0));
    GuestDriver.Queue q = d.queue(0, 64);
    d.ready();
    long data = d.alloc(512);
    long head = d.bytes(header(BlkRequest.IN, 0));
    long status = d.alloc(1);
    Random random = new Random(5);
    int kicks = 0;
    int done = 0;
    for (int round = 0; round < 3000; round++) {
      int batch = 1 + random.nextInt(4);
      for (int i = 0; i < batch; i++) {
        int old = done + i;
        q.add(d.out(head, 16), d.in(data, 512), d.in(status, 1));
        VarHandle.fullFence();
        boolean wanted =
            eventIndex ? (short) d.get(q.used + 4 + 8L * 64, 2) == (short) old : (d.get(q.used, 2) & 1) == 0;
        if (wanted) {
          q.kick();
          kicks++;
        }
      }
      done += batch;
      long deadline = System.nanoTime() + 10_000_000_000L;
      for (int seen = q.usedIndex(); seen != (done & 0xffff); seen = q.usedIndex()) {
        d.put(q.avail + 4 + 2L * 64, 2, seen);
        VarHandle.fullFence();
        // An event index that the device has passed already asks for nothing.
        if (q.usedIndex() == seen) {
          while (!d.irq()) {
            assertThat(System.nanoTime()).as("interrupt in round %s", round).isLessThan(deadline);
            Thread.onSpinWait();
          }
        }
        d.write(0x64, 1);
      }
    }
    assertThat(kicks).isLessThanOrEqualTo(done);
    assertThat(node.requests.get()).isPositive();
  }

  @Test
  void longRequestsGoThroughInPieces() throws Exception {
    GuestDriver d = driver(false);
    d.start(FLUSH | CONFIG_WCE);
    GuestDriver.Queue q = d.queue(0, 16);
    d.ready();
    byte[] content = random(3, 3 << 20);
    long data = d.bytes(content);
    long status = request(d, q, BlkRequest.OUT, 1, data, content.length, false);
    q.kick();
    q.await(1);
    assertThat(d.get(status, 1)).isZero();
    long target = d.alloc(content.length);
    request(d, q, BlkRequest.IN, 1, target, content.length, false);
    q.kick();
    q.await(1);
    assertThat(d.bytesAt(target, content.length)).isEqualTo(content);
  }

  @Test
  void requestsOutsideTheDiskOrUnknownFailAlone() throws Exception {
    GuestDriver d = driver(false);
    d.start(FLUSH | CONFIG_WCE);
    GuestDriver.Queue q = d.queue(0, 64);
    d.ready();
    long buffer = d.alloc(4096);
    long last = SIZE / 512 - 1;
    long[] status = {
      request(d, q, BlkRequest.IN, last, buffer, 512, false),
      request(d, q, BlkRequest.IN, last, buffer, 1024, false),
      request(d, q, BlkRequest.IN, -1, buffer, 512, false),
      request(d, q, BlkRequest.OUT, Long.MAX_VALUE, buffer, 512, false),
      request(d, q, BlkRequest.IN, 0, buffer, 100, false),
      request(d, q, 77, 0, buffer, 512, false),
      request(d, q, BlkRequest.FLUSH, 0, 0, 0, false),
    };
    q.kick();
    q.await(status.length);
    assertThat(Arrays.stream(status).map(s -> d.get(s, 1)).toArray()).containsExactly(0, 1, 1, 1, 1, 2, 0);
    assertThat(node.flushes.get()).isEqualTo(1);
  }

  @Test
  void onlyTheRequestOnABadSectorFails() throws Exception {
    GuestDriver d = driver(false);
    node.badByte = 512 * 3;
    d.start(FLUSH | CONFIG_WCE);
    GuestDriver.Queue q = d.queue(0, 64);
    d.ready();
    long[] status = new long[6];
    for (int i = 0; i < status.length; i++) {
      status[i] = request(d, q, BlkRequest.IN, i, d.alloc(512), 512, false);
    }
    q.kick();
    q.await(status.length);
    assertThat(Arrays.stream(status).map(s -> d.get(s, 1)).toArray()).containsExactly(0, 0, 0, 1, 0, 0);
  }

  private static void await(GuestDriver d, RunState state) {
    long deadline = System.nanoTime() + 10_000_000_000L;
    while (d.machine.state() != state) {
      assertThat(System.nanoTime()).as("waiting for %s in %s", state, d.machine.state()).isLessThan(deadline);
      Thread.onSpinWait();
    }
  }

  /** A driver that waits for a write of sector 3, which the host has failed. */
  private long failing(GuestDriver d, GuestDriver.Queue q, byte[] content) {
    node.badByte = 512 * 3;
    d.machine.addStateListener(
        state -> {
          if (state == RunState.RUNNING) {
            d.device.resumed();
          }
        });
    long status = request(d, q, BlkRequest.OUT, 3, d.bytes(content), 512, false);
    q.kick();
    await(d, RunState.IO_ERROR);
    assertThat(d.get(status, 1)).isEqualTo(0xff);
    return status;
  }

  @Test
  void aRequestThatFailsStopsTheMachineAndIsTriedAgainWhenItGoesOn() throws Exception {
    GuestDriver d = stopsAtErrors();
    GuestDriver.Queue q = d.queue(0, 16);
    d.ready();
    byte[] content = random(8, 512);
    long status = failing(d, q, content);
    d.machine.resume();
    await(d, RunState.IO_ERROR);
    assertThat(d.get(status, 1)).as("failed again").isEqualTo(0xff);
    node.badByte = -1;
    d.machine.resume();
    q.await(1);
    assertThat(d.get(status, 1)).isZero();
    assertThat(Arrays.copyOfRange(node.bytes, 512 * 3, 512 * 4)).isEqualTo(content);
    assertThat(d.machine.state()).isEqualTo(RunState.RUNNING);
  }

  /** A driver that has yet to set up its queues, of a running machine that an error stops. */
  private GuestDriver stopsAtErrors() throws Exception {
    errors = new ErrorPolicy(Action.STOP, Action.STOP);
    GuestDriver d = driver(false);
    d.machine.start(false);
    d.start(FLUSH | CONFIG_WCE);
    return d;
  }

  @Test
  void aResetForgetsRequestsThatWaitToBeTriedAgain() throws Exception {
    GuestDriver d = stopsAtErrors();
    GuestDriver.Queue q = d.queue(0, 16);
    d.ready();
    long status = failing(d, q, random(8, 512));
    d.write(0x70, 0);
    node.badByte = -1;
    d.machine.resume();
    d.device.quiesce();
    assertThat(d.get(status, 1)).isEqualTo(0xff);
    assertThat(node.bytes[512 * 3]).isZero();
  }

  @Test
  void savingTriesOnceMoreAndReportsWhatFailsAgain() throws Exception {
    GuestDriver d = stopsAtErrors();
    GuestDriver.Queue q = d.queue(0, 16);
    d.ready();
    long status = failing(d, q, random(8, 512));
    assertThat(d.machine.save()).isNotEmpty();
    assertThat(d.get(status, 1)).isEqualTo(1);
  }

  @Test
  void failuresCanBeIgnored() throws Exception {
    errors = new ErrorPolicy(Action.REPORT, Action.IGNORE);
    node.badByte = 0;
    GuestDriver d = driver(false);
    d.start(FLUSH | CONFIG_WCE);
    GuestDriver.Queue q = d.queue(0, 16);
    d.ready();
    long write = request(d, q, BlkRequest.OUT, 0, d.alloc(512), 512, false);
    long read = request(d, q, BlkRequest.IN, 0, d.alloc(512), 512, false);
    q.kick();
    q.await(2);
    assertThat(d.get(write, 1)).isZero();
    assertThat(d.get(read, 1)).isEqualTo(1);
  }

  @Test
  void readOnlyDisksSaySoAndRefuseWrites() throws Exception {
    node.readOnly = true;
    GuestDriver d = driver(false);
    assertThat(d.offered() & 1L << 5).isNotZero();
    d.start(FLUSH);
    GuestDriver.Queue q = d.queue(0, 16);
    d.ready();
    long status = request(d, q, BlkRequest.OUT, 0, d.bytes(random(4, 512)), 512, false);
    q.kick();
    q.await(1);
    assertThat(d.get(status, 1)).isEqualTo(1);
    assertThat(node.bytes[0]).isZero();
  }

  @Test
  void getIdReturnsTheSerialAndConfigTheSize() throws Exception {
    GuestDriver d = driver(true);
    d.start(FLUSH);
    GuestDriver.Queue q = d.queue(0, 16);
    d.ready();
    long id = d.alloc(20);
    request(d, q, BlkRequest.GET_ID, 0, id, 20, false);
    q.kick();
    q.await(1);
    assertThat(new String(d.bytesAt(id, 20), java.nio.charset.StandardCharsets.US_ASCII)).startsWith("SER-1\0");
    assertThat(d.get(GuestDriver.SLOT + 0x100, 8)).isEqualTo(SIZE / 512);
    assertThat(d.get(GuestDriver.SLOT + 0x100 + 24, 1)).as("physical block exponent").isEqualTo(3);
    assertThat(d.get(GuestDriver.SLOT + 0x100 + 26, 2)).as("least blocks").isEqualTo(8);
    assertThat(d.get(GuestDriver.SLOT + 0x100 + 28, 4)).as("best blocks").isEqualTo(128);
    assertThat(d.get(GuestDriver.SLOT + 0x100 + 44, 4)).as("sectors of a discard").isEqualTo(16);
    assertThat(d.get(GuestDriver.SLOT + 0x100 + 0x400, 4)).isEqualTo(0xffffffffL);
  }

  @Test
  void discardAndWriteZeroesCheckTheirRange() throws Exception {
    GuestDriver d = driver(false);
    d.start(FLUSH | CONFIG_WCE | 1 << 13 | 1 << 14);
    GuestDriver.Queue q = d.queue(0, 64);
    d.ready();
    Arrays.fill(node.bytes, (byte) 7);
    long[] status = {
      range(d, q, BlkRequest.WRITE_ZEROES, 1, 2, 1),
      range(d, q, BlkRequest.DISCARD, 1, 2, 0),
      range(d, q, BlkRequest.DISCARD, 1, 2, 1),
      range(d, q, BlkRequest.WRITE_ZEROES, SIZE / 512 - 1, 2, 0),
      range(d, q, BlkRequest.WRITE_ZEROES, -1, 2, 0),
      range(d, q, BlkRequest.WRITE_ZEROES, 0, -1, 0),
    };
    q.kick();
    q.await(status.length);
    assertThat(Arrays.stream(status).map(s -> d.get(s, 1)).toArray()).containsExactly(0, 0, 2, 1, 1, 1);
    assertThat(node.bytes[511]).isEqualTo((byte) 7);
    assertThat(node.bytes[512]).isZero();
    assertThat(node.bytes[1535]).isZero();
    assertThat(node.bytes[1536]).isEqualTo((byte) 7);
  }

  private static long range(GuestDriver d, GuestDriver.Queue q, int type, long sector, int sectors, int flags) {
    byte[] range =
        ByteBuffer.allocate(16).order(ByteOrder.LITTLE_ENDIAN).putLong(sector).putInt(sectors).putInt(flags).array();
    return request(d, q, type, 0, d.bytes(range), 16, false);
  }

  @Test
  void writesAreDurableAtOnceWithoutAWriteCache() throws Exception {
    GuestDriver d = driver(false);
    d.start(FLUSH | CONFIG_WCE);
    GuestDriver.Queue q = d.queue(0, 16);
    d.ready();
    assertThat(d.get(GuestDriver.SLOT + 0x120, 1)).isEqualTo(1);
    d.put(GuestDriver.SLOT + 0x120, 1, 0);
    request(d, q, BlkRequest.OUT, 0, d.alloc(512), 512, false);
    q.kick();
    q.await(1);
    assertThat(node.flushes.get()).isEqualTo(1);
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void resetMidRequestTouchesNoGuestMemoryAfterwards(boolean legacy) throws Exception {
    GuestDriver d = driver(legacy);
    Arrays.fill(node.bytes, (byte) 9);
    d.start(FLUSH | CONFIG_WCE);
    GuestDriver.Queue q = d.queue(0, 16);
    d.ready();
    node.gate = new CountDownLatch(1);
    node.entered = new CountDownLatch(1);
    long target = d.alloc(512);
    long status = request(d, q, BlkRequest.IN, 0, target, 512, false);
    request(d, q, BlkRequest.OUT, 100, d.bytes(random(5, 512)), 512, false);
    q.kick();
    node.entered.await();
    Thread resetter = Thread.ofPlatform().start(() -> d.write(0x70, 0));
    while (resetter.getState() != Thread.State.WAITING) {
      assertThat(resetter.isAlive()).as("a reset waits for what uses guest memory").isTrue();
      Thread.onSpinWait();
    }
    node.gate.countDown();
    resetter.join();
    d.put(target, 1, 77);
    d.device.quiesce();
    assertThat(d.get(status, 1)).isEqualTo(0xff);
    assertThat(d.get(target, 1)).isEqualTo(77);
    assertThat(q.usedIndex()).isZero();
    assertThat(d.irq()).isFalse();
    assertThat(node.bytes[51200]).as("a write that had not begun").isEqualTo((byte) 9);

    d.start(FLUSH | CONFIG_WCE);
    GuestDriver.Queue again = d.queue(0, 16);
    d.ready();
    request(d, again, BlkRequest.IN, 0, target, 512, false);
    again.kick();
    again.await(1);
    assertThat(d.get(target, 1)).isEqualTo(9);
  }

  /** The first is a flush, which is known to take long; behind it as many go on as there are threads. */
  @Test
  void severalRequestsAreInFlightAndAFlushHoldsUpNobody() throws Exception {
    GuestDriver d = driver(false);
    d.start(FLUSH | CONFIG_WCE);
    GuestDriver.Queue q = d.queue(0, 16);
    d.ready();
    node.flushGate = new CountDownLatch(1);
    long flush = request(d, q, BlkRequest.FLUSH, 0, 0, 0, false);
    long[] read = new long[3];
    for (int i = 0; i < read.length; i++) {
      read[i] = request(d, q, BlkRequest.IN, 16L * i, d.alloc(512), 512, false);
    }
    q.kick();
    q.await(read.length);
    assertThat(Arrays.stream(read).map(s -> d.get(s, 1)).toArray()).containsOnly(0);
    assertThat(d.get(flush, 1)).isEqualTo(0xff);
    node.flushGate.countDown();
    q.await(1);
    assertThat(d.get(flush, 1)).isZero();
  }

  /** Pieces of memory of all sizes, some of which go to the disk as they are and some gathered. */
  @Test
  void scatteredBuffersAreMovedInOrder() throws Exception {
    GuestDriver d = driver(false);
    d.start(FLUSH | CONFIG_WCE | VirtioFeatures.INDIRECT_DESC);
    GuestDriver.Queue q = d.queue(0, 16);
    d.ready();
    int[] sizes = {100, 412, 40_000, 4096, 4096, 70_000, 1, 511, 33_360};
    int total = Arrays.stream(sizes).sum();
    byte[] content = random(9, total);
    for (boolean in : new boolean[] {false, true}) {
      long head = d.bytes(header(in ? BlkRequest.IN : BlkRequest.OUT, 3));
      List<GuestDriver.Part> parts = new ArrayList<>(List.of(d.out(head, 16)));
      int at = 0;
      for (int size : sizes) {
        parts.add(new GuestDriver.Part(
            in ? d.alloc(size) : d.bytes(Arrays.copyOfRange(content, at, at + size)), size, in));
        at += size;
      }
      parts.add(d.in(d.bytes(new byte[] {(byte) 0xff}), 1));
      q.addIndirect(parts.toArray(GuestDriver.Part[]::new));
      q.kick();
      q.await(1);
      if (in) {
        ByteBuffer got = ByteBuffer.allocate(total);
        parts.subList(1, parts.size() - 1).forEach(p -> got.put(d.bytesAt(p.address(), (int) p.length())));
        assertThat(got.array()).isEqualTo(content);
      } else {
        assertThat(Arrays.copyOfRange(node.bytes, 3 * 512, 3 * 512 + total)).isEqualTo(content);
      }
    }
  }

  @Test
  void savingWaitsForRequestsInFlight() throws Exception {
    GuestDriver d = driver(false);
    d.start(FLUSH | CONFIG_WCE);
    GuestDriver.Queue q = d.queue(0, 16);
    d.ready();
    node.gate = new CountDownLatch(1);
    node.entered = new CountDownLatch(1);
    for (int i = 0; i < 4; i++) {
      request(d, q, BlkRequest.IN, 8L * i, d.alloc(512), 512, false);
    }
    q.kick();
    node.entered.await();
    Thread opener = Thread.ofPlatform().start(() -> node.gate.countDown());
    byte[] state = d.machine.save();
    opener.join();
    assertThat(q.usedIndex()).isEqualTo(4);

    GuestDriver other = new GuestDriver(false, this::device);
    try {
      other.machine.load(state);
      assertThat(other.get(q.used + 2, 2)).isEqualTo(4);
      GuestDriver.Queue there = other.new Queue(0, 16, q.desc, q.avail, q.used);
      there.availIndex(4);
      other.freeAll();
      other.alloc(1 << 20);
      long status = request(other, there, BlkRequest.IN, 1, other.alloc(512), 512, false);
      there.kick();
      there.await(5);
      assertThat(other.get(status, 1)).isZero();
    } finally {
      other.close();
    }
  }

  @Test
  void requestsRunOnTheNotifyingThreadInInstructionTime() throws Exception {
    GuestDriver d = driver(false);
    d.machine.clock().useInstructionTime(() -> 0);
    d.start(FLUSH | CONFIG_WCE);
    GuestDriver.Queue q = d.queue(0, 16);
    d.ready();
    request(d, q, BlkRequest.IN, 0, d.alloc(512), 512, false);
    q.kick();
    assertThat(q.usedIndex()).isEqualTo(1);
  }

  @Test
  void closingFinishesAndFlushes() throws Exception {
    GuestDriver d = driver(false);
    d.start(FLUSH | CONFIG_WCE);
    GuestDriver.Queue q = d.queue(0, 16);
    d.ready();
    byte[] content = random(6, 512);
    request(d, q, BlkRequest.OUT, 0, d.bytes(content), 512, false);
    q.kick();
    d.device.close();
    assertThat(Arrays.copyOf(node.bytes, 512)).isEqualTo(content);
    assertThat(node.flushes.get()).isEqualTo(1);
  }

  @Test
  void truncatedRequestsBreakTheDevice() throws Exception {
    GuestDriver d = driver(false);
    d.start(FLUSH);
    GuestDriver.Queue q = d.queue(0, 16);
    d.ready();
    q.add(d.out(d.alloc(16), 15), d.in(d.alloc(16), 1));
    q.kick();
    d.device.quiesce();
    assertThat(d.read(0x70) & VirtioStatus.NEEDS_RESET).isNotZero();
    d.start(FLUSH);
    q = d.queue(0, 16);
    d.ready();
    q.add(d.out(d.alloc(16), 16));
    q.kick();
    d.device.quiesce();
    assertThat(d.read(0x70) & VirtioStatus.NEEDS_RESET).isNotZero();
  }
}
