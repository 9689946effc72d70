package org.ascus.devices.chardev;

import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Standard input and output of the process. Output is collected and written by a thread of its own, so that a guest that
 * prints byte by byte costs one host write a burst; {@link #close} writes what is left.
 */
public final class StdioChardev implements CharBackend {
  private static final int BUFFER = 1 << 16;

  private final FileOutputStream out = new FileOutputStream(FileDescriptor.out);
  private final FileInputStream in = new FileInputStream(FileDescriptor.in);
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final Condition room = lock.newCondition();
  private final AtomicBoolean closed = new AtomicBoolean();
  private final Thread writer;
  private byte[] buffer = new byte[BUFFER];
  private int used;
  private volatile CharReceiver receiver;

  public StdioChardev() {
    writer = Thread.ofPlatform().daemon().name("ascus-stdout").start(this::writeLoop);
  }

  @Override
  public void write(byte[] data, int offset, int length) {
    lock.lock();
    try {
      for (int i = 0; i < length; i++) {
        while (used == BUFFER && !closed.get()) {
          room.awaitUninterruptibly();
        }
        if (used < BUFFER) {
          buffer[used++] = data[offset + i];
        }
      }
      changed.signal();
    } finally {
      lock.unlock();
    }
  }

  private void writeLoop() {
    byte[] spare = new byte[BUFFER];
    while (true) {
      int count;
      lock.lock();
      try {
        while (used == 0) {
          if (closed.get()) {
            return;
          }
          changed.awaitUninterruptibly();
        }
        byte[] full = buffer;
        count = used;
        buffer = spare;
        spare = full;
        used = 0;
        room.signalAll();
      } finally {
        lock.unlock();
      }
      try {
        out.write(spare, 0, count);
      } catch (IOException e) {
        // Nobody reads any more; the guest goes on as with a disconnected terminal.
      }
    }
  }

  @Override
  public void connect(CharReceiver newReceiver) {
    boolean first = receiver == null;
    receiver = newReceiver;
    if (first) {
      Thread.ofPlatform().daemon().name("ascus-stdin").start(this::readLoop);
    }
  }

  private void readLoop() {
    byte[] data = new byte[256];
    try {
      while (!closed.get()) {
        int count = in.read(data);
        if (count < 0) {
          return;
        }
        int done = 0;
        while (done < count && !closed.get()) {
          int now = Math.min(receiver.canReceive(), count - done);
          if (now > 0) {
            receiver.receive(data, done, now);
            done += now;
          } else {
            awaitRoom();
          }
        }
      }
    } catch (IOException | InterruptedException e) {
      // Standard input is gone: there is no more input.
    }
  }

  private synchronized void awaitRoom() throws InterruptedException {
    wait(10);
  }

  @Override
  public synchronized void acceptInput() {
    notifyAll();
  }

  @Override
  public void close() {
    if (closed.compareAndSet(false, true)) {
      lock.lock();
      try {
        changed.signal();
        room.signalAll();
      } finally {
        lock.unlock();
      }
      try {
        writer.join(5000);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
