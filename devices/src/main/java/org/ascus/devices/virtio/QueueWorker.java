package org.ascus.devices.virtio;

import java.util.Optional;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.ascus.machine.clock.VirtualClock;

/**
 * The thread on which a device does the requests of its queues, one after the other, so that no virtual CPU waits for
 * the host. When time goes by instruction count, requests are done on the thread that notifies, so that a run can be
 * repeated exactly.
 */
public final class QueueWorker {
  /** Does requests. */
  @FunctionalInterface
  public interface Body {
    /**
     * Does the next request of a queue. Called with the device's lock held, which it may give up meanwhile unless the
     * request must be done on this thread.
     *
     * @return false when there was none
     */
    boolean step(int queue, boolean inline);
  }

  private final String name;
  private final ReentrantLock lock;
  private final VirtualClock clock;
  private final Body body;
  private final Condition wake;
  private final Condition changed;
  private Optional<Thread> thread = Optional.empty();
  private boolean busy;
  private boolean closing;
  private long pending;

  /**
   * @param name of the thread
   * @param lock the device's
   * @param clock guest time
   */
  public QueueWorker(String name, ReentrantLock lock, VirtualClock clock, Body body) {
    this.name = name;
    this.lock = lock;
    this.clock = clock;
    this.body = body;
    wake = lock.newCondition();
    changed = lock.newCondition();
  }

  /** A queue, of number 0 to 63, may have requests. Called with the lock held. */
  public void notify(int queue) {
    if (closing) {
      return;
    }
    pending |= 1L << queue;
    if (clock.isInstructionTime()) {
      drain(true);
      return;
    }
    if (thread.isEmpty()) {
      thread = Optional.of(Thread.ofPlatform().daemon().name(name).start(this::work));
    }
    wake.signal();
  }

  private void work() {
    lock.lock();
    try {
      while (true) {
        while (pending == 0 && !closing) {
          wake.awaitUninterruptibly();
        }
        if (pending == 0) {
          return;
        }
        busy = true;
        drain(false);
        busy = false;
        changed.signalAll();
      }
    } finally {
      lock.unlock();
    }
  }

  private void drain(boolean inline) {
    while (pending != 0) {
      int queue = Long.numberOfTrailingZeros(pending);
      if (!body.step(queue, inline)) {
        pending &= ~(1L << queue);
      }
    }
  }

  /** Waits until every request that the driver announced is done. Called without the lock. */
  public void quiesce() {
    lock.lock();
    try {
      while (thread.isPresent() && (busy || pending != 0)) {
        changed.awaitUninterruptibly();
      }
    } finally {
      lock.unlock();
    }
  }

  /** Finishes what was announced and ends the thread. Called without the lock. */
  public void close() {
    quiesce();
    lock.lock();
    try {
      closing = true;
      wake.signal();
    } finally {
      lock.unlock();
    }
  }
}
