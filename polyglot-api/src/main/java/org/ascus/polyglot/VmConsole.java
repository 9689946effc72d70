package org.ascus.polyglot;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.ascus.devices.chardev.CharBackend;
import org.ascus.devices.chardev.CharReceiver;

/**
 * The program's end of a serial line: what the guest prints can be waited for, and input typed. Bytes are characters
 * (ISO 8859-1). Only the last {@value #LIMIT} bytes of output are kept.
 */
public final class VmConsole implements CharBackend {
  private static final int LIMIT = 1 << 22;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final StringBuilder output = new StringBuilder();
  private final ArrayDeque<Byte> input = new ArrayDeque<>();
  private CharReceiver receiver = new Nobody();
  private int expected;
  private boolean closed;

  private static final class Nobody implements CharReceiver {
    @Override
    public int canReceive() {
      return 0;
    }

    @Override
    public void receive(byte[] data, int offset, int length) {}
  }

  @Override
  public void write(byte[] data, int offset, int length) {
    lock.lock();
    try {
      output.append(new String(data, offset, length, StandardCharsets.ISO_8859_1));
      if (output.length() > LIMIT) {
        int drop = output.length() - LIMIT / 2;
        output.delete(0, drop);
        expected = Math.max(0, expected - drop);
      }
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void connect(CharReceiver newReceiver) {
    lock.lock();
    try {
      receiver = newReceiver;
    } finally {
      lock.unlock();
    }
    deliver();
  }

  @Override
  public void acceptInput() {
    // The device may hold its lock here, and receive() takes it: another thread delivers.
    Thread.ofVirtual().start(this::deliver);
  }

  /** Types {@code text}. */
  public void send(String text) {
    lock.lock();
    try {
      for (byte b : text.getBytes(StandardCharsets.ISO_8859_1)) {
        input.add(b);
      }
    } finally {
      lock.unlock();
    }
    deliver();
  }

  private synchronized void deliver() {
    while (true) {
      CharReceiver to;
      lock.lock();
      try {
        to = receiver;
        if (input.isEmpty()) {
          return;
        }
      } finally {
        lock.unlock();
      }
      int room = to.canReceive();
      if (room <= 0) {
        return;
      }
      byte[] data;
      lock.lock();
      try {
        data = new byte[Math.min(room, input.size())];
        for (int i = 0; i < data.length; i++) {
          data[i] = input.remove();
        }
      } finally {
        lock.unlock();
      }
      to.receive(data, 0, data.length);
    }
  }

  /**
   * Waits until the guest has printed {@code text}, after what earlier calls waited for.
   *
   * @return what it printed since then, {@code text} included
   * @throws TimeoutException with the output so far
   */
  public String expect(String text, Duration limit) throws TimeoutException, InterruptedException {
    long left = limit.toNanos();
    lock.lock();
    try {
      while (true) {
        int at = output.indexOf(text, expected);
        if (at >= 0) {
          String result = output.substring(expected, at + text.length());
          expected = at + text.length();
          return result;
        }
        if (left <= 0 || closed) {
          throw new TimeoutException("no \"" + text + "\" on the console, but: " + output.substring(expected));
        }
        left = changed.awaitNanos(left);
      }
    } finally {
      lock.unlock();
    }
  }

  /** Everything printed so far. */
  public String output() {
    lock.lock();
    try {
      return output.toString();
    } finally {
      lock.unlock();
    }
  }

  /** Ends the waiting of {@link #expect}: nothing more comes. */
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
