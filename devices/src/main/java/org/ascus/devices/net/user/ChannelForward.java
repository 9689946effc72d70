package org.ascus.devices.net.user;

import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import org.ascus.devices.chardev.CharBackend;
import org.ascus.devices.chardev.CharReceiver;

/**
 * A byte channel behind a port in the guest's network. What any of the guest's connections says goes to the channel;
 * what comes from the channel goes to the newest of them, and waits while there is none.
 */
final class ChannelForward implements CharReceiver {
  private static final int LIMIT = 64 << 10;

  private final TcpNat nat;
  private final CharBackend channel;
  /** Bytes from the channel that the guest has not got. */
  private final AtomicInteger pending = new AtomicInteger();
  /** From the guest, with the bytes in it. */
  private final LinkedBlockingQueue<byte[]> input = new LinkedBlockingQueue<>();
  private final AtomicInteger queued = new AtomicInteger();
  /** Of the event loop, the newest last. */
  private final Deque<Connection> open = new ArrayDeque<>();
  private volatile boolean isOpen;

  ChannelForward(TcpNat nat, CharBackend channel) {
    this.nat = nat;
    this.channel = channel;
    channel.connect(this);
    Thread.ofVirtual().name("ascus-guestfwd-chardev").start(this::write);
  }

  /** Hands on what the guest said; the channel may make this wait. */
  private void write() {
    try {
      while (true) {
        byte[] data = input.take();
        channel.write(data, 0, data.length);
        queued.addAndGet(-data.length);
        nat.loop().execute(() -> List.copyOf(open).forEach(c -> c.connection.roomChanged()));
      }
    } catch (InterruptedException | RejectedExecutionException e) {
      // The network is gone.
    }
  }

  /** The other end of one more connection; {@link Connection#begin} comes next. */
  Connection connection() {
    return new Connection();
  }

  @Override
  public int canReceive() {
    return isOpen ? Math.max(0, LIMIT - pending.get()) : 0;
  }

  @Override
  public void receive(byte[] data, int offset, int length) {
    byte[] copy = Arrays.copyOfRange(data, offset, offset + length);
    pending.addAndGet(length);
    nat.loop().execute(() -> deliver(copy));
  }

  private void deliver(byte[] data) {
    if (open.isEmpty()) {
      // The connection that it was taken for is gone.
      pending.addAndGet(-data.length);
      return;
    }
    Connection newest = open.getLast();
    newest.unsent += data.length;
    newest.connection.send(data, 0, data.length);
    newest.connection.output();
  }

  /** One connection of the guest. */
  final class Connection implements TcpConnection.App {
    private TcpConnection connection;
    private int unsent;

    void begin(TcpConnection c) {
      connection = c;
      c.accept();
    }

    @Override
    public void opened() {
      open.addLast(this);
      isOpen = true;
      channel.acceptInput();
    }

    @Override
    public int room() {
      return Math.max(0, LIMIT - queued.get());
    }

    @Override
    public void data(byte[] bytes, int start, int length) {
      queued.addAndGet(length);
      input.add(Arrays.copyOfRange(bytes, start, start + length));
    }

    @Override
    public void ended() {
      leave();
      connection.finish();
      connection.output();
    }

    @Override
    public void broken() {
      leave();
    }

    @Override
    public void sent() {
      passed(Math.max(0, unsent - connection.waiting()));
    }

    private void passed(int count) {
      unsent -= count;
      pending.addAndGet(-count);
      channel.acceptInput();
    }

    private void leave() {
      open.remove(this);
      isOpen = !open.isEmpty();
      passed(unsent);
    }

    @Override
    public void endOfBatch() {}
  }
}
