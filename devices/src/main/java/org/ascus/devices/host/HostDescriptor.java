package org.ascus.devices.host;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * A file descriptor of Linux that does not block and on which each read is a whole message: a tap interface, a datagram
 * socket. One thread reads, and one thread at a time writes.
 */
public final class HostDescriptor implements AutoCloseable {
  private static final short POLLIN = 1;
  private static final int POLL_ENTRY = 8;

  private final Arena arena = Arena.ofShared();
  private final MemorySegment read = HostCalls.find("read");
  private final MemorySegment poll = HostCalls.find("poll");
  private final MemorySegment incoming;
  private final MemorySegment outgoing;
  private final MemorySegment pollEntry = arena.allocate(POLL_ENTRY);
  private final int number;
  private final int most;

  /**
   * Takes a descriptor over.
   *
   * @param number of it
   * @param most bytes of a message
   */
  public HostDescriptor(int number, int most) {
    this.number = number;
    this.most = most;
    incoming = arena.allocate(most);
    outgoing = arena.allocate(most);
  }

  public int number() {
    return number;
  }

  /** Waits up to some milliseconds for a message; returns whether there may be one. */
  public boolean await(int millis) {
    pollEntry.set(ValueLayout.JAVA_INT, 0, number);
    pollEntry.set(ValueLayout.JAVA_INT, 4, POLLIN);
    return (int) HostCalls.call(poll, pollEntry.address(), 1, millis) > 0;
  }

  /**
   * The next message, or nothing if there is none.
   *
   * @throws IOException with the host's reason
   */
  public byte[] read() throws IOException {
    long count = HostCalls.result(read, number, incoming.address(), most);
    if (count < 0 && count != -Errno.EAGAIN) {
      throw new IOException(HostCalls.text(count));
    }
    return count < 0 ? new byte[0] : incoming.asSlice(0, count).toArray(ValueLayout.JAVA_BYTE);
  }

  /**
   * Puts a message, of no more bytes than were said, where functions that write find it; valid until the next one.
   *
   * @return its address
   */
  public long outgoing(byte[] message) {
    MemorySegment.copy(message, 0, outgoing, ValueLayout.JAVA_BYTE, 0, message.length);
    return outgoing.address();
  }

  /** No other call may run, nor come after this. */
  @Override
  public void close() {
    HostCalls.call(HostCalls.find("close"), number);
    arena.close();
  }
}
