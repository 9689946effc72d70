package org.ascus.devices.virtio.balloon;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.concurrent.atomic.AtomicLong;
import org.ascus.devices.virtio.GuestDriver;
import org.ascus.devices.virtio.GuestDriver.Bus;
import org.ascus.devices.virtio.VirtioContract;
import org.ascus.devices.virtio.VirtioDevice;
import org.ascus.devices.virtio.VirtioHost;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class VirtioBalloonTest extends VirtioContract {
  private static final long PAGES = GuestDriver.RAM_SIZE / 4096;

  private BalloonOptions options = new BalloonOptions(true, true, true, 1);

  @Override
  protected VirtioDevice device(VirtioHost host) throws Exception {
    return new VirtioBalloon("balloon0", host, GuestDriver.RAM_SIZE, options);
  }

  @Override
  protected int workQueue() {
    return 0;
  }

  @Override
  protected boolean writesWorkQueue() {
    return false;
  }

  private static byte[] pages(long... addresses) {
    ByteBuffer list = ByteBuffer.allocate(4 * addresses.length).order(ByteOrder.LITTLE_ENDIAN);
    for (long address : addresses) {
      list.putInt((int) (address >>> 12));
    }
    return list.array();
  }

  @ParameterizedTest
  @EnumSource(Bus.class)
  void pagesInTheBalloonAreGivenBackAndReadAsZeroes(Bus bus) throws Exception {
    GuestDriver d = driver(bus);
    d.start(0);
    GuestDriver.Queue q = d.queue(0, 8);
    d.ready();
    long base = GuestDriver.RAM + (8 << 20);
    d.ram.fill(8 << 20, 16 * 4096, (byte) 7);
    byte[] list = pages(base, base + 4096, base + 5 * 4096, base + 4 * 4096, base + 3 * 4096, base + 15 * 4096);
    q.add(d.out(d.bytes(list), list.length));
    q.kick();
    q.await(1);
    for (int i = 0; i < 16; i++) {
      boolean given = i < 2 || i >= 3 && i <= 5 || i == 15;
      assertThat(d.get(base + i * 4096L, 1)).as("page %s", i).isEqualTo(given ? 0 : 7);
    }
    assertThat(d.log()).isEmpty();
    d.put(base, 8, 42);
    assertThat(d.get(base, 8)).isEqualTo(42);
  }

  @Test
  void whatIsNoRamIsOnlyLogged() throws Exception {
    GuestDriver d = driver(false);
    d.start(0);
    GuestDriver.Queue q = d.queue(0, 8);
    d.ready();
    byte[] list = pages(0, GuestDriver.SLOT, 0xfffff000L, GuestDriver.RAM + GuestDriver.RAM_SIZE);
    q.add(d.out(d.bytes(list), list.length));
    q.kick();
    q.await(1);
    assertThat(d.log().lines()).hasSize(4).allMatch(l -> l.contains("is not RAM"));
  }

  @Test
  void theTargetIsInTheConfigurationSpaceAndTheGuestSaysWhatItHas() throws Exception {
    GuestDriver d = driver(false);
    d.start(0);
    d.queue(0, 8);
    d.ready();
    VirtioBalloon balloon = (VirtioBalloon) d.device;
    assertThat(balloon.actualMemory()).isEqualTo(GuestDriver.RAM_SIZE);
    balloon.setTarget(4 << 20);
    assertThat(d.read(0x60) & 2).isNotZero();
    assertThat(d.read(0x100)).isEqualTo((int) PAGES * 3 / 4);
    d.write(0x104, PAGES / 2);
    assertThat(balloon.actualMemory()).isEqualTo(GuestDriver.RAM_SIZE / 2);
    balloon.setTarget(Long.MAX_VALUE);
    assertThat(d.read(0x100)).isZero();
    d.write(0x104, -1);
    assertThat(balloon.actualMemory()).isZero();
  }

  @Test
  void freePagesThatTheGuestReportsAreGivenBackUnlessTheyArePoisoned() throws Exception {
    GuestDriver d = driver(false);
    for (int poison : new int[] {0, 0xaa}) {
      d.start(1 << 4 | 1 << 5);
      GuestDriver.Queue q = d.queue(3, 8);
      d.ready();
      d.write(0x10c, poison);
      d.ram.fill(8 << 20, 4 * 4096, (byte) 7);
      long base = GuestDriver.RAM + (8 << 20);
      q.add(d.in(base + 100, 3 * 4096));
      q.kick();
      q.await(1);
      assertThat(d.get(base, 1)).isEqualTo(7);
      assertThat(d.get(base + 4096, 1)).isEqualTo(poison == 0 ? 0 : 7);
      assertThat(d.get(base + 2 * 4096, 1)).isEqualTo(poison == 0 ? 0 : 7);
      assertThat(d.get(base + 3 * 4096, 1)).isEqualTo(7);
    }
  }

  @Test
  void statisticsAreAskedForNowAndThen() throws Exception {
    GuestDriver d = driver(false);
    AtomicLong now = new AtomicLong();
    d.machine.clock().useInstructionTime(now::get);
    d.start(1 << 1);
    GuestDriver.Queue q = d.queue(2, 8);
    d.ready();
    ByteBuffer list = ByteBuffer.allocate(30).order(ByteOrder.LITTLE_ENDIAN);
    list.putShort((short) 4).putLong(1000).putShort((short) 5).putLong(2000).putShort((short) 99).putLong(1);
    q.add(d.out(d.bytes(list.array()), 30));
    q.kick();
    assertThat(q.usedIndex()).isZero();
    VirtioBalloon balloon = (VirtioBalloon) d.device;
    assertThat(balloon.statistics()).containsOnlyKeys("stat-free-memory", "stat-total-memory");
    assertThat(balloon.statistics()).containsEntry("stat-free-memory", 1000L);
    assertThat(balloon.properties().get("guest-stats")).contains("stat-free-memory=1000");
    now.set(2_000_000_000);
    d.machine.clock().runDue();
    q.await(1);
  }
}
