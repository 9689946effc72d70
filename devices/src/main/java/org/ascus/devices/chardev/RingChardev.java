package org.ascus.devices.chardev;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeoutException;

/**
 * The other end is a program: it sends input, and looks at the output, of which the last bytes are kept. For embedding
 * and tests.
 */
public final class RingChardev implements CharBackend {
  private static final int SHOWN = 400;

  private final InputFeeder input;
  private final byte[] ring;
  private long written;
  /** Where the next {@link #expect} and {@link #take} start, as a count of bytes written before. */
  private long seen;
  private boolean closed;

  private RingChardev(int capacity, Executor executor) {
    this.ring = new byte[capacity];
    this.input = new InputFeeder(executor, () -> {});
  }

  /**
   * Delivers input on a thread of its own.
   *
   * @param capacity bytes of output that are kept
   */
  public static RingChardev of(int capacity) {
    return new RingChardev(capacity, InputFeeder.thread("ring"));
  }

  /**
   * Delivers input at once: on the thread that sends it or, when the device had no room, on the one that makes room. So
   * a machine that runs by instruction count takes the same input at the same instruction in each run.
   */
  public static RingChardev synchronous(int capacity) {
    return new RingChardev(capacity, Runnable::run);
  }

  @Override
  public synchronized void write(byte[] data, int offset, int length) {
    for (int i = 0; i < length; i++) {
      ring[(int) (written++ % ring.length)] = data[offset + i];
    }
    notifyAll();
  }

  @Override
  public void connect(CharReceiver receiver) {
    input.connect(receiver);
  }

  @Override
  public void acceptInput() {
    input.wake();
  }

  /** Sends {@code text} as UTF-8 to the guest; waits while 64 KiB are waiting for it already. */
  public void send(String text) throws InterruptedException {
    byte[] data = text.getBytes(StandardCharsets.UTF_8);
    send(data, 0, data.length);
  }

  public void send(byte[] data, int offset, int length) throws InterruptedException {
    input.put(data, offset, length);
  }

  /** Sends a break. */
  public void sendBreak() {
    input.offerBreak();
  }

  /** All output that is kept, as ISO-8859-1: a character a byte. */
  public synchronized String output() {
    return from(0);
  }

  /** The output since the last {@link #take} or {@link #expect}, as far as it is kept. */
  public synchronized String take() {
    String text = from(seen);
    seen = written;
    return text;
  }

  /** As {@link #take}, the oldest {@code most} bytes of it. */
  public synchronized String take(int most) {
    String text = from(seen);
    String part = text.substring(0, Math.min(most, text.length()));
    seen = written - text.length() + part.length();
    return part;
  }

  /**
   * Waits until {@code text} is in the output that no earlier call has taken.
   *
   * @return that output up to the end of {@code text}
   * @throws TimeoutException when it does not come in time, or no more output can come; tells the end of what came
   */
  public synchronized String expect(String text, Duration timeout) throws InterruptedException, TimeoutException {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    String wanted = new String(bytes, StandardCharsets.ISO_8859_1);
    long deadline = System.nanoTime() + timeout.toNanos();
    while (true) {
      String unseen = from(seen);
      int at = unseen.indexOf(wanted);
      if (at >= 0) {
        String result = unseen.substring(0, at + wanted.length());
        seen = Math.max(seen, written - unseen.length()) + result.length();
        return result;
      }
      long left = deadline - System.nanoTime();
      if (left <= 0 || closed) {
        throw new TimeoutException(
            "'" + text + "' did not come; the output ends: "
                + unseen.substring(Math.max(0, unseen.length() - SHOWN)));
      }
      wait(Math.max(1, left / 1_000_000));
    }
  }

  private String from(long position) {
    long start = Math.max(position, written - ring.length);
    byte[] kept = new byte[(int) (written - start)];
    for (int i = 0; i < kept.length; i++) {
      kept[i] = ring[(int) ((start + i) % ring.length)];
    }
    return new String(kept, StandardCharsets.ISO_8859_1);
  }

  @Override
  public void close() {
    synchronized (this) {
      closed = true;
      notifyAll();
    }
    input.close();
  }
}
