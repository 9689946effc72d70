package org.ascus.devices.virtio.queue;

import java.util.Optional;
import org.ascus.machine.state.StateException;
import org.ascus.machine.state.StateReader;
import org.ascus.machine.state.StateWriter;

/**
 * A virtqueue: what the transport configures (size, addresses, ready) and what the device works with. Used under the
 * lock of its device only.
 */
public final class Virtqueue {
  /** Most entries that any queue may have. */
  public static final int MAX_SIZE = 1024;

  private static final VirtqueueException NOT_READY = new VirtqueueException("queue is not ready");

  private final int index;
  private final int maxSize;
  private final GuestMemory memory;
  private int size;
  private long descriptors;
  private long driver;
  private long device;
  private boolean eventIndex;
  private boolean packed;
  private Optional<Ring> ring = Optional.empty();

  /**
   * @param index number in its device
   * @param maxSize most entries that the driver may choose, at most {@link #MAX_SIZE}
   */
  public Virtqueue(int index, int maxSize, GuestMemory memory) {
    if (maxSize < 1 || maxSize > MAX_SIZE) {
      throw new IllegalArgumentException("queue size " + maxSize);
    }
    this.index = index;
    this.maxSize = maxSize;
    this.size = maxSize;
    this.memory = memory;
  }

  public int index() {
    return index;
  }

  public int maxSize() {
    return maxSize;
  }

  public int size() {
    return size;
  }

  /** True if {@code entries} is a size the driver may choose: a power of two up to {@link #maxSize}. */
  public boolean acceptsSize(int entries) {
    return entries > 0 && entries <= maxSize && Integer.bitCount(entries) == 1;
  }

  /** Takes effect when the queue becomes ready. */
  public void setSize(int entries) {
    if (!acceptsSize(entries)) {
      throw new IllegalArgumentException("queue size " + entries);
    }
    size = entries;
  }

  /** Guest-physical address of the descriptor area. */
  public long descriptors() {
    return descriptors;
  }

  /** Guest-physical address of the driver area (available ring). */
  public long driver() {
    return driver;
  }

  /** Guest-physical address of the device area (used ring). */
  public long device() {
    return device;
  }

  /** Takes effect when the queue becomes ready. */
  public void setAddresses(long descriptors, long driver, long device) {
    this.descriptors = descriptors;
    this.driver = driver;
    this.device = device;
  }

  /** VIRTIO_F_EVENT_IDX was negotiated or not. */
  public void setEventIndex(boolean eventIndex) {
    this.eventIndex = eventIndex;
    ring.ifPresent(r -> r.setEventIndex(eventIndex));
  }

  /** VIRTIO_F_RING_PACKED was negotiated or not; takes effect when the queue becomes ready. */
  public void setPacked(boolean packed) {
    this.packed = packed;
  }

  public boolean isReady() {
    return ring.isPresent();
  }

  /** Starts the queue at index 0 with the size and addresses set before; harmless when it is ready already. */
  public void start() {
    if (ring.isEmpty()) {
      Ring fresh =
          packed
              ? new PackedRing(memory, size, descriptors, driver, device)
              : new SplitRing(memory, size, descriptors, driver, device);
      fresh.setEventIndex(eventIndex);
      ring = Optional.of(fresh);
    }
  }

  /** Stops the queue; size and addresses stay. */
  public void stop() {
    ring = Optional.empty();
  }

  /** Back to what a device reset leaves. */
  public void reset() {
    stop();
    size = maxSize;
    setAddresses(0, 0, 0);
    eventIndex = false;
    packed = false;
  }

  private Ring ring() throws VirtqueueException {
    return ring.orElseThrow(() -> NOT_READY);
  }

  /**
   * Takes the next available buffer.
   *
   * @throws VirtqueueException when the ring or the chain is malformed; the device must then be reset
   */
  public Optional<VirtqueueElement> pop() throws VirtqueueException {
    return ring.isEmpty() ? Optional.empty() : ring().pop();
  }

  /** True when no buffer is available; a queue that is not ready has none. */
  public boolean isEmpty() throws VirtqueueException {
    return ring.isEmpty() || ring().isEmpty();
  }

  /**
   * Gives a buffer back; the driver sees it after {@link #publish}.
   *
   * @param written bytes that were written to its writable part, from its start
   */
  public void push(VirtqueueElement element, long written) throws VirtqueueException {
    ring().push(element.head(), written);
  }

  /** Shows the driver what was pushed; returns whether it wants an interrupt for that. */
  public boolean publish() throws VirtqueueException {
    return ring().publish();
  }

  /** Asks the driver for notifications or spares it them; after asking, look whether the queue is empty. */
  public void setNotifications(boolean wanted) throws VirtqueueException {
    if (ring.isPresent()) {
      ring().setNotifications(wanted);
    }
  }

  /** Buffers popped and not yet pushed. */
  public int inUse() {
    return ring.map(Ring::inUse).orElse(0);
  }

  /** Puts the buffer that was popped last back, as if it never was taken. */
  public void unpop() {
    ring.ifPresent(r -> r.unpop(1));
  }

  /** Writes fields named {@code q<index>.…}. Buffers in flight are saved as still available. */
  public void save(StateWriter out) {
    String prefix = "q" + index + ".";
    out.putLong(prefix + "size", size);
    out.putLongs(prefix + "addresses", descriptors, driver, device);
    out.putBoolean(prefix + "ready", isReady());
    ring.ifPresent(r -> r.save(prefix, out));
  }

  public void load(StateReader in) throws StateException {
    String prefix = "q" + index + ".";
    int entries = (int) in.getLong(prefix + "size", 1, maxSize);
    if (!acceptsSize(entries) && entries != maxSize) {
      throw new StateException("queue " + index + " cannot have " + entries + " entries");
    }
    size = entries;
    long[] addresses = in.getLongs(prefix + "addresses", 3);
    setAddresses(addresses[0], addresses[1], addresses[2]);
    stop();
    if (in.getBoolean(prefix + "ready")) {
      start();
      if (ring.isPresent()) {
        ring.get().load(prefix, in);
      }
    }
  }
}
