package org.ascus.devices.virtio;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.Random;
import org.ascus.devices.virtio.GuestDriver.Bus;
import org.ascus.machine.run.Machine;
import org.ascus.machine.state.StateReader;
import org.ascus.machine.state.StateWriter;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What holds for every virtio device, whatever its driver does, on both layouts of virtio-mmio. */
public abstract class VirtioContract {
  private GuestDriver open;

  /** A device under test; each call makes an equal one. */
  protected abstract VirtioDevice device(VirtioHost host) throws Exception;

  /** A queue that the driver gives buffers to, and whether the device writes them. */
  protected abstract int workQueue();

  protected abstract boolean writesWorkQueue();

  protected final GuestDriver driver(boolean legacy) throws Exception {
    return driver(legacy ? Bus.MMIO_LEGACY : Bus.MMIO);
  }

  protected final GuestDriver driver(Bus bus) throws Exception {
    close();
    open = new GuestDriver(bus, this::device);
    return open;
  }

  @AfterEach
  void close() {
    if (open != null) {
      open.close();
      open = null;
    }
  }

  @ParameterizedTest
  @EnumSource(Bus.class)
  void showsItselfAndNegotiates(Bus bus) throws Exception {
    GuestDriver d = driver(bus);
    if (!bus.pci()) {
      assertThat(d.read(0)).isEqualTo(0x74726976);
      assertThat(d.read(4)).isEqualTo(bus.legacy() ? 1 : 2);
    }
    assertThat(d.read(8)).isEqualTo(d.device.deviceId());
    assertThat(d.offered() & VirtioFeatures.VERSION_1).isEqualTo(bus.legacy() ? 0 : VirtioFeatures.VERSION_1);
    d.start(d.offered());
    d.ready();
    assertThat(d.read(0x70) & VirtioStatus.DRIVER_OK).isNotZero();
  }

  @ParameterizedTest
  @EnumSource(value = Bus.class, names = {"MMIO", "PCI"})
  void refusesFeaturesThatAreNotOnOffer(Bus bus) throws Exception {
    GuestDriver d = driver(bus);
    d.write(0x24, 1);
    d.write(0x20, 1 | 1 << 30);
    d.write(0x70, 1 | 2 | 8);
    assertThat(d.read(0x70)).isEqualTo(3);
  }

  private static void assertBroken(GuestDriver d) throws Exception {
    long deadline = System.nanoTime() + 10_000_000_000L;
    while ((d.read(0x70) & VirtioStatus.NEEDS_RESET) == 0) {
      assertThat(System.nanoTime()).isLessThan(deadline);
      Thread.onSpinWait();
    }
    assertThat(d.irq()).isTrue();
    assertThat(d.read(0x60) & 2).isNotZero();
    assertThat(d.log()).contains(d.device.id());
    d.write(0x70, 0);
    assertThat(d.read(0x70)).isZero();
    assertThat(d.irq()).isFalse();
  }

  private GuestDriver.Queue started(GuestDriver d) {
    d.start(VirtioFeatures.INDIRECT_DESC);
    GuestDriver.Queue q = d.queue(workQueue(), 8);
    d.ready();
    return q;
  }

  @ParameterizedTest
  @EnumSource(Bus.class)
  void malformedChainsBreakTheDeviceUntilReset(Bus bus) throws Exception {
    GuestDriver d = driver(bus);
    int dir = writesWorkQueue() ? 2 : 0;

    GuestDriver.Queue q = started(d);
    long buffer = d.alloc(4096);
    q.putDescriptor(0, buffer, 16, 1 | dir, 1);
    q.putDescriptor(1, buffer, 16, 1 | dir, 0);
    breakWith(d, q, 0);

    q = started(d);
    q.putDescriptor(0, 0x10, 16, dir, 0);
    breakWith(d, q, 0);

    q = started(d);
    q.putDescriptor(0, -16L, 4096, dir, 0);
    breakWith(d, q, 0);

    q = started(d);
    q.putDescriptor(0, GuestDriver.SLOT, 64, dir, 0);
    breakWith(d, q, 0);

    q = started(d);
    q.putDescriptor(0, GuestDriver.RAM + GuestDriver.RAM_SIZE - 8, 16, dir, 0);
    breakWith(d, q, 0);

    q = started(d);
    q.putDescriptor(0, buffer, 0, dir, 0);
    breakWith(d, q, 0);

    q = started(d);
    q.putDescriptor(0, buffer, 16, 1 | 2, 1);
    q.putDescriptor(1, buffer, 16, 0, 0);
    breakWith(d, q, 0);

    q = started(d);
    q.putDescriptor(0, buffer, 16, 1 | dir, 9);
    breakWith(d, q, 0);

    q = started(d);
    q.putDescriptor(0, buffer, 17, 4, 0);
    breakWith(d, q, 0);

    q = started(d);
    d.put(buffer, 8, buffer);
    d.put(buffer + 8, 4, 16);
    d.put(buffer + 12, 4, 4);
    q.putDescriptor(0, buffer, 16, 4, 0);
    breakWith(d, q, 0);

    q = started(d);
    breakWith(d, q, 8);

    q = started(d);
    d.put(q.avail + 2, 2, 9);
    q.kick();
    assertBroken(d);
  }

  private static void breakWith(GuestDriver d, GuestDriver.Queue q, int head) throws Exception {
    q.offer(head);
    q.kick();
    assertBroken(d);
  }

  @ParameterizedTest
  @EnumSource(value = Bus.class, names = {"MMIO", "PCI"})
  void aRingOutsideOfRamBreaksTheDevice(Bus bus) throws Exception {
    GuestDriver d = driver(bus);
    for (long address : new long[] {0, GuestDriver.SLOT, -4096L, GuestDriver.RAM + GuestDriver.RAM_SIZE - 8}) {
      d.start(0);
      d.write(0x30, workQueue());
      d.write(0x38, 8);
      for (int register : new int[] {0x80, 0x90, 0xa0}) {
        d.write(register, address);
        d.write(register + 4, address >>> 32);
      }
      d.write(0x44, 1);
      d.ready();
      d.write(0x50, workQueue());
      assertBroken(d);
    }
  }

  @ParameterizedTest
  @EnumSource(Bus.class)
  void junkInRegistersAndQueuesHarmsNothing(Bus bus) throws Exception {
    GuestDriver d = driver(bus);
    Random random = new Random(42);
    byte[] junk = new byte[4096];
    for (int round = 0; round < 200; round++) {
      d.freeAll();
      d.start(d.offered() & (round % 2 == 0 ? 0 : -1L));
      GuestDriver.Queue q = d.queue(workQueue(), 8);
      d.ready();
      random.nextBytes(junk);
      d.ram.write(q.desc - GuestDriver.RAM, junk, 0, 16 * 8);
      for (int i = 0; i < 8; i++) {
        if (random.nextInt(4) != 0) {
          int flags = random.nextInt(8);
          int length = random.nextBoolean() ? random.nextInt(1 << random.nextInt(24)) : 16 * random.nextInt(8);
          q.putDescriptor(i, GuestDriver.RAM + random.nextInt(GuestDriver.RAM_SIZE), length, flags, random.nextInt(9));
        }
        q.offer(random.nextInt(9));
        q.kick();
      }
      for (int i = 0; i < 50; i++) {
        int width = 1 << random.nextInt(4);
        long at = d.registers() + (random.nextInt(random.nextBoolean() ? 0x140 : d.registersSize()) & -width);
        if (random.nextBoolean()) {
          d.put(at, width, random.nextBoolean() ? random.nextInt(16) : random.nextLong());
        } else {
          d.get(at, width);
        }
      }
      d.device.quiesce();
    }
    d.start(0);
    assertThat(d.read(8)).isEqualTo(d.device.deviceId());
  }

  @ParameterizedTest
  @EnumSource(Bus.class)
  void junkRingsInEveryQueueHarmNothing(Bus bus) throws Exception {
    GuestDriver d = driver(bus);
    JunkRings junk = new JunkRings(d, new Random(4711));
    for (int round = 0; round < 400; round++) {
      junk.round();
    }
    d.start(0);
    assertThat(d.read(8)).isEqualTo(d.device.deviceId());
    assertThat(d.log().lines()).allMatch(line -> line.contains(d.device.id()) || line.startsWith("virtio"));
  }

  @ParameterizedTest
  @EnumSource(value = Bus.class, names = {"MMIO", "PCI"})
  void junkInPackedRingsHarmsNothing(Bus bus) throws Exception {
    GuestDriver d = driver(bus);
    d.device.setRingFeatures(true, true, true);
    assertThat(d.offered() & VirtioFeatures.RING_PACKED).isNotZero();
    JunkRings junk = new JunkRings(d, new Random(815));
    for (int round = 0; round < 200; round++) {
      junk.round();
    }
    d.start(0);
    assertThat(d.read(8)).isEqualTo(d.device.deviceId());
    assertThat(d.log().lines())
        .isNotEmpty()
        .allMatch(line -> line.contains(d.device.id()) || line.startsWith("virtio"));
  }

  /** Makes buffers of zeroes available in the work queue, which the device may take for requests or not. */
  private GuestDriver.Queue offered(GuestDriver d) {
    d.start(0);
    GuestDriver.Queue q = d.queue(workQueue(), 8);
    d.ready();
    for (int i = 0; i < 4; i++) {
      long buffer = d.alloc(512);
      if (writesWorkQueue()) {
        q.add(d.in(buffer, 512));
      } else {
        q.add(d.out(buffer, 256), d.in(buffer + 256, 256));
      }
    }
    q.kick();
    return q;
  }

  @ParameterizedTest
  @EnumSource(Bus.class)
  void aResetInMidRequestLeavesMemoryAlone(Bus bus) throws Exception {
    GuestDriver d = driver(bus);
    for (int round = 0; round < 5; round++) {
      d.freeAll();
      offered(d);
      d.write(0x70, 0);
      byte[] before = d.bytesAt(GuestDriver.RAM, GuestDriver.RAM_SIZE);
      d.device.quiesce();
      assertThat(Arrays.equals(d.bytesAt(GuestDriver.RAM, GuestDriver.RAM_SIZE), before)).isTrue();
      d.device.resumed();
      assertThat(d.read(0x70)).isZero();
      assertThat(d.irq()).isFalse();
    }
  }

  @ParameterizedTest
  @EnumSource(Bus.class)
  void whatIsInFlightIsTakenUpAgainAfterALoad(Bus bus) throws Exception {
    GuestDriver d = driver(bus);
    GuestDriver.Queue q = offered(d);
    byte[] state = save(d.machine);
    byte[] memory = d.bytesAt(GuestDriver.RAM, GuestDriver.RAM_SIZE);
    long done = q.usedIndex();
    GuestDriver other = new GuestDriver(bus, this::device);
    try {
      other.ram.write(0, memory, 0, memory.length);
      StateReader in = new StateReader(state);
      in.section(other.slot);
      in.section(other.device);
      other.device.resumed();
      other.device.quiesce();
      assertThat(other.read(0x70)).isEqualTo(d.read(0x70));
      assertThat(other.get(q.used + 2, 2)).isGreaterThanOrEqualTo(done);
    } finally {
      other.close();
    }
  }

  @ParameterizedTest
  @EnumSource(Bus.class)
  void aChainThatShowsAllOfRamManyTimesNeedsNoMemoryOfTheHost(Bus bus) throws Exception {
    GuestDriver d = driver(bus);
    GuestDriver.Queue q = started(d);
    int count = 256;
    long table = d.alloc(16L * count);
    for (int i = 0; i < count; i++) {
      d.put(table + 16L * i, 8, GuestDriver.RAM);
      d.put(table + 16L * i + 8, 4, GuestDriver.RAM_SIZE);
      d.put(table + 16L * i + 12, 4, (i == count - 1 ? 0 : 1) | (writesWorkQueue() ? 2 : 0) | (i + 1) << 16);
    }
    q.putDescriptor(0, table, 16L * count, 4, 0);
    q.offer(0);
    q.kick();
    d.device.quiesce();
    d.write(0x70, 0);
    assertThat(d.read(0x70)).isZero();
  }

  @ParameterizedTest
  @EnumSource(Bus.class)
  void savedStateGoesOnInAFreshDevice(Bus bus) throws Exception {
    GuestDriver d = driver(bus);
    d.start(d.offered() & (VirtioFeatures.EVENT_IDX | VirtioFeatures.INDIRECT_DESC));
    GuestDriver.Queue q = d.queue(workQueue(), 8);
    d.ready();
    q.kick();
    byte[] first = save(d.machine);
    GuestDriver other = new GuestDriver(bus, this::device);
    try {
      StateReader in = new StateReader(first);
      in.section(other.slot);
      in.section(other.device);
      assertThat(save(other.machine)).isEqualTo(first);
      assertThat(other.read(0x70)).isEqualTo(d.read(0x70));
      other.write(0x30, workQueue());
      assertThat(other.read(bus.legacy() ? 0x40 : 0x44)).isNotZero();
    } finally {
      other.close();
    }
  }

  private static byte[] save(Machine machine) {
    StateWriter out = new StateWriter();
    machine.devices().forEach(d -> d.quiesce());
    machine.devices().forEach(out::section);
    return out.toByteArray();
  }

  @ParameterizedTest
  @EnumSource(value = Bus.class, names = {"MMIO", "PCI"})
  void resetClearsEverythingThatTheDriverSet(Bus bus) throws Exception {
    GuestDriver d = driver(bus);
    d.start(d.offered());
    d.queue(workQueue(), 8);
    d.ready();
    d.machine.devices().forEach(x -> x.resetEnter());
    d.setUp();
    assertThat(d.read(0x70)).isZero();
    d.write(0x30, workQueue());
    assertThat(d.read(0x44)).isZero();
    assertThat(d.irq()).isFalse();
  }
}
