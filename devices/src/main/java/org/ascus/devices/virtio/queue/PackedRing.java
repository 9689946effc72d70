package org.ascus.devices.virtio.queue;

import java.lang.invoke.VarHandle;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import org.ascus.machine.state.StateException;
import org.ascus.machine.state.StateReader;
import org.ascus.machine.state.StateWriter;

/**
 * The packed format (VIRTIO 1.2, section 2.8), little-endian: one ring of 16-byte descriptors (address 64, length 32,
 * buffer id 16, flags 16) that both sides write, and for each side a word that says when it wants to be notified
 * (descriptor offset 15, wrap counter 1, flags 16).
 *
 * <p>A descriptor is available when its AVAIL flag is the wrap counter and its USED flag is not; it is used when both
 * are. The flags of the first of several used descriptors are written last, so that the driver sees all or none.
 */
final class PackedRing implements Ring {
  private static final int DESCRIPTOR_SIZE = 16;
  private static final int LENGTH = 8;
  private static final int ID = 12;
  private static final int FLAGS = 14;
  private static final int DESC_NEXT = 1;
  private static final int DESC_WRITE = 2;
  private static final int DESC_INDIRECT = 4;
  private static final int DESC_AVAIL = 1 << 7;
  private static final int DESC_USED = 1 << 15;
  private static final int EVENT_FLAGS = 2;
  private static final int EVENT_ENABLE = 0;
  private static final int EVENT_DISABLE = 1;
  private static final int EVENT_AT_DESCRIPTOR = 2;
  private static final int WRAP_BIT = 1 << 15;

  /** Used descriptors that the driver does not see yet. */
  private record Used(int position, int flags) {}

  private final GuestMemory memory;
  private final int size;
  private final RingWindow descriptors;
  private final RingWindow driverEvent;
  private final RingWindow deviceEvent;
  private final Deque<Integer> inFlight = new ArrayDeque<>();
  private boolean eventIndex;
  private boolean notifications = true;
  private int nextAvail;
  private boolean availWrap = true;
  private int nextUsed;
  private boolean usedWrap = true;
  private Optional<Used> firstUsed = Optional.empty();
  private int usedSincePublished;

  PackedRing(GuestMemory memory, int size, long descriptors, long driverEvent, long deviceEvent) {
    this.memory = memory;
    this.size = size;
    this.descriptors = new RingWindow(memory, descriptors, (long) size * DESCRIPTOR_SIZE);
    this.driverEvent = new RingWindow(memory, driverEvent, 4);
    this.deviceEvent = new RingWindow(memory, deviceEvent, 4);
  }

  @Override
  public boolean isEmpty() throws VirtqueueException {
    int flags = descriptors.getShort((long) nextAvail * DESCRIPTOR_SIZE + FLAGS);
    VarHandle.acquireFence();
    boolean avail = (flags & DESC_AVAIL) != 0;
    boolean used = (flags & DESC_USED) != 0;
    return avail != availWrap || used == availWrap;
  }

  @Override
  public Optional<VirtqueueElement> pop() throws VirtqueueException {
    if (isEmpty()) {
      return Optional.empty();
    }
    List<GuestMemory.Segment> readable = new ArrayList<>(4);
    List<GuestMemory.Segment> writable = new ArrayList<>(4);
    GuestMemory.Segment ring = descriptors.segment();
    int count = 0;
    int id;
    boolean more;
    do {
      if (count == size) {
        throw new VirtqueueException("descriptor chain at " + nextAvail + " is longer than the queue");
      }
      long at = ring.offset() + (long) ((nextAvail + count) % size) * DESCRIPTOR_SIZE;
      int flags = ring.ram().getShort(at + FLAGS) & 0xffff;
      id = ring.ram().getShort(at + ID) & 0xffff;
      more = (flags & DESC_NEXT) != 0;
      if ((flags & DESC_INDIRECT) != 0) {
        if (count > 0 || more) {
          throw new VirtqueueException("indirect table in a chain");
        }
        indirect(ring.ram().getLong(at), ring.ram().getInt(at + LENGTH) & 0xffffffffL, readable, writable);
      } else {
        add(ring, at, flags, readable, writable);
      }
      count++;
    } while (more);
    if (descriptorsInUse() + count > size) {
      throw new VirtqueueException("more than " + size + " descriptors at once");
    }
    advanceAvail(count);
    inFlight.addLast(count);
    if (eventIndex && notifications) {
      askAtNext();
    }
    return Optional.of(
        new VirtqueueElement(id | count << 16, new ScatterList(readable), new ScatterList(writable)));
  }

  private void add(
      GuestMemory.Segment table,
      long at,
      int flags,
      List<GuestMemory.Segment> readable,
      List<GuestMemory.Segment> writable)
      throws VirtqueueException {
    long length = table.ram().getInt(at + LENGTH) & 0xffffffffL;
    if (length == 0) {
      throw new VirtqueueException("descriptor has no bytes");
    }
    boolean write = (flags & DESC_WRITE) != 0;
    if (!write && !writable.isEmpty()) {
      throw new VirtqueueException("descriptor to read follows one to write");
    }
    memory.resolve(table.ram().getLong(at), length, write, write ? writable : readable);
  }

  private void indirect(
      long address, long length, List<GuestMemory.Segment> readable, List<GuestMemory.Segment> writable)
      throws VirtqueueException {
    if (length == 0 || length % DESCRIPTOR_SIZE != 0 || length > SplitRing.MAX_INDIRECT * DESCRIPTOR_SIZE) {
      throw new VirtqueueException("indirect table of " + length + " bytes");
    }
    GuestMemory.Segment table = memory.window(address, length);
    for (long at = table.offset(); at < table.offset() + length; at += DESCRIPTOR_SIZE) {
      int flags = table.ram().getShort(at + FLAGS) & 0xffff;
      if ((flags & DESC_INDIRECT) != 0) {
        throw new VirtqueueException("indirect table inside an indirect table");
      }
      add(table, at, flags, readable, writable);
    }
  }

  private int descriptorsInUse() {
    int sum = 0;
    for (int count : inFlight) {
      sum += count;
    }
    return sum;
  }

  private void advanceAvail(int count) {
    nextAvail += count;
    if (nextAvail >= size) {
      nextAvail -= size;
      availWrap = !availWrap;
    } else if (nextAvail < 0) {
      nextAvail += size;
      availWrap = !availWrap;
    }
  }

  @Override
  public void push(int head, long written) throws VirtqueueException {
    int count = head >>> 16;
    long at = (long) nextUsed * DESCRIPTOR_SIZE;
    int flags = (usedWrap ? DESC_AVAIL | DESC_USED : 0) | (written > 0 ? DESC_WRITE : 0);
    descriptors.putShort(at + ID, head);
    descriptors.putInt(at + LENGTH, (int) Math.min(written, 0xffffffffL));
    if (firstUsed.isEmpty()) {
      firstUsed = Optional.of(new Used(nextUsed, flags));
    } else {
      VarHandle.releaseFence();
      descriptors.putShort(at + FLAGS, flags);
    }
    inFlight.removeFirstOccurrence(count);
    usedSincePublished += count;
    nextUsed += count;
    if (nextUsed >= size) {
      nextUsed -= size;
      usedWrap = !usedWrap;
    }
  }

  @Override
  public boolean publish() throws VirtqueueException {
    if (firstUsed.isPresent()) {
      VarHandle.releaseFence();
      descriptors.putShort((long) firstUsed.get().position() * DESCRIPTOR_SIZE + FLAGS, firstUsed.get().flags());
      firstUsed = Optional.empty();
    }
    int added = usedSincePublished;
    usedSincePublished = 0;
    VarHandle.fullFence();
    int flags = driverEvent.getShort(EVENT_FLAGS) & 3;
    if (flags != EVENT_AT_DESCRIPTOR || !eventIndex) {
      return flags != EVENT_DISABLE;
    }
    VarHandle.acquireFence();
    int event = driverEvent.getShort(0);
    int offset = event & WRAP_BIT - 1;
    if (((event & WRAP_BIT) != 0) != usedWrap) {
      offset -= size;
    }
    return ((nextUsed - offset - 1) & 0xffff) < (added & 0xffff);
  }

  @Override
  public void setNotifications(boolean wanted) throws VirtqueueException {
    notifications = wanted;
    if (!wanted) {
      deviceEvent.putShort(EVENT_FLAGS, EVENT_DISABLE);
    } else if (eventIndex) {
      askAtNext();
    } else {
      deviceEvent.putShort(EVENT_FLAGS, EVENT_ENABLE);
    }
    // The driver may have added a buffer just before it saw this: whoever turns notifications on looks again.
    VarHandle.fullFence();
  }

  /** Asks for a notification when the descriptor after the ones that were taken becomes available. */
  private void askAtNext() throws VirtqueueException {
    deviceEvent.putShort(0, nextAvail | (availWrap ? WRAP_BIT : 0));
    VarHandle.releaseFence();
    deviceEvent.putShort(EVENT_FLAGS, EVENT_AT_DESCRIPTOR);
  }

  @Override
  public void setEventIndex(boolean on) {
    eventIndex = on;
  }

  @Override
  public int inUse() {
    return inFlight.size();
  }

  @Override
  public void unpop(int count) {
    for (int i = 0; i < count && !inFlight.isEmpty(); i++) {
      advanceAvail(-inFlight.removeLast());
    }
  }

  @Override
  public void save(String prefix, StateWriter out) {
    // Whatever is in flight is popped again after a load.
    int back = nextAvail - descriptorsInUse();
    out.putLong(prefix + "nextAvail", back < 0 ? back + size : back);
    out.putBoolean(prefix + "availWrap", availWrap != back < 0);
    out.putLong(prefix + "nextUsed", nextUsed);
    out.putBoolean(prefix + "usedWrap", usedWrap);
    out.putBoolean(prefix + "notifications", notifications);
  }

  @Override
  public void load(String prefix, StateReader in) throws StateException {
    nextAvail = (int) in.getLong(prefix + "nextAvail", 0, size - 1);
    availWrap = in.getBoolean(prefix + "availWrap");
    nextUsed = (int) in.getLong(prefix + "nextUsed", 0, size - 1);
    usedWrap = in.getBoolean(prefix + "usedWrap");
    notifications = in.getBoolean(prefix + "notifications");
    inFlight.clear();
    firstUsed = Optional.empty();
    usedSincePublished = 0;
  }
}
