package org.ascus.devices.virtio.queue;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Random;
import org.ascus.machine.bus.AddressSpace;
import org.ascus.machine.bus.GuestRam;
import org.ascus.machine.bus.RamRegion;
import org.ascus.machine.state.StateException;
import org.ascus.machine.state.StateReader;
import org.ascus.machine.state.StateWriter;
import org.ascus.machine.state.Stateful;
import org.ascus.machine.trace.Log;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class PackedRingTest {
  private static final int SIZE = 4;
  private static final long RAM = 0x8000_0000L;
  private static final long DRIVER = RAM + 0x100;
  private static final long DEVICE = RAM + 0x200;
  private static final long BUFFERS = RAM + 0x1000;
  private static final int NEXT = 1;
  private static final int WRITE = 2;
  private static final int INDIRECT = 4;
  private static final int AVAIL = 1 << 7;
  private static final int USED = 1 << 15;

  private final AddressSpace space = new AddressSpace("test", Log.off());
  private final GuestRam ram = new GuestRam("ram", 1 << 16);
  private final Virtqueue queue = queue();
  private int next;
  private boolean wrap = true;
  private int seen;
  private boolean seenWrap = true;

  PackedRingTest() {
    space.map(RAM, new RamRegion("ram", ram, true));
    queue.start();
  }

  private Virtqueue queue() {
    Virtqueue made = new Virtqueue(0, SIZE, new GuestMemory(space));
    made.setAddresses(RAM, DRIVER, DEVICE);
    made.setPacked(true);
    return made;
  }

  @AfterEach
  void release() {
    ram.release();
  }

  private void descriptor(long at, long address, long length, int id, int flags) {
    ram.put(at - RAM, 8, address);
    ram.put(at - RAM + 8, 4, length);
    ram.put(at - RAM + 12, 2, id);
    ram.put(at - RAM + 14, 2, flags);
  }

  /** Makes a chain of {@code count} descriptors of 16 bytes available. */
  private void add(int id, int count, int flags) {
    int first = next;
    int firstFlags = 0;
    for (int i = 0; i < count; i++) {
      int mine = flags | (i < count - 1 ? NEXT : 0) | (wrap ? AVAIL : USED);
      descriptor(RAM + 16L * next, BUFFERS + 16L * i, 16, id, i == 0 ? wrap ? USED : AVAIL : mine);
      firstFlags = i == 0 ? mine : firstFlags;
      next = (next + 1) % SIZE;
      wrap ^= next == 0;
    }
    ram.put(16L * first + 14, 2, firstFlags);
  }

  /** Id of the next buffer that the device used, of {@code count} descriptors; -1 if it has used none. */
  private int used(int count) {
    int flags = (int) ram.get(16L * seen + 14, 2);
    if ((flags & AVAIL) != 0 != seenWrap || (flags & USED) != 0 != seenWrap) {
      return -1;
    }
    int id = (int) ram.get(16L * seen + 12, 2);
    seen += count;
    if (seen >= SIZE) {
      seen -= SIZE;
      seenWrap = !seenWrap;
    }
    return id;
  }

  @Test
  void chainsOfAnyLengthGoRoundTheRing() throws Exception {
    Random random = new Random(3);
    for (int round = 0; round < 200; round++) {
      int count = 1 + random.nextInt(SIZE);
      assertThat(queue.isEmpty()).isTrue();
      add(round, count, random.nextBoolean() ? WRITE : 0);
      VirtqueueElement element = queue.pop().orElseThrow();
      assertThat(element.readable().size() + element.writable().size()).isEqualTo(16L * count);
      assertThat(queue.pop()).isEmpty();
      queue.push(element, 5);
      queue.publish();
      assertThat(used(count)).isEqualTo(round);
      assertThat(used(1)).isEqualTo(-1);
    }
  }

  @Test
  void buffersComeBackInAnyOrderAndAllAtOnce() throws Exception {
    add(7, 1, 0);
    add(8, 2, 0);
    add(9, 1, 0);
    Deque<VirtqueueElement> taken = new ArrayDeque<>();
    for (int i = 0; i < 3; i++) {
      taken.push(queue.pop().orElseThrow());
    }
    assertThat(queue.inUse()).isEqualTo(3);
    for (VirtqueueElement element : taken) {
      queue.push(element, 0);
      assertThat((int) ram.get(14, 2) & USED).as("not before it is published").isZero();
    }
    queue.publish();
    assertThat(used(1)).isEqualTo(9);
    assertThat(used(2)).isEqualTo(8);
    assertThat(used(1)).isEqualTo(7);
  }

  @Test
  void anIndirectTableIsOneDescriptor() throws Exception {
    long table = RAM + 0x800;
    descriptor(table, BUFFERS, 16, 0, 0);
    descriptor(table + 16, BUFFERS + 16, 32, 0, WRITE);
    descriptor(RAM, table, 32, 5, INDIRECT | AVAIL);
    VirtqueueElement element = queue.pop().orElseThrow();
    assertThat(element.readable().size()).isEqualTo(16);
    assertThat(element.writable().size()).isEqualTo(32);
    queue.push(element, 32);
    queue.publish();
    assertThat(used(1)).isEqualTo(5);
    assertThat((int) ram.get(14, 2) & WRITE).isEqualTo(WRITE);
  }

  private boolean oneMoreInterrupts() throws VirtqueueException {
    add(1, 1, 0);
    queue.push(queue.pop().orElseThrow(), 0);
    return queue.publish();
  }

  @Test
  void theDriverSaysWhenItWantsInterrupts() throws Exception {
    assertThat(oneMoreInterrupts()).isTrue();
    ram.put(0x102, 2, 1);
    assertThat(oneMoreInterrupts()).isFalse();
    queue.setEventIndex(true);
    ram.put(0x102, 2, 2);
    ram.put(0x100, 2, 3 | 1 << 15);
    assertThat(oneMoreInterrupts()).as("descriptor 2").isFalse();
    assertThat(oneMoreInterrupts()).as("descriptor 3").isTrue();
    assertThat(oneMoreInterrupts()).as("descriptor 0 of the next round").isFalse();
    ram.put(0x100, 2, 1);
    assertThat(oneMoreInterrupts()).isTrue();
  }

  @Test
  void theDeviceSaysWhenItWantsNotifications() throws Exception {
    queue.setNotifications(false);
    assertThat(ram.get(0x202, 2)).isEqualTo(1);
    queue.setNotifications(true);
    assertThat(ram.get(0x202, 2)).isZero();
    queue.setEventIndex(true);
    add(1, 3, 0);
    queue.pop();
    assertThat(ram.get(0x202, 2)).isEqualTo(2);
    assertThat(ram.get(0x200, 2)).isEqualTo(3 | 1 << 15);
  }

  @Test
  void whatIsInFlightIsTakenAgainAfterALoad() throws Exception {
    add(1, 3, 0);
    queue.push(queue.pop().orElseThrow(), 0);
    queue.publish();
    assertThat(used(3)).isEqualTo(1);
    add(2, 2, 0);
    VirtqueueElement element = queue.pop().orElseThrow();
    StateWriter out = new StateWriter();
    Virtqueue other = queue();
    out.section(section(queue));
    new StateReader(out.toByteArray()).section(section(other));
    VirtqueueElement again = other.pop().orElseThrow();
    assertThat(again.head()).isEqualTo(element.head());
    other.unpop();
    assertThat(other.pop().orElseThrow().head()).isEqualTo(element.head());
    other.push(again, 0);
    other.publish();
    assertThat(used(2)).isEqualTo(2);
  }

  private static Stateful section(Virtqueue q) {
    return new Stateful() {
      @Override
      public String stateId() {
        return "q";
      }

      @Override
      public void save(StateWriter out) {
        q.save(out);
      }

      @Override
      public void load(StateReader in, int version) throws StateException {
        q.load(in);
      }
    };
  }

  @Test
  void malformedChainsAreRefused() {
    for (int i = 0; i < SIZE; i++) {
      descriptor(RAM + 16L * i, BUFFERS, 16, 0, NEXT | AVAIL);
    }
    assertThatThrownBy(queue::pop).isInstanceOf(VirtqueueException.class).hasMessageContaining("longer");
    descriptor(RAM, BUFFERS, 0, 0, AVAIL);
    assertThatThrownBy(queue::pop).isInstanceOf(VirtqueueException.class).hasMessageContaining("no bytes");
    descriptor(RAM, 0x10, 16, 0, AVAIL);
    assertThatThrownBy(queue::pop).isInstanceOf(VirtqueueException.class).hasMessageContaining("0x10");
    descriptor(RAM, BUFFERS, 16, 0, WRITE | NEXT | AVAIL);
    descriptor(RAM + 16, BUFFERS, 16, 0, AVAIL);
    assertThatThrownBy(queue::pop).isInstanceOf(VirtqueueException.class).hasMessageContaining("follows");
    descriptor(RAM, BUFFERS, 17, 0, INDIRECT | AVAIL);
    assertThatThrownBy(queue::pop).isInstanceOf(VirtqueueException.class).hasMessageContaining("17");
    descriptor(BUFFERS, BUFFERS, 16, 0, INDIRECT);
    descriptor(RAM, BUFFERS, 16, 0, INDIRECT | AVAIL);
    assertThatThrownBy(queue::pop).isInstanceOf(VirtqueueException.class).hasMessageContaining("inside");
  }
}
