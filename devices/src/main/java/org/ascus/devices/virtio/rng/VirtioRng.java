package org.ascus.devices.virtio.rng;

import java.util.Map;
import java.util.Optional;
import org.ascus.devices.virtio.VirtioDevice;
import org.ascus.devices.virtio.VirtioHost;
import org.ascus.devices.virtio.queue.Virtqueue;
import org.ascus.devices.virtio.queue.VirtqueueElement;
import org.ascus.devices.virtio.queue.VirtqueueException;
import org.ascus.machine.clock.VirtualClock;
import org.ascus.machine.device.DeviceException;
import org.ascus.machine.state.StateException;
import org.ascus.machine.state.StateReader;
import org.ascus.machine.state.StateWriter;

/**
 * The virtio entropy device (VIRTIO 1.2, section 5.4): one queue, whose buffers it fills with random bytes, at most so
 * many in a period of guest time.
 */
public final class VirtioRng extends VirtioDevice {
  /** No limit that matters. */
  public static final long UNLIMITED = Long.MAX_VALUE;

  private static final int DEVICE_ID = 4;
  private static final int QUEUE_SIZE = 8;
  private static final int MOST_AT_ONCE = 64 * 1024;

  private final EntropySource source;
  private final long maxBytes;
  private final long periodNanos;
  private final VirtualClock.Timer timer;
  private long quota;
  private boolean armed;
  private long deadline;

  /**
   * @param source used with the lock held; must not block for long
   * @param maxBytes most bytes per period
   * @param periodMillis length of a period, at least 1
   */
  public VirtioRng(String id, VirtioHost host, EntropySource source, long maxBytes, long periodMillis)
      throws DeviceException {
    super("virtio-rng-device", id, host, DEVICE_ID, QUEUE_SIZE);
    if (periodMillis < 1) {
      throw new DeviceException("'period' parameter expects a positive integer");
    }
    if (maxBytes < 0) {
      throw new DeviceException("'max-bytes' parameter must be non-negative, and less than 2^63");
    }
    this.source = source;
    this.maxBytes = maxBytes;
    this.periodNanos = Math.multiplyExact(Math.min(periodMillis, Long.MAX_VALUE / 2_000_000), 1_000_000L);
    this.timer = host.clock().newTimer(confined(this::periodEnded));
    this.quota = maxBytes;
  }

  @Override
  protected long deviceFeatures() {
    return 0;
  }

  @Override
  protected byte[] configSpace() {
    return new byte[0];
  }

  @Override
  protected void queueNotified(Virtqueue queue) {
    try {
      boolean used = false;
      while (quota > 0) {
        Optional<VirtqueueElement> element = queue.pop();
        if (element.isEmpty()) {
          break;
        }
        int count = (int) Math.min(Math.min(quota, MOST_AT_ONCE), element.get().writable().size());
        byte[] bytes = new byte[count];
        source.fill(bytes);
        element.get().writable().write(0, bytes, 0, count);
        queue.push(element.get(), count);
        if (maxBytes != UNLIMITED) {
          quota -= count;
          startPeriod();
        }
        used = true;
      }
      if (used) {
        publish(queue);
      }
    } catch (VirtqueueException e) {
      fail(queue, e.getMessage());
    }
  }

  private void startPeriod() {
    if (!armed) {
      armed = true;
      deadline = host().clock().nanos() + periodNanos;
      timer.arm(deadline);
    }
  }

  private void periodEnded() {
    if (armed) {
      armed = false;
      quota = maxBytes;
      notifyQueue(0);
    }
  }

  /** The limit is the host's, so a reset does not refill it. */
  @Override
  protected void deviceReset() {}

  @Override
  public void close() {
    timer.cancel();
  }

  @Override
  public Map<String, String> properties() {
    return Map.of("max-bytes", Long.toString(maxBytes), "period", Long.toString(periodNanos / 1_000_000));
  }

  @Override
  protected void saveDevice(StateWriter out) {
    out.putLong("quota", quota);
    out.putLong("deadline", armed ? deadline : -1);
  }

  @Override
  protected void loadDevice(StateReader in, int version) throws StateException {
    quota = in.getLong("quota", 0, maxBytes);
    deadline = in.getLong("deadline", -1, Long.MAX_VALUE);
    armed = deadline >= 0;
    timer.cancel();
    if (armed) {
      timer.arm(deadline);
    }
  }
}
