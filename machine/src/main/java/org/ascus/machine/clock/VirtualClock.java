package org.ascus.machine.clock;

import java.util.PriorityQueue;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/**
 * Guest time in nanoseconds since the machine started; it stands still while the machine is paused.
 *
 * <p>It runs either with the host's monotonic clock, timers firing on a thread of its own, or by instruction count,
 * when whoever executes instructions moves it and fires the timers ({@link #runDue}), so that the same input gives the
 * same run.
 */
public final class VirtualClock implements AutoCloseable {
  private static final long NEVER = Long.MAX_VALUE;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final PriorityQueue<Timer> armed = new PriorityQueue<>(VirtualClock::compare);
  private long nextOrder;
  private volatile LongSupplier instructionTime;
  private volatile Pace pace = new Pace(false, 0);
  /** What the clock's thread waits for (ns); it need not be woken for anything later. */
  private long wakeAt = NEVER;
  private volatile Consumer<Throwable> defectHandler = e -> {};
  private Thread firing;
  private Thread thread;
  private boolean closed;

  /** How guest time follows from the host's; one object, so that no reader sees half of a change. */
  private record Pace(boolean running, long offset) {
    /** Stands while {@link VirtualClock#stop} reads the time, so that nobody can have read a later one before. */
    static final Pace CHANGING = new Pace(false, 0);

    long nanos() {
      return running ? System.nanoTime() + offset : offset;
    }
  }

  /** A one-shot timer. Its callback runs on the clock's thread, or on the thread that calls {@link #runDue}. */
  public final class Timer {
    private final Runnable callback;
    private long deadline = NEVER;
    private long order;

    private Timer(Runnable callback) {
      this.callback = callback;
    }

    /** Fires once when guest time reaches {@code deadline} (ns; at once if it has); replaces an earlier deadline. */
    public void arm(long deadline) {
      lock.lock();
      try {
        armed.remove(this);
        this.deadline = deadline;
        this.order = nextOrder++;
        armed.add(this);
        startThread();
        if (deadline < wakeAt) {
          changed.signalAll();
        }
      } finally {
        lock.unlock();
      }
    }

    public void cancel() {
      lock.lock();
      try {
        armed.remove(this);
        deadline = NEVER;
      } finally {
        lock.unlock();
      }
    }
  }

  private static int compare(Timer a, Timer b) {
    return a.deadline != b.deadline ? Long.compare(a.deadline, b.deadline) : Long.compare(a.order, b.order);
  }

  public Timer newTimer(Runnable callback) {
    return new Timer(callback);
  }

  /** Guest time in nanoseconds. */
  public long nanos() {
    LongSupplier source = instructionTime;
    if (source != null) {
      return source.getAsLong();
    }
    while (true) {
      Pace now = pace;
      long nanos = now.nanos();
      if (now == pace && now != Pace.CHANGING) {
        return nanos;
      }
      Thread.onSpinWait();
    }
  }

  /** Lets time pass; harmless when it does already. */
  public void start() {
    lock.lock();
    try {
      if (!pace.running()) {
        pace = new Pace(true, pace.offset() - System.nanoTime());
        changed.signalAll();
      }
    } finally {
      lock.unlock();
    }
  }

  /** Stops time; harmless when it stands already. */
  public void stop() {
    lock.lock();
    try {
      if (pace.running()) {
        Pace old = pace;
        pace = Pace.CHANGING;
        pace = new Pace(false, old.nanos());
      }
    } finally {
      lock.unlock();
    }
  }

  /** Sets guest time, for a loaded snapshot; only while stopped. */
  public void setNanos(long nanos) {
    lock.lock();
    try {
      if (pace.running()) {
        throw new IllegalStateException("the clock runs");
      }
      pace = new Pace(false, nanos);
    } finally {
      lock.unlock();
    }
  }

  /** From now on time is what {@code source} says (ns), and timers fire in {@link #runDue} alone. */
  public void useInstructionTime(LongSupplier source) {
    instructionTime = source;
  }

  public boolean isInstructionTime() {
    return instructionTime != null;
  }

  /** When the next timer is due (ns), or {@link Long#MAX_VALUE}. */
  public long nextDeadline() {
    lock.lock();
    try {
      Timer next = armed.peek();
      return next == null ? NEVER : next.deadline;
    } finally {
      lock.unlock();
    }
  }

  /** Fires every timer that is due now, in order of deadline; none while time stands. */
  public void runDue() {
    for (Runnable due = pollDue(); due != null; due = pollDue()) {
      try {
        due.run();
      } catch (RuntimeException | Error e) {
        defectHandler.accept(e);
      } finally {
        fired();
      }
    }
  }

  private Runnable pollDue() {
    lock.lock();
    try {
      Timer next = armed.peek();
      boolean stands = instructionTime == null && !pace.running();
      if (next == null || stands || next.deadline > nanos()) {
        return null;
      }
      armed.poll();
      next.deadline = NEVER;
      firing = Thread.currentThread();
      return next.callback;
    } finally {
      lock.unlock();
    }
  }

  private void fired() {
    lock.lock();
    try {
      firing = null;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** Waits, once time was stopped, for a callback that runs still; returns at once when called by that callback. */
  public void awaitIdle() {
    lock.lock();
    try {
      while (firing != null && firing != Thread.currentThread()) {
        changed.awaitUninterruptibly();
      }
    } finally {
      lock.unlock();
    }
  }

  /** {@code handler} gets what a callback throws, which is a defect of the emulator; the clock goes on. */
  public void setDefectHandler(Consumer<Throwable> handler) {
    defectHandler = handler;
  }

  private void startThread() {
    if (thread == null && !closed && instructionTime == null) {
      thread = Thread.ofPlatform().daemon().name("ascus-clock").start(this::loop);
    }
  }

  private void loop() {
    while (true) {
      lock.lock();
      try {
        while (true) {
          if (closed) {
            return;
          }
          Timer next = armed.peek();
          if (!pace.running() || next == null || instructionTime != null) {
            wakeAt = NEVER;
            changed.awaitUninterruptibly();
            continue;
          }
          long wait = next.deadline - nanos();
          if (wait <= 0) {
            break;
          }
          wakeAt = next.deadline;
          try {
            changed.awaitNanos(wait);
          } catch (InterruptedException e) {
            return;
          } finally {
            wakeAt = NEVER;
          }
        }
      } finally {
        lock.unlock();
      }
      runDue();
    }
  }

  @Override
  public void close() {
    lock.lock();
    try {
      closed = true;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }
}
