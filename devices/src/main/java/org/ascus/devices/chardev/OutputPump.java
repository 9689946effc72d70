package org.ascus.devices.chardev;

import java.io.IOException;
import java.io.OutputStream;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Output on its way to the host, collected and written by a thread of its own, so that a guest that prints byte by byte
 * costs one host write for a burst and a host that takes nothing does not stop a CPU.
 */
public final class OutputPump implements AutoCloseable {
  private static final int ROOM = 1 << 16;
  private static final int LIMIT = 1 << 20;

  /** After a burst the writer looks again this often before it sleeps, so that a byte need not wake it. */
  private static final int LOOKS = 20;

  private static final long LOOK_NANOS = 1_000_000;
  private static final long PATIENCE_MILLIS = 2_000;

  private final OutputStream out;
  private final Runnable roomListener;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition filled = lock.newCondition();
  private final Condition drained = lock.newCondition();
  private final Thread writer;
  private byte[] buffer = new byte[1 << 12];
  private int used;
  private boolean wasFull;
  private boolean writing;
  private boolean closed;

  /**
   * @param out written by this alone, and closed by {@link #close}
   * @param roomListener called, on the writer's thread, when {@link #hasRoom} is true again
   */
  public OutputPump(String name, OutputStream out, Runnable roomListener) {
    this.out = out;
    this.roomListener = roomListener;
    this.writer = Thread.ofPlatform().daemon().name("ascus-output-" + name).start(this::loop);
  }

  /** Sends bytes, see {@link CharBackend#write}. */
  public void write(byte[] data, int offset, int length) {
    lock.lock();
    try {
      while (used > LIMIT - length && used > 0 && !closed) {
        drained.awaitUninterruptibly();
      }
      if (closed) {
        return;
      }
      if (used + length > buffer.length) {
        buffer = java.util.Arrays.copyOf(buffer, Math.max(used + length, buffer.length * 2));
      }
      System.arraycopy(data, offset, buffer, used, length);
      used += length;
      filled.signal();
    } finally {
      lock.unlock();
    }
  }

  /** As {@link CharBackend#hasRoom}. */
  public boolean hasRoom() {
    lock.lock();
    try {
      boolean room = used < ROOM;
      wasFull |= !room;
      return room;
    } finally {
      lock.unlock();
    }
  }

  private void loop() {
    byte[] taken = new byte[1 << 12];
    int looks = 0;
    while (true) {
      int count;
      boolean tellRoom;
      lock.lock();
      try {
        writing = false;
        drained.signalAll();
        if (used == 0) {
          if (closed) {
            return;
          }
          await(looks++ < LOOKS);
          continue;
        }
        looks = 0;
        byte[] full = buffer;
        buffer = taken;
        taken = full;
        count = used;
        used = 0;
        writing = true;
        tellRoom = wasFull;
        wasFull = false;
      } catch (InterruptedException e) {
        return;
      } finally {
        lock.unlock();
      }
      writeOut(taken, count);
      if (tellRoom) {
        roomListener.run();
      }
      if (!isClosed()) {
        java.util.concurrent.locks.LockSupport.parkNanos(LOOK_NANOS);
      }
    }
  }

  private void await(boolean briefly) throws InterruptedException {
    if (!briefly) {
      filled.await();
      return;
    }
    // Sleeps without being a waiter of the condition, so that the next byte costs its writer no wake-up.
    lock.unlock();
    try {
      TimeUnit.NANOSECONDS.sleep(LOOK_NANOS);
    } finally {
      lock.lock();
    }
  }

  private void writeOut(byte[] data, int count) {
    try {
      out.write(data, 0, count);
      out.flush();
    } catch (IOException e) {
      // Nobody reads any more: the guest goes on as with a terminal that was unplugged.
    }
  }

  private boolean isClosed() {
    lock.lock();
    try {
      return closed;
    } finally {
      lock.unlock();
    }
  }

  /** Waits until everything so far is written, unless the host takes nothing for {@value #PATIENCE_MILLIS} ms. */
  public void flush() {
    lock.lock();
    try {
      while (used > 0 || writing) {
        filled.signal();
        int before = used;
        if (!drained.await(PATIENCE_MILLIS, TimeUnit.MILLISECONDS) && before == used) {
          return;
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void close() {
    flush();
    lock.lock();
    try {
      if (closed) {
        return;
      }
      closed = true;
      filled.signalAll();
      drained.signalAll();
      if (writing) {
        // The host takes nothing; closing the stream would wait for it too.
        return;
      }
    } finally {
      lock.unlock();
    }
    try {
      out.close();
    } catch (IOException e) {
      // Everything is written.
    }
  }
}
