package org.ascus.devices.virtio;

import java.util.ArrayDeque;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.BlockNode;
import org.ascus.devices.block.IoThread;

/**
 * Runs a device's requests on I/O threads. They may be done and completed in any order.
 *
 * <p>As long as requests take no longer than it takes to wake a thread, one thread does them one after the other; once
 * they take longer, each has a thread of its own, as far as there are threads. All methods are called with the device's
 * lock held.
 */
public final class RequestWorkers {
  /** Time that a request may take on average before others are no longer made to wait for it. */
  private static final long WORTH_A_THREAD_NANOS = 50_000;

  /** One request, or several that became one. */
  public interface Job {
    /** Does it, without the device's lock. Guest memory may be touched: no reset is over before this is. */
    void run();

    /** Gives it back to the driver, with the device's lock held. */
    void complete();

    /** Whether it surely takes long. */
    boolean slow();

    /** Whether it failed, and is to be run again when the machine, which stops for it, goes on. */
    boolean again();
  }

  /** Where jobs come from. */
  public interface Source {
    /** The next job; empty when there is none, and the driver will then tell of the next. */
    Optional<Job> take();

    /** Whether there are more; if not, the driver will tell of the next. */
    boolean hasMore();
  }

  private final ReentrantLock lock;
  private final IoThread threads;
  private final Source source;
  private final Runnable ioError;
  private final Condition changed;
  private final Queue<Job> waiting = new ArrayDeque<>();
  private final Queue<Job> retried = new ArrayDeque<>();
  private int workers;
  private int running;
  private int slow;
  private int draining;
  private long averageNanos;
  private boolean closed;

  /**
   * @param ioError called, without the lock, when a job must be run again: stops the machine
   */
  public RequestWorkers(ReentrantLock lock, IoThread threads, Runnable ioError, Source source) {
    this.lock = lock;
    this.ioError = ioError;
    this.threads = threads;
    this.source = source;
    this.changed = lock.newCondition();
  }

  /** There may be something to do. */
  public void wake() {
    if (draining == 0 && (workers == 0 || workers == running && isSlow())) {
      start();
    }
  }

  private boolean isSlow() {
    return slow > 0 || averageNanos > WORTH_A_THREAD_NANOS;
  }

  private void start() {
    workers++;
    threads.execute(this::work);
  }

  private void work() {
    lock.lock();
    try {
      while (draining == 0) {
        Optional<Job> job = retried.isEmpty() ? source.take() : Optional.of(retried.poll());
        if (job.isEmpty()) {
          return;
        }
        run(job.get());
      }
    } finally {
      workers--;
      changed.signalAll();
      lock.unlock();
    }
  }

  private void run(Job job) {
    running++;
    slow += job.slow() ? 1 : 0;
    if (isSlow() && hasMore()) {
      wake();
    }
    long start = System.nanoTime();
    lock.unlock();
    try {
      job.run();
    } finally {
      lock.lock();
      running--;
      slow -= job.slow() ? 1 : 0;
      changed.signalAll();
    }
    if (!job.slow()) {
      averageNanos += (System.nanoTime() - start - averageNanos) / 4;
    }
    if (job.again()) {
      waiting.add(job);
      unlocked(ioError);
    } else {
      job.complete();
    }
  }

  private void unlocked(Runnable body) {
    lock.unlock();
    try {
      body.run();
    } finally {
      lock.lock();
    }
  }

  private boolean hasMore() {
    return !retried.isEmpty() || source.hasMore();
  }

  /** The machine goes on: jobs that wait for that are run again. */
  public void retry() {
    retried.addAll(waiting);
    waiting.clear();
    if (!retried.isEmpty()) {
      wake();
    }
  }

  /**
   * Waits until everything is done that the driver told of. Jobs that wait for the machine are run once more, and fail
   * for good if they fail again. Gives up the lock meanwhile.
   */
  public void awaitAll() {
    while (workers > 0) {
      changed.awaitUninterruptibly();
    }
    for (Job job = waiting.poll(); job != null; job = waiting.poll()) {
      unlocked(job::run);
      job.complete();
    }
  }

  /**
   * Waits until everything is done that the driver told of, and makes it durable; the device begins nothing afterwards.
   * Called without the lock.
   *
   * @param failed told of disks for which that cannot be
   */
  public void close(List<BlockNode> disks, Consumer<BlockException> failed) {
    lock.lock();
    try {
      awaitAll();
      closed = true;
    } finally {
      lock.unlock();
    }
    for (BlockNode disk : disks) {
      try {
        disk.flush();
      } catch (BlockException e) {
        failed.accept(e);
      }
    }
  }

  public boolean isClosed() {
    return closed;
  }

  /**
   * Waits until nothing runs that was begun before, and begins nothing meanwhile; what waits for the machine is
   * forgotten. Gives up the lock meanwhile.
   */
  public void awaitRunning() {
    waiting.clear();
    retried.clear();
    awaitBegun();
    waiting.clear();
  }

  /** As {@link #awaitRunning}, but what waits for the machine goes on waiting. */
  public void awaitBegun() {
    draining++;
    while (running > 0) {
      changed.awaitUninterruptibly();
    }
    draining--;
    if (hasMore()) {
      wake();
    }
  }
}
