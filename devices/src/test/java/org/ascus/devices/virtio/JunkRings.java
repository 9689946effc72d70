package org.ascus.devices.virtio;

import java.util.Random;

/** A driver that fills all queues of a device with descriptors, tables and rings of junk. */
final class JunkRings {
  private static final long END = GuestDriver.RAM + GuestDriver.RAM_SIZE;
  private static final int MOST_QUEUES = 8;
  private static final int PACKED_AVAILABLE = 1 << 7;

  private final GuestDriver d;
  private final Random random;

  JunkRings(GuestDriver d, Random random) {
    this.d = d;
    this.random = random;
  }

  /** Starts the device anew, and all of its queues with it. */
  void round() {
    d.freeAll();
    d.start(d.offered() & (random.nextBoolean() ? -1L : random.nextLong()) & ~VirtioFeatures.VERSION_1);
    int queues = 0;
    GuestDriver.Queue[] queue = new GuestDriver.Queue[MOST_QUEUES];
    for (int i = 0; i < MOST_QUEUES && entries(i) > 0; i++) {
      queue[i] = d.queue(i, 1 << random.nextInt(Math.min(6, 32 - Integer.numberOfLeadingZeros(entries(i)))));
      queues++;
      if (!d.legacy && random.nextInt(8) == 0) {
        misplace(i);
      }
    }
    d.ready();
    boolean packed = (d.device.driverFeatures() & VirtioFeatures.RING_PACKED) != 0;
    for (int i = 0; i < 2 * queues; i++) {
      if (packed) {
        fillPacked(queue[i % queues]);
      } else {
        fill(queue[i % queues]);
      }
    }
    for (int i = 0; i < queues; i++) {
      d.write(0x50, i);
    }
    d.device.quiesce();
  }

  /** Descriptors of the packed format: id and flags are the other way round, and a bit says that one is available. */
  private void fillPacked(GuestDriver.Queue q) {
    for (int i = 0; i < q.size; i++) {
      descriptor(q.desc + 16L * i, q.size);
      int flags = random.nextInt(8) | PACKED_AVAILABLE | (random.nextInt(16) == 0 ? random.nextInt(0x10000) : 0);
      d.put(q.desc + 16L * i + 12, 2, random.nextInt(4) == 0 ? random.nextInt(0x10000) : i);
      d.put(q.desc + 16L * i + 14, 2, flags);
    }
    d.put(q.avail, 4, random.nextInt(4) == 0 ? random.nextInt() : 0);
    q.kick();
  }

  /** Most entries of a queue, 0 if there is no such queue. */
  private int entries(int queue) {
    d.write(0x30, queue);
    return d.read(0x34);
  }

  /** Puts a part of the ring where it overlaps another one, or where no memory is. */
  private void misplace(int queue) {
    d.write(0x30, queue);
    d.write(0x44, 0);
    int register = 0x80 + 0x10 * random.nextInt(3);
    long where = random.nextBoolean() ? address() & -16 : GuestDriver.RAM + 4096 + 16 * random.nextInt(64);
    d.write(register, where);
    d.write(register + 4, where >>> 32);
    d.write(0x44, 1);
  }

  private long address() {
    return switch (random.nextInt(8)) {
      case 0 -> END - random.nextInt(64);
      case 1 -> random.nextLong();
      case 2 -> d.registers() + random.nextInt(0x200);
      case 3 -> random.nextBoolean() ? -random.nextInt(4096) : random.nextInt(4096);
      // The rings themselves.
      case 4 -> GuestDriver.RAM + 4096 + random.nextInt(4096);
      default -> GuestDriver.RAM + random.nextInt(GuestDriver.RAM_SIZE);
    };
  }

  private long length() {
    return switch (random.nextInt(8)) {
      case 0 -> random.nextInt() & 0xffff_ffffL;
      case 1 -> 0xffff_ffffL - random.nextInt(3);
      case 2 -> GuestDriver.RAM_SIZE;
      case 3 -> random.nextInt(3);
      default -> 16L * (1 + random.nextInt(32));
    };
  }

  private void descriptor(long at, int entries) {
    d.put(at, 8, address());
    d.put(at + 8, 4, length());
    d.put(at + 12, 2, random.nextInt(3) == 0 ? random.nextInt(0x10000) : random.nextInt(4));
    d.put(at + 14, 2, random.nextInt(entries + 1));
  }

  private void fill(GuestDriver.Queue q) {
    long table = d.alloc(16 * 64);
    for (int i = 0; i < 64; i++) {
      descriptor(table + 16 * i, 64);
    }
    for (int i = 0; i < q.size; i++) {
      descriptor(q.desc + 16L * i, q.size);
      if (random.nextInt(4) == 0) {
        q.putDescriptor(i, table + 16 * random.nextInt(8), 16 * random.nextInt(60), 4, 0);
      }
    }
    for (int i = random.nextInt(q.size + 1); i > 0; i--) {
      q.offer(random.nextInt(q.size + (random.nextInt(16) == 0 ? 2 : 0)));
    }
    if (random.nextInt(16) == 0) {
      d.put(q.avail + 2, 2, random.nextInt(0x10000));
    }
    q.kick();
  }
}
