package org.ascus.devices.net.filter;

import org.ascus.devices.net.Frame;
import org.ascus.devices.net.FrameQueue;
import org.ascus.devices.net.NetFilter;
import org.ascus.devices.net.NetLink;
import org.ascus.machine.clock.VirtualClock;

/**
 * {@code filter-buffer}: frames wait for the next of equal steps of guest time and go on together then. Those that are
 * too many, 10,000 or 16 MiB each way, are lost.
 */
public final class BufferFilter implements NetFilter {
  private final VirtualClock clock;
  private final long intervalNanos;
  private final long start;
  private final FrameQueue forGuest = new FrameQueue(Injector.MOST_FRAMES, Injector.MOST_BYTES);
  private final FrameQueue fromGuest = new FrameQueue(Injector.MOST_FRAMES, Injector.MOST_BYTES);
  private final Injector toGuest;
  private final Injector toBackend;
  private final VirtualClock.Timer timer;
  private boolean armed;

  /**
   * @param link where frames go on
   * @param intervalMicros a step in microseconds, positive
   */
  @SuppressWarnings("this-escape")
  public BufferFilter(NetLink link, VirtualClock clock, long intervalMicros) {
    this.clock = clock;
    this.intervalNanos = intervalMicros * 1000;
    start = clock.nanos();
    toGuest = new Injector(this, link, Direction.RX);
    toBackend = new Injector(this, link, Direction.TX);
    timer = clock.newTimer(this::release);
  }

  @Override
  public boolean diverts() {
    return true;
  }

  @Override
  public synchronized void seen(Frame frame, Direction way) {
    boolean ignored = (way == Direction.RX ? forGuest : fromGuest).add(frame);
    if (!armed) {
      armed = true;
      long steps = (clock.nanos() - start) / intervalNanos + 1;
      timer.arm(start + steps * intervalNanos);
    }
  }

  private synchronized void release() {
    armed = false;
    release(forGuest, toGuest);
    release(fromGuest, toBackend);
  }

  private static void release(FrameQueue from, Injector to) {
    for (Frame frame = from.poll(); frame != null; frame = from.poll()) {
      boolean ignored = to.send(frame);
    }
  }

  @Override
  public void roomAgain() {
    toGuest.wake();
    toBackend.wake();
  }

  @Override
  public void close() {
    timer.cancel();
    toGuest.close();
    toBackend.close();
  }
}
