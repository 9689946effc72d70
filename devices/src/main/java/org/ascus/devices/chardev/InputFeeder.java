package org.ascus.devices.chardev;

import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * Input on its way to a {@link CharReceiver}: kept in order until the receiver can take it. Delivery runs on the
 * executor, with no lock held, one at a time.
 */
public final class InputFeeder {
  /** Bytes that are kept before {@link #put} waits. */
  static final int CAPACITY = 1 << 16;

  /** In a queue of bytes, what stands for a break. */
  private static final int BREAK = -1;

  private final Executor executor;
  private final Runnable roomListener;
  private int[] queue = new int[256];
  private int head;
  private int count;
  private CharReceiver receiver;
  private boolean scheduled;
  private boolean delivering;
  private boolean wasFull;
  private boolean closed;

  /**
   * @param executor where input is delivered
   * @param roomListener called, on the executor, when {@link #room} is no longer 0
   */
  public InputFeeder(Executor executor, Runnable roomListener) {
    this.executor = executor;
    this.roomListener = roomListener;
  }

  /** One daemon thread that goes away when idle. */
  public static Executor thread(String name) {
    return new ThreadPoolExecutor(
        0,
        1,
        5,
        TimeUnit.SECONDS,
        new LinkedBlockingQueue<>(),
        Thread.ofPlatform().daemon().name("ascus-input-" + name).factory());
  }

  public void connect(CharReceiver newReceiver) {
    synchronized (this) {
      receiver = newReceiver;
    }
    wake();
  }

  /** How many bytes {@link #offer} takes now; once that is 0 the listener tells when it no longer is. */
  public synchronized int room() {
    wasFull |= count >= CAPACITY;
    return Math.max(0, CAPACITY - count);
  }

  /** Appends input; waits while {@value #CAPACITY} bytes are waiting already. */
  void put(byte[] data, int offset, int length) throws InterruptedException {
    for (int done = 0; done < length; ) {
      synchronized (this) {
        while (count >= CAPACITY && !closed) {
          wait();
        }
        if (closed) {
          return;
        }
        for (; done < length && count < CAPACITY; done++) {
          append(data[offset + done] & 0xff);
        }
      }
      wake();
    }
  }

  /** Appends all of {@code data}, whatever the room: for who stops asking the host for more while there is none. */
  public void accept(byte[] data) {
    synchronized (this) {
      for (int i = 0; i < data.length && !closed; i++) {
        append(data[i] & 0xff);
      }
    }
    wake();
  }

  /** Appends input that was asked {@link #room} for; what does not fit is dropped. */
  public void offer(byte[] data, int offset, int length) {
    synchronized (this) {
      for (int i = 0; i < length && count < CAPACITY && !closed; i++) {
        append(data[offset + i] & 0xff);
      }
    }
    wake();
  }

  /** Appends a break, behind all input so far. */
  public void offerBreak() {
    synchronized (this) {
      append(BREAK);
    }
    wake();
  }

  private void append(int value) {
    if (count == queue.length) {
      int[] larger = new int[queue.length * 2];
      for (int i = 0; i < count; i++) {
        larger[i] = queue[(head + i) % queue.length];
      }
      queue = larger;
      head = 0;
    }
    queue[(head + count++) % queue.length] = value;
  }

  /** Delivers soon what the receiver takes now. Returns at once; may be called with the device's lock held. */
  public void wake() {
    synchronized (this) {
      if (scheduled || delivering || count == 0 || receiver == null || closed) {
        // A delivery that runs now notices by itself; see deliver.
        scheduled |= delivering;
        return;
      }
      scheduled = true;
    }
    try {
      executor.execute(this::deliver);
    } catch (RejectedExecutionException e) {
      throw new IllegalStateException("input executor is shut down", e);
    }
  }

  private void deliver() {
    CharReceiver to;
    synchronized (this) {
      if (delivering) {
        return;
      }
      delivering = true;
      scheduled = false;
      to = receiver;
    }
    boolean again = true;
    while (again) {
      step(to);
      boolean roomAgain;
      synchronized (this) {
        again = scheduled && count > 0 && !closed;
        scheduled = false;
        delivering = again;
        to = receiver;
        roomAgain = wasFull && count < CAPACITY;
        wasFull &= !roomAgain;
        notifyAll();
      }
      if (roomAgain) {
        roomListener.run();
      }
    }
  }

  /** Hands over input until there is none or the receiver takes none. */
  private void step(CharReceiver to) {
    while (true) {
      int most = to.canReceive();
      byte[] data;
      boolean isBreak;
      synchronized (this) {
        if (count == 0 || most <= 0 || closed) {
          return;
        }
        isBreak = queue[head] == BREAK;
        data = new byte[isBreak ? 0 : run(most)];
        for (int i = 0; i < data.length; i++) {
          data[i] = (byte) queue[(head + i) % queue.length];
        }
        int used = isBreak ? 1 : data.length;
        head = (head + used) % queue.length;
        count -= used;
      }
      if (isBreak) {
        to.breakReceived();
      } else {
        to.receive(data, 0, data.length);
      }
    }
  }

  /** How many bytes come before the next break, at most {@code most}. */
  private int run(int most) {
    int length = 0;
    while (length < Math.min(most, count) && queue[(head + length) % queue.length] != BREAK) {
      length++;
    }
    return length;
  }

  /** Drops what is waiting, and all that comes. */
  public synchronized void close() {
    closed = true;
    notifyAll();
  }
}
