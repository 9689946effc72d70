package org.ascus.devices.chardev;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.locks.LockSupport;
import org.ascus.devices.host.HostCalls;

/**
 * A pseudo-terminal of a Linux host: a program such as {@code screen} opens its other end by {@link #name}. Output
 * while nobody has it open is dropped when the host's buffer is full.
 */
public final class PseudoTerminal {
  private static final long OPEN_MODE = 0x902;
  private static final long RETRY_NANOS = 20_000_000;
  private static final int BUFFER = 4096;
  private static final int NAME_BYTES = 128;
  private static final long TERMIOS_BYTES = 60;

  private final long descriptor;
  private final String name;
  private final MemorySegment readBuffer = Arena.global().allocate(BUFFER);
  private final MemorySegment writeBuffer = Arena.global().allocate(BUFFER);
  private volatile boolean closed;

  private PseudoTerminal() throws IOException {
    descriptor = (int) invoke("posix_openpt", OPEN_MODE, 0, 0);
    if (descriptor < 0) {
      throw new IOException("Failed to create PTY");
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment path = arena.allocate(NAME_BYTES);
      MemorySegment attributes = arena.allocate(TERMIOS_BYTES, 8);
      boolean failed =
          (int) invoke("grantpt", descriptor, 0, 0) != 0
              || (int) invoke("unlockpt", descriptor, 0, 0) != 0
              || (int) invoke("ptsname_r", descriptor, path.address(), NAME_BYTES) != 0
              || (int) invoke("tcgetattr", descriptor, attributes.address(), 0) != 0;
      if (failed) {
        throw new IOException("Failed to create PTY");
      }
      invoke("cfmakeraw", attributes.address(), 0, 0);
      invoke("tcsetattr", descriptor, 0, attributes.address());
      name = path.getString(0);
    }
  }

  /**
   * Makes one.
   *
   * @throws IOException when the host has none
   */
  public static PseudoTerminal open() throws IOException {
    if (!HostCalls.isLinux()) {
      throw new IOException("pty: there are pseudo-terminals on Linux only");
    }
    return new PseudoTerminal();
  }

  private static long invoke(String function, long a, long b, long c) {
    return HostCalls.call(HostCalls.find(function), a, b, c);
  }

  /** Name of the other end, such as {@code /dev/pts/3}. */
  public String name() {
    return name;
  }

  /** The channel; to be made once. */
  public CharBackend channel() {
    return new StreamChardev("pty", new In(), new Out());
  }

  /** Reads what the program at the other end writes; with nobody there a read fails, so it is tried again. */
  private final class In extends InputStream {
    @Override
    public int read() {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] data, int offset, int length) {
      while (!closed) {
        int count = (int) invoke("read", descriptor, readBuffer.address(), Math.min(length, BUFFER));
        if (count > 0) {
          MemorySegment.copy(readBuffer, ValueLayout.JAVA_BYTE, 0, data, offset, count);
          return count;
        }
        LockSupport.parkNanos(RETRY_NANOS);
      }
      return -1;
    }

    @Override
    public void close() {
      closed = true;
    }
  }

  private final class Out extends OutputStream {
    @Override
    public void write(int value) {
      write(new byte[] {(byte) value}, 0, 1);
    }

    @Override
    public void write(byte[] data, int offset, int length) {
      int done = 0;
      while (done < length && !closed) {
        int most = Math.min(length - done, BUFFER);
        MemorySegment.copy(data, offset + done, writeBuffer, ValueLayout.JAVA_BYTE, 0, most);
        int count = (int) invoke("write", descriptor, writeBuffer.address(), most);
        if (count <= 0) {
          return;
        }
        done += count;
      }
    }
  }
}
