package org.ascus.polyglot;

import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.ascus.machine.cpu.Cpu;
import org.ascus.machine.run.Machine;
import org.ascus.machine.run.RunState;
import org.ascus.machine.run.ShutdownReason;

/** Runs a machine by instruction count on a thread of its own: what {@link Machine#start} is for one in real time. */
final class InstructionRunner {
  /** Bounds how long a pause waits. */
  private static final long CHUNK = 1_000_000;

  private static final long IDLE_NANOS = 1_000_000;

  private final Machine machine;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private boolean wanted;
  private boolean inside;
  private Thread thread;

  InstructionRunner(Machine machine) {
    this.machine = machine;
  }

  void start(boolean paused) {
    wanted = !paused;
    thread = Thread.ofPlatform().name("ascus-icount").daemon().start(this::loop);
  }

  boolean started() {
    return thread != null;
  }

  private void loop() {
    while (machine.state() != RunState.ENDED) {
      if (!enter()) {
        return;
      }
      long done = 0;
      try {
        done = machine.runFor(CHUNK);
      } catch (RuntimeException | Error e) {
        machine.requestShutdown(new ShutdownReason(ShutdownReason.Kind.HOST_ERROR, 1, Failures.describe(e)));
      } finally {
        leave(done);
      }
    }
  }

  private boolean enter() {
    lock.lock();
    try {
      while (!wanted) {
        changed.await();
      }
      machine.resume();
      inside = true;
      return true;
    } catch (InterruptedException e) {
      return false;
    } finally {
      lock.unlock();
    }
  }

  private void leave(long done) {
    lock.lock();
    try {
      inside = false;
      changed.signalAll();
      if (machine.state() != RunState.RUNNING) {
        wanted = false;
      } else if (done == 0) {
        // All CPUs sleep and no timer is armed: only input from outside can wake them.
        long ignored = changed.awaitNanos(IDLE_NANOS);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      lock.unlock();
    }
  }

  void resume() {
    lock.lock();
    try {
      machine.resume();
      wanted = machine.state() == RunState.RUNNING;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** Returns when no instruction runs any more. */
  void pause() {
    lock.lock();
    try {
      wanted = false;
      while (inside && Thread.currentThread() != thread) {
        machine.cpus().forEach(Cpu::requestExit);
        changed.awaitUninterruptibly();
      }
      machine.pause();
    } finally {
      lock.unlock();
    }
  }

  void stop() {
    pause();
    if (thread != null) {
      thread.interrupt();
    }
  }
}
