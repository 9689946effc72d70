package org.ascus.devices.virtio.queue;

import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.ascus.machine.state.StateException;
import org.ascus.machine.state.StateReader;
import org.ascus.machine.state.StateWriter;

/**
 * The split format (VIRTIO 1.2, section 2.7), little-endian: a descriptor table of 16-byte entries (address 64, length
 * 32, flags 16, next 16), the available ring (flags 16, index 16, entries 16 each, used_event 16) and the used ring
 * (flags 16, index 16, entries of id 32 and length 32, avail_event 16).
 *
 * <p>Indices run freely modulo 2^16. The guest's memory order is met with fences: entries are read after the index that
 * announces them, and the used index is written after its entries.
 */
final class SplitRing implements Ring {
  /** Longest indirect table that is followed, in descriptors. */
  static final int MAX_INDIRECT = 1024;

  private static final int DESCRIPTOR_SIZE = 16;
  private static final int DESC_NEXT = 1;
  private static final int DESC_WRITE = 2;
  private static final int DESC_INDIRECT = 4;
  private static final int AVAIL_NO_INTERRUPT = 1;
  private static final int USED_NO_NOTIFY = 1;

  private final GuestMemory memory;
  private final int size;
  private final RingWindow descriptors;
  private final RingWindow avail;
  private final RingWindow used;
  private boolean eventIndex;
  private boolean notifications = true;
  private int lastAvail;
  private int shadowAvail;
  private int usedIndex;
  private int signalled;
  private boolean signalledValid;
  private int inUse;

  SplitRing(GuestMemory memory, int size, long descriptors, long avail, long used) {
    this.memory = memory;
    this.size = size;
    this.descriptors = new RingWindow(memory, descriptors, (long) size * DESCRIPTOR_SIZE);
    this.avail = new RingWindow(memory, avail, 6 + 2L * size);
    this.used = new RingWindow(memory, used, 6 + 8L * size);
  }

  private long usedEventOffset() {
    return 4 + 2L * size;
  }

  private long availEventOffset() {
    return 4 + 8L * size;
  }

  private int available() throws VirtqueueException {
    if (shadowAvail == lastAvail) {
      shadowAvail = avail.getShort(2);
      VarHandle.acquireFence();
    }
    int count = (shadowAvail - lastAvail) & 0xffff;
    if (count > size) {
      int index = shadowAvail;
      shadowAvail = lastAvail;
      throw new VirtqueueException(
          "available index moved from " + lastAvail + " to " + index + " in a queue of " + size);
    }
    return count;
  }

  @Override
  public boolean isEmpty() throws VirtqueueException {
    return available() == 0;
  }

  @Override
  public Optional<VirtqueueElement> pop() throws VirtqueueException {
    if (available() == 0) {
      return Optional.empty();
    }
    if (inUse >= size) {
      throw new VirtqueueException("more than " + size + " buffers at once");
    }
    int head = avail.getShort(4 + 2L * (lastAvail % size));
    if (head >= size) {
      throw new VirtqueueException("descriptor " + head + " in a queue of " + size);
    }
    VirtqueueElement element = chain(head);
    lastAvail = (lastAvail + 1) & 0xffff;
    inUse++;
    if (eventIndex && notifications) {
      used.putShort(availEventOffset(), lastAvail);
    }
    return Optional.of(element);
  }

  private VirtqueueElement chain(int head) throws VirtqueueException {
    List<GuestMemory.Segment> readable = new ArrayList<>(4);
    List<GuestMemory.Segment> writable = new ArrayList<>(4);
    RingWindow table = descriptors;
    int entries = size;
    int index = head;
    int followed = 0;
    while (true) {
      if (++followed > entries) {
        throw new VirtqueueException("descriptor chain at " + head + " loops");
      }
      GuestMemory.Segment t = table.segment();
      long at = t.offset() + (long) index * DESCRIPTOR_SIZE;
      long address = t.ram().getLong(at);
      long length = t.ram().getInt(at + 8) & 0xffffffffL;
      int word = t.ram().getInt(at + 12);
      int flags = word & 0xffff;
      if (length == 0) {
        throw new VirtqueueException("descriptor " + index + " has no bytes");
      }
      if ((flags & DESC_INDIRECT) != 0) {
        if (table != descriptors) {
          throw new VirtqueueException("indirect table inside an indirect table");
        }
        if (length % DESCRIPTOR_SIZE != 0 || length > MAX_INDIRECT * DESCRIPTOR_SIZE || (flags & DESC_NEXT) != 0) {
          throw new VirtqueueException("indirect table of " + length + " bytes, flags 0x" + Integer.toHexString(flags));
        }
        table = new RingWindow(memory, address, length);
        entries = (int) length / DESCRIPTOR_SIZE;
        index = 0;
        followed = 0;
        continue;
      }
      boolean write = (flags & DESC_WRITE) != 0;
      if (!write && !writable.isEmpty()) {
        throw new VirtqueueException("descriptor " + index + " to read follows one to write");
      }
      memory.resolve(address, length, write, write ? writable : readable);
      if ((flags & DESC_NEXT) == 0) {
        return new VirtqueueElement(head, new ScatterList(readable), new ScatterList(writable));
      }
      index = word >>> 16;
      if (index >= entries) {
        throw new VirtqueueException("next descriptor " + index + " in a table of " + entries);
      }
    }
  }

  @Override
  public void push(int head, long written) throws VirtqueueException {
    long at = 4 + 8L * (usedIndex % size);
    used.putInt(at, head);
    used.putInt(at + 4, (int) Math.min(written, 0xffffffffL));
    usedIndex = (usedIndex + 1) & 0xffff;
    inUse--;
  }

  @Override
  public boolean publish() throws VirtqueueException {
    VarHandle.releaseFence();
    used.putShort(2, usedIndex);
    VarHandle.fullFence();
    int old = signalled;
    boolean known = signalledValid;
    signalled = usedIndex;
    signalledValid = true;
    if (!eventIndex) {
      return (avail.getShort(0) & AVAIL_NO_INTERRUPT) == 0;
    }
    int event = avail.getShort(usedEventOffset());
    return !known || ((usedIndex - event - 1) & 0xffff) < ((usedIndex - old) & 0xffff);
  }

  @Override
  public void setNotifications(boolean wanted) throws VirtqueueException {
    notifications = wanted;
    if (eventIndex) {
      if (wanted) {
        used.putShort(availEventOffset(), lastAvail);
      }
    } else {
      used.putShort(0, wanted ? 0 : USED_NO_NOTIFY);
    }
    // The driver may have added a buffer just before it saw this: whoever turns notifications on looks again.
    VarHandle.fullFence();
  }

  @Override
  public void setEventIndex(boolean eventIndex) {
    this.eventIndex = eventIndex;
  }

  @Override
  public int inUse() {
    return inUse;
  }

  @Override
  public void unpop(int count) {
    lastAvail = (lastAvail - count) & 0xffff;
    shadowAvail = lastAvail;
    inUse -= count;
  }

  @Override
  public void save(String prefix, StateWriter out) {
    // Whatever is in flight is popped again after a load.
    out.putLong(prefix + "lastAvail", (lastAvail - inUse) & 0xffff);
    out.putLong(prefix + "used", usedIndex);
    out.putLong(prefix + "signalled", signalledValid ? signalled : -1);
    out.putBoolean(prefix + "notifications", notifications);
  }

  @Override
  public void load(String prefix, StateReader in) throws StateException {
    lastAvail = (int) in.getLong(prefix + "lastAvail", 0, 0xffff);
    shadowAvail = lastAvail;
    usedIndex = (int) in.getLong(prefix + "used", 0, 0xffff);
    signalled = (int) in.getLong(prefix + "signalled", -1, 0xffff);
    signalledValid = signalled >= 0;
    notifications = in.getBoolean(prefix + "notifications");
    inUse = 0;
  }
}
