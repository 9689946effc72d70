package org.ascus.devices.net.tap;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
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
  private static final short IFF_TAP = 2;
  private static final short IFF_NO_PI = 0x1000;
  private static final int IFREQ = 40;
  private static final int IFREQ_FLAGS = 16;
  private static final short POLLIN = 1;
  private static final int EAGAIN = 11;

  private static final int MOST = Frame.MAX_BYTES;
  private static final StructLayout STATE = Linker.Option.captureStateLayout();
  private static final VarHandle ERRNO = STATE.varHandle(MemoryLayout.PathElement.groupElement("errno"));

  private final Arena arena = Arena.ofShared();
  private final MethodHandle read = call("read", 3);
  private final MethodHandle write = call("write", 3);
  private final MethodHandle poll = call("poll", 3);
  private final MethodHandle close = call("close", 1);
  private final MethodHandle strerror;
  private final MemorySegment readBuffer = arena.allocate(MOST);
  private final MemorySegment writeBuffer = arena.allocate(MOST);
  private final MemorySegment readState = arena.allocate(STATE);
  private final MemorySegment writeState = arena.allocate(STATE);
  private final MemorySegment pollEntry = arena.allocate(8);
  private final int descriptor;
  private final String name;

  /**
   * Opens an interface; it is made if there is none of that name.
   *
   * @param wanted its name; empty for one that the kernel chooses
   * @throws IOException with the host's reason
   */
  TapDevice(String wanted) throws IOException {
    Linker linker = Linker.nativeLinker();
    strerror =
        linker.downcallHandle(
            linker.defaultLookup().findOrThrow("strerror"),
            FunctionDescriptor.of(ValueLayout.ADDRESS, ValueLayout.JAVA_INT));
    MethodHandle open =
        linker.downcallHandle(
            linker.defaultLookup().findOrThrow("open"),
            FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_INT),
            Linker.Option.captureCallState("errno"),
            Linker.Option.firstVariadicArg(2));
    MethodHandle ioctl =
        linker.downcallHandle(
            linker.defaultLookup().findOrThrow("ioctl"),
            FunctionDescriptor.of(
                ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG, ValueLayout.ADDRESS),
            Linker.Option.captureCallState("errno"),
            Linker.Option.firstVariadicArg(2));
    try {
      MemorySegment path = arena.allocateFrom(CLONE);
      descriptor = (int) open.invokeExact(readState, path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
      if (descriptor < 0) {
        throw failure("could not open " + CLONE, readState);
      }
      MemorySegment request = arena.allocate(IFREQ);
      byte[] bytes = wanted.getBytes(StandardCharsets.US_ASCII);
      MemorySegment.copy(bytes, 0, request, ValueLayout.JAVA_BYTE, 0, bytes.length);
      request.set(ValueLayout.JAVA_SHORT, IFREQ_FLAGS, (short) (IFF_TAP | IFF_NO_PI));
      if ((int) ioctl.invokeExact(readState, descriptor, TUNSETIFF, request) < 0) {
        IOException failure = failure("could not configure " + CLONE + " (" + wanted + ")", readState);
        close();
        throw failure;
      }
      name = request.getString(0, StandardCharsets.US_ASCII);
    } catch (IOException e) {
      throw e;
    } catch (Throwable e) {
      throw new IOException(e);
    }
  }

  private static MethodHandle call(String name, int arguments) {
    Linker linker = Linker.nativeLinker();
    var descriptor =
        switch (arguments) {
          case 1 -> FunctionDescriptor.of(ValueLayout.JAVA_LONG, ValueLayout.JAVA_INT);
          default ->
              name.equals("poll")
                  ? FunctionDescriptor.of(
                      ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_LONG, ValueLayout.JAVA_INT)
                  : FunctionDescriptor.of(
                      ValueLayout.JAVA_LONG, ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_LONG);
        };
    return linker.downcallHandle(
        linker.defaultLookup().findOrThrow(name), descriptor, Linker.Option.captureCallState("errno"));
  }

  private IOException failure(String what, MemorySegment state) throws Throwable {
    int number = (int) ERRNO.get(state, 0L);
    MemorySegment text = (MemorySegment) strerror.invokeExact(number);
    return new IOException(what + ": " + text.reinterpret(256).getString(0));
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
      return (int) poll.invokeExact(readState, pollEntry, 1L, millis) > 0;
    } catch (Throwable e) {
      throw new IOException(e);
    }
  }

  /** The next frame, or nothing if there is none; called by the thread that waits. */
  byte[] read() throws IOException {
    try {
      long count = (long) read.invokeExact(readState, descriptor, readBuffer, (long) MOST);
      if (count < 0 && (int) ERRNO.get(readState, 0L) != EAGAIN) {
        throw failure("read of " + name, readState);
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
      long ignored = (long) write.invokeExact(writeState, descriptor, writeBuffer, (long) frame.length);
    } catch (Throwable e) {
      throw new IOException(e);
    }
  }

  /** Closes the descriptor; an interface that was made for it goes away. No other call may run. */
  @Override
  public void close() {
    try {
      long ignored = (long) close.invokeExact(readState, descriptor);
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
    arena.close();
  }
}
