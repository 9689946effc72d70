package org.ascus.devices.virtio.balloon;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.ascus.devices.virtio.VirtioDevice;
import org.ascus.devices.virtio.VirtioHost;
import org.ascus.devices.virtio.queue.GuestMemory;
import org.ascus.devices.virtio.queue.Virtqueue;
import org.ascus.devices.virtio.queue.VirtqueueElement;
import org.ascus.devices.virtio.queue.VirtqueueException;
import org.ascus.machine.bus.BusFault;
import org.ascus.machine.bus.FlatView;
import org.ascus.machine.bus.GuestRam;
import org.ascus.machine.bus.RamRegion;
import org.ascus.machine.clock.VirtualClock;
import org.ascus.machine.device.DeviceException;
import org.ascus.machine.state.StateException;
import org.ascus.machine.state.StateReader;
import org.ascus.machine.state.StateWriter;

/**
 * The virtio memory balloon (VIRTIO 1.2, section 5.5). Pages that the guest puts into it go back to the host and read
 * as zeroes when the guest takes them out again. Queues: inflate, deflate, statistics, reports of free pages.
 *
 * <p>Configuration space, 32 bits each: pages that the host wants in the balloon, pages that are in it, a number for
 * free page hints, which are not on offer, and what the guest fills free pages with.
 */
public final class VirtioBalloon extends VirtioDevice {
  /** Bytes of what counts as a page here, whatever the guest's pages are. */
  public static final int PAGE = 4096;

  private static final int DEVICE_ID = 5;
  private static final int QUEUE_SIZE = 128;
  private static final int INFLATE = 0;
  private static final int STATISTICS = 2;
  private static final int REPORTING = 3;
  private static final long F_STATISTICS = 1L << 1;
  private static final long F_DEFLATE_ON_OOM = 1L << 2;
  private static final long F_PAGE_POISON = 1L << 4;
  private static final long F_REPORTING = 1L << 5;
  private static final int CONFIG_ACTUAL = 4;
  private static final int CONFIG_POISON = 12;
  private static final int MOST_LIST = 1 << 20;
  private static final int STATISTIC = 10;
  private static final int MOST_STATISTICS = 64;
  private static final long SECOND = 1_000_000_000;

  private static final List<String> NAMES =
      List.of(
          "stat-swap-in", "stat-swap-out", "stat-major-faults", "stat-minor-faults", "stat-free-memory",
          "stat-total-memory", "stat-available-memory", "stat-disk-caches", "stat-htlb-pgalloc",
          "stat-htlb-pgfail", "stat-oom-kill", "stat-alloc-stall", "stat-scan-async", "stat-scan-direct",
          "stat-reclaim-async", "stat-reclaim-direct");

  private final BalloonOptions options;
  private final long ramSize;
  private final VirtualClock.Timer poll;
  private final Map<String, Long> statistics = new LinkedHashMap<>();
  private Optional<VirtqueueElement> statisticsBuffer = Optional.empty();
  private int wanted;
  private int actual;
  private int poison;

  /**
   * @param ramSize of the machine, in bytes
   */
  public VirtioBalloon(String id, VirtioHost host, long ramSize, BalloonOptions options) throws DeviceException {
    super("virtio-balloon-device", id, host, DEVICE_ID, queueSizes(options));
    if (options.pollSeconds() < 0) {
      throw new DeviceException("guest-stats-polling-interval must not be negative");
    }
    this.options = options;
    this.ramSize = ramSize;
    this.poll = host.clock().newTimer(confined(this::askForStatistics));
  }

  private static int[] queueSizes(BalloonOptions options) {
    return options.freePageReporting()
        ? new int[] {QUEUE_SIZE, QUEUE_SIZE, QUEUE_SIZE, QUEUE_SIZE}
        : new int[] {QUEUE_SIZE, QUEUE_SIZE, QUEUE_SIZE};
  }

  @Override
  protected long deviceFeatures() {
    return F_STATISTICS
        | (options.deflateOnOom() ? F_DEFLATE_ON_OOM : 0)
        | (options.pagePoison() ? F_PAGE_POISON : 0)
        | (options.freePageReporting() ? F_REPORTING : 0);
  }

  @Override
  protected byte[] configSpace() {
    ByteBuffer space = ByteBuffer.allocate(16).order(ByteOrder.LITTLE_ENDIAN);
    return space.putInt(wanted).putInt(actual).putInt(0).putInt(poison).array();
  }

  @Override
  protected void configWritten(int offset, int width, long value) {
    if (offset == CONFIG_ACTUAL && width == 4) {
      actual = (int) value;
    } else if (offset == CONFIG_POISON && width == 4 && negotiated(F_PAGE_POISON)) {
      poison = (int) value;
    } else {
      guestError("write of " + width + " bytes to configuration offset " + offset);
    }
  }

  @Override
  protected void deviceReset() {
    actual = 0;
    poison = 0;
    statisticsBuffer = Optional.empty();
    statistics.clear();
    poll.cancel();
  }

  /**
   * Asks the guest to live with so much memory.
   *
   * @param bytes as much as there is, or less
   */
  public void setTarget(long bytes) {
    lock().lock();
    try {
      long pages = (ramSize - Math.clamp(bytes, 0, ramSize)) / PAGE;
      wanted = (int) Math.min(pages, 0xffffffffL);
      configChanged();
    } finally {
      lock().unlock();
    }
  }

  /** Bytes of memory that the guest has, by what it says. */
  public long actualMemory() {
    lock().lock();
    try {
      return Math.max(0, ramSize - (actual & 0xffffffffL) * PAGE);
    } finally {
      lock().unlock();
    }
  }

  /** What the guest said of its memory when it was asked last: values by name, those of memory in bytes. */
  public Map<String, Long> statistics() {
    lock().lock();
    try {
      return new LinkedHashMap<>(statistics);
    } finally {
      lock().unlock();
    }
  }

  @Override
  protected void queueNotified(Virtqueue queue) {
    try {
      if (queue.index() == STATISTICS) {
        takeStatistics(queue);
        return;
      }
      boolean used = false;
      for (Optional<VirtqueueElement> e = queue.pop(); e.isPresent(); e = queue.pop()) {
        if (queue.index() == INFLATE) {
          inflate(e.get());
        } else if (queue.index() == REPORTING) {
          report(e.get());
        }
        queue.push(e.get(), 0);
        used = true;
      }
      if (used) {
        publish(queue);
      }
    } catch (VirtqueueException e) {
      fail(queue, e.getMessage());
    }
  }

  /** A list of page numbers, 32 bits each; runs of them are given back at once. */
  private void inflate(VirtqueueElement element) throws VirtqueueException {
    long size = element.readable().size();
    if (size > MOST_LIST) {
      throw new VirtqueueException("list of pages of " + size + " bytes");
    }
    ByteBuffer list = ByteBuffer.wrap(element.readable().toBytes(0, (int) size)).order(ByteOrder.LITTLE_ENDIAN);
    long start = -1;
    long count = 0;
    boolean down = false;
    while (list.remaining() >= 4) {
      long page = list.getInt() & 0xffffffffL;
      // Linux hands out its pages downwards as often as upwards.
      if (count > 0 && page == start + count && !down) {
        count++;
      } else if (count > 0 && page == start - 1 && (down || count == 1)) {
        down = true;
        start--;
        count++;
      } else {
        free(start, count);
        start = page;
        count = 1;
        down = false;
      }
    }
    free(start, count);
  }

  private void free(long page, long count) {
    for (long at = page; at < page + count; at++) {
      long address = at * PAGE;
      try {
        FlatView.Range range = host().memory().view().find(address, PAGE);
        if (range.region() instanceof RamRegion ram && ram.writable()) {
          long run = Math.min(page + count - at, (range.end() - address) / PAGE);
          ram.ram().discard(address - range.start() + range.offset(), run * PAGE);
          at += run - 1;
          continue;
        }
      } catch (BusFault e) {
        // Said below.
      }
      guestError("page 0x" + Long.toHexString(at) + " in the balloon is not RAM");
    }
  }

  /** Free memory as such: the guest does not use it before it has the buffer back. */
  private void report(VirtqueueElement element) {
    if (poison != 0) {
      return;
    }
    for (GuestMemory.Segment piece : element.writable().segments()) {
      long start = (piece.offset() + GuestRam.PAGE - 1) & -GuestRam.PAGE;
      long end = (piece.offset() + piece.length()) & -GuestRam.PAGE;
      if (start < end) {
        piece.ram().discard(start, end - start);
      }
    }
  }

  /** The guest sends one buffer and gets it back when it is asked for the next. */
  private void takeStatistics(Virtqueue queue) throws VirtqueueException {
    for (Optional<VirtqueueElement> e = queue.pop(); e.isPresent(); e = queue.pop()) {
      if (statisticsBuffer.isPresent()) {
        queue.push(statisticsBuffer.get(), 0);
        publish(queue);
      }
      statisticsBuffer = e;
      int size = (int) Math.min(e.get().readable().size(), MOST_STATISTICS * STATISTIC);
      ByteBuffer list = ByteBuffer.wrap(e.get().readable().toBytes(0, size)).order(ByteOrder.LITTLE_ENDIAN);
      while (list.remaining() >= STATISTIC) {
        int tag = list.getShort() & 0xffff;
        long value = list.getLong();
        if (tag < NAMES.size()) {
          statistics.put(NAMES.get(tag), value);
        }
      }
    }
    if (statisticsBuffer.isPresent()) {
      armPoll();
    }
  }

  private void armPoll() {
    if (options.pollSeconds() > 0) {
      poll.arm(host().clock().nanos() + options.pollSeconds() * SECOND);
    }
  }

  private void askForStatistics() {
    if (statisticsBuffer.isEmpty() || !live()) {
      return;
    }
    Virtqueue queue = queue(STATISTICS);
    try {
      queue.push(statisticsBuffer.get(), 0);
      statisticsBuffer = Optional.empty();
      publish(queue);
    } catch (VirtqueueException e) {
      fail(queue, e.getMessage());
    }
  }

  @Override
  public void close() {
    poll.cancel();
  }

  @Override
  public Map<String, String> properties() {
    Map<String, String> all = new LinkedHashMap<>();
    all.put("deflate-on-oom", Boolean.toString(options.deflateOnOom()));
    all.put("free-page-reporting", Boolean.toString(options.freePageReporting()));
    all.put("page-poison", Boolean.toString(options.pagePoison()));
    all.put("guest-stats-polling-interval", Integer.toString(options.pollSeconds()));
    all.put("guest-stats", statistics().toString());
    return all;
  }

  @Override
  protected void saveDevice(StateWriter out) {
    out.putLong("wanted", wanted & 0xffffffffL);
    out.putLong("actual", actual & 0xffffffffL);
    out.putLong("poison", poison & 0xffffffffL);
  }

  /** The buffer for statistics comes again with the queue. */
  @Override
  protected void loadDevice(StateReader in, int version) throws StateException {
    wanted = (int) in.getLong("wanted", 0, 0xffffffffL);
    actual = (int) in.getLong("actual", 0, 0xffffffffL);
    poison = (int) in.getLong("poison", 0, 0xffffffffL);
  }
}
