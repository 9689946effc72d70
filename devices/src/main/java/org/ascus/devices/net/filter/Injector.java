package org.ascus.devices.net.filter;

import java.util.concurrent.locks.LockSupport;
import org.ascus.devices.net.Frame;
import org.ascus.devices.net.FrameQueue;
import org.ascus.devices.net.NetFilter;
import org.ascus.devices.net.NetLink;

/** Frames that go on from a filter on a thread of their own, and wait while the receiver has no room. */
final class Injector {
  static final int MOST_FRAMES = 10_000;
  static final int MOST_BYTES = 16 << 20;

  private static final long WAIT_NANOS = 100_000_000;

  private final NetFilter filter;
  private final NetLink link;
  private final NetFilter.Direction way;
  private final FrameQueue queue = new FrameQueue(MOST_FRAMES, MOST_BYTES);
  private final Thread thread;
  private volatile boolean closed;

  /**
   * @param way RX or TX
   */
  Injector(NetFilter filter, NetLink link, NetFilter.Direction way) {
    this.filter = filter;
    this.link = link;
    this.way = way;
    thread = Thread.ofPlatform().daemon().name("ascus-filter-" + link.id()).start(this::run);
  }

  /** Returns false if there is no room. */
  boolean send(Frame frame) {
    boolean taken = queue.add(frame);
    LockSupport.unpark(thread);
    return taken;
  }

  void wake() {
    LockSupport.unpark(thread);
  }

  private void run() {
    while (!closed) {
      Frame frame = queue.poll();
      if (frame == null) {
        LockSupport.park(this);
      }
      while (frame != null && !closed && !link.inject(filter, frame, way)) {
        LockSupport.parkNanos(this, WAIT_NANOS);
      }
    }
  }

  void close() {
    closed = true;
    LockSupport.unpark(thread);
  }
}
