package org.ascus.devices.block;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Threads on which devices wait for their disks: a device's own, or those of {@code -object iothread}, which several
 * devices may share. A thread is started when a task finds none that is idle, and ends when it had nothing to do for
 * a while.
 */
public final class IoThread implements Executor {
  /** Threads at most, unless somebody says otherwise. */
  public static final int DEFAULT_MOST = 64;

  private static final long IDLE_SECONDS = 5;

  private final String name;
  private final int most;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition work = lock.newCondition();
  private final Deque<Runnable> tasks = new ArrayDeque<>();
  private int threads;
  private int idle;

  /**
   * @param name what the host's tools show for the threads
   * @param most threads at once; further tasks wait
   */
  public IoThread(String name, int most) {
    this.name = name;
    this.most = most;
  }

  /** Runs {@code task}, which throws nothing, soon. */
  @Override
  public void execute(Runnable task) {
    lock.lock();
    try {
      tasks.add(task);
      if (idle >= tasks.size()) {
        work.signal();
      } else if (threads < most) {
        threads++;
        Thread.ofPlatform().daemon().name("ascus-" + name).start(this::run);
      }
    } finally {
      lock.unlock();
    }
  }

  private void run() {
    lock.lock();
    try {
      while (true) {
        Runnable task = tasks.poll();
        if (task == null) {
          if (!awaitTask()) {
            threads--;
            return;
          }
          continue;
        }
        lock.unlock();
        try {
          task.run();
        } finally {
          lock.lock();
        }
      }
    } finally {
      lock.unlock();
    }
  }

  /** Waits for a task; false when none has come for long. */
  private boolean awaitTask() {
    idle++;
    boolean interrupted = false;
    try {
      long left = TimeUnit.SECONDS.toNanos(IDLE_SECONDS);
      while (tasks.isEmpty() && left > 0) {
        try {
          left = work.awaitNanos(left);
        } catch (InterruptedException e) {
          // Nobody interrupts these threads but a task that meant something else.
          interrupted = true;
        }
      }
      return !tasks.isEmpty();
    } finally {
      idle--;
      if (interrupted) {
        Thread.interrupted();
      }
    }
  }
}
