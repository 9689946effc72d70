package org.ascus.devices.net.tap;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;
import org.ascus.devices.net.Frame;

/**
 * A tap interface of Linux (linux/if_tun.h): a file descriptor on which each read and write is one frame.
 *
 * <p>{@code struct ifreq}: 16 bytes of name, 16-bit flags, up to 40 bytes in all.
 */
final class TapDevice implements AutoCloseable {
  /** Most bytes of a name. */
  static final int NAME = 15;

  private static final String CLONE = "/dev/net/tun";
  private static final int O_RDWR = 2;
  private static final int O_CLOEXEC = 0x80000;
  private static final int O_NONBLOCK = 0x800;
  private static final long TUNSETIFF = 0x400454caL;
  private static final long TUNGETIFF = 0x800454d2L;
  private static final short IFF_TAP = 2;
  private static final short IFF_NO_PI = 0x1000;
  private static final int IFF_VNET_HDR = 0x4000;
  private static final int F_SETFL = 4;
  private static final int IFREQ = 40;
  private static final int IFREQ_FLAGS = 16;
  private static final short POLLIN = 1;
  private static final int EAGAIN = 11;

  private static final int MOST = Frame.MAX_BYTES;

  private final Arena arena;
  private final LibC reading;
  private final MethodHandle read;
  private final MethodHandle write;
  private final MethodHandle poll;
  private final MethodHandle close;
  private final MemorySegment readBuffer;
  private final MemorySegment writeBuffer;
  private final MemorySegment pollEntry;
  private final int descriptor;
  private final String name;

  private TapDevice(Arena arena, int descriptor, String name) {
    this.arena = arena;
    this.descriptor = descriptor;
    this.name = name;
    reading = new LibC(arena);
    read = reading.transfer("read");
    poll = reading.function("poll", ValueLayout.ADDRESS, ValueLayout.JAVA_LONG, ValueLayout.JAVA_INT);
    close = reading.function("close", ValueLayout.JAVA_INT);
    write = new LibC(arena).transfer("write");
    readBuffer = arena.allocate(MOST);
    writeBuffer = arena.allocate(MOST);
    pollEntry = arena.allocate(8);
  }

  /** How a descriptor is made, and made an interface. */
  private interface Opener {
    int open(Arena arena, LibC c) throws Throwable;
  }

  /** What an interface is asked, in the form of {@code struct ifreq}. */
  private interface Setter {
    MemorySegment set(Arena arena, LibC c, int descriptor) throws Throwable;
  }

  /**
   * Opens an interface; it is made if there is none of that name.
   *
   * @param wanted its name; empty for one that the kernel chooses
   * @throws IOException with the host's reason
   */
  static TapDevice open(String wanted) throws IOException {
    return open(
        (arena, c) -> {
          MethodHandle open = c.variadic("open", 2, ValueLayout.ADDRESS, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT);
          int made = (int) open.invokeExact(arena.allocateFrom(CLONE), O_RDWR | O_CLOEXEC | O_NONBLOCK, 0);
          if (made < 0) {
            throw c.failure("could not open " + CLONE);
          }
          return made;
        },
        (arena, c, made) -> {
          MemorySegment request = arena.allocate(IFREQ);
          byte[] bytes = wanted.getBytes(StandardCharsets.US_ASCII);
          MemorySegment.copy(bytes, 0, request, ValueLayout.JAVA_BYTE, 0, bytes.length);
          request.set(ValueLayout.JAVA_SHORT, IFREQ_FLAGS, (short) (IFF_TAP | IFF_NO_PI));
          if (ioctl(c, made, TUNSETIFF, request) < 0) {
            throw c.failure("could not configure " + CLONE + " (" + wanted + ")");
          }
          return request;
        });
  }

  /** Takes over an interface that a program makes. */
  static TapDevice open(BridgeHelper helper) throws IOException {
    return open(
        (_, _) -> helper.open(),
        (arena, c, made) -> {
          MemorySegment request = arena.allocate(IFREQ);
          if (ioctl(c, made, TUNGETIFF, request) < 0) {
            throw c.failure("bridge helper failed: what " + helper.program() + " handed over is no tap interface");
          }
          if ((request.get(ValueLayout.JAVA_SHORT, IFREQ_FLAGS) & IFF_VNET_HDR) != 0) {
            throw new IOException("bridge helper failed: " + helper.program() + " asked for virtio headers by itself");
          }
          MethodHandle fcntl =
              c.variadic("fcntl", 2, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT);
          if ((int) fcntl.invokeExact(made, F_SETFL, O_NONBLOCK) < 0) {
            throw c.failure("could not configure " + CLONE);
          }
          return request;
        });
  }

  private static TapDevice open(Opener opener, Setter setter) throws IOException {
    Arena arena = Arena.ofShared();
    LibC c = new LibC(arena);
    int descriptor = -1;
    try {
      descriptor = opener.open(arena, c);
      MemorySegment request = setter.set(arena, c, descriptor);
      return new TapDevice(arena, descriptor, request.getString(0, StandardCharsets.US_ASCII));
    } catch (Throwable e) {
      if (descriptor >= 0) {
        new TapDevice(arena, descriptor, "").close();
      } else {
        arena.close();
      }
      throw e instanceof IOException io ? io : new IOException(e);
    }
  }

  private static int ioctl(LibC c, int descriptor, long request, MemorySegment argument) throws Throwable {
    MethodHandle ioctl = c.variadic("ioctl", 2, ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG, ValueLayout.ADDRESS);
    return (int) ioctl.invokeExact(descriptor, request, argument);
  }

  /** The interface's name. */
  String name() {
    return name;
  }

  /** Waits up to some milliseconds for a frame; called by one thread. Returns whether there may be one. */
  boolean await(int millis) throws IOException {
    try {
      pollEntry.set(ValueLayout.JAVA_INT, 0, descriptor);
      pollEntry.set(ValueLayout.JAVA_INT, 4, POLLIN);
      return (int) poll.invokeExact(pollEntry, 1L, millis) > 0;
    } catch (Throwable e) {
      throw new IOException(e);
    }
  }

  /** The next frame, or nothing if there is none; called by the thread that waits. */
  byte[] read() throws IOException {
    try {
      long count = (long) read.invokeExact(descriptor, readBuffer, (long) MOST);
      if (count < 0 && reading.errno() != EAGAIN) {
        throw reading.failure("read of " + name);
      }
      return count < 0
          ? new byte[0]
          : readBuffer.asSlice(0, count).toArray(ValueLayout.JAVA_BYTE);
    } catch (IOException e) {
      throw e;
    } catch (Throwable e) {
      throw new IOException(e);
    }
  }

  /** Sends a frame; what the interface cannot take, as while it is down, is lost. Called by one thread at a time. */
  void write(byte[] frame) throws IOException {
    try {
      MemorySegment.copy(frame, 0, writeBuffer, ValueLayout.JAVA_BYTE, 0, frame.length);
      long ignored = (long) write.invokeExact(descriptor, writeBuffer, (long) frame.length);
    } catch (Throwable e) {
      throw new IOException(e);
    }
  }

  /** Closes the descriptor; an interface that was made for it goes away. No other call may run. */
  @Override
  public void close() {
    try {
      int ignored = (int) close.invokeExact(descriptor);
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
    arena.close();
  }
}
