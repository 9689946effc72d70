package org.ascus.devices.net.tap;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import org.ascus.devices.host.HostCalls;
import org.ascus.devices.host.HostDescriptor;
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

  private final MemorySegment write = HostCalls.find("write");
  private final HostDescriptor descriptor;
  private final String name;

  private TapDevice(int descriptor, String name) {
    this.descriptor = new HostDescriptor(descriptor, Frame.MAX_BYTES);
    this.name = name;
  }

  /** How a descriptor is made, and made an interface. */
  private interface Opener {
    int open(Arena arena) throws IOException;
  }

  /** What an interface is asked, in the form of {@code struct ifreq}. */
  private interface Setter {
    MemorySegment set(Arena arena, int descriptor) throws IOException;
  }

  /**
   * Opens an interface; it is made if there is none of that name.
   *
   * @param wanted its name; empty for one that the kernel chooses
   * @throws IOException with the host's reason
   */
  static TapDevice open(String wanted) throws IOException {
    return open(
        arena -> {
          long clone = arena.allocateFrom(CLONE).address();
          return checked(
              HostCalls.status(HostCalls.find("open"), clone, O_RDWR | O_CLOEXEC | O_NONBLOCK),
              "could not open " + CLONE);
        },
        (arena, made) -> {
          MemorySegment request = arena.allocate(IFREQ);
          byte[] bytes = wanted.getBytes(StandardCharsets.US_ASCII);
          MemorySegment.copy(bytes, 0, request, ValueLayout.JAVA_BYTE, 0, bytes.length);
          request.set(ValueLayout.JAVA_SHORT, IFREQ_FLAGS, (short) (IFF_TAP | IFF_NO_PI));
          checked(ioctl(made, TUNSETIFF, request), "could not configure " + CLONE + " (" + wanted + ")");
          return request;
        });
  }

  /** Takes over an interface that a program makes. */
  static TapDevice open(BridgeHelper helper) throws IOException {
    return open(
        _ -> helper.open(),
        (arena, made) -> {
          MemorySegment request = arena.allocate(IFREQ);
          checked(ioctl(made, TUNGETIFF, request),
              "bridge helper failed: what " + helper.program() + " handed over is no tap interface");
          if ((request.get(ValueLayout.JAVA_SHORT, IFREQ_FLAGS) & IFF_VNET_HDR) != 0) {
            throw new IOException("bridge helper failed: " + helper.program() + " asked for virtio headers by itself");
          }
          checked(HostCalls.status(HostCalls.find("fcntl"), made, F_SETFL, O_NONBLOCK), "could not configure " + CLONE);
          return request;
        });
  }

  private static TapDevice open(Opener opener, Setter setter) throws IOException {
    if (!HostCalls.isLinux()) {
      throw new IOException("could not open " + CLONE + ": there are tap interfaces on Linux only");
    }
    int descriptor = -1;
    try (Arena arena = Arena.ofConfined()) {
      descriptor = opener.open(arena);
      MemorySegment request = setter.set(arena, descriptor);
      return new TapDevice(descriptor, request.getString(0, StandardCharsets.US_ASCII));
    } catch (IOException | RuntimeException e) {
      if (descriptor >= 0) {
        HostCalls.call(HostCalls.find("close"), descriptor);
      }
      throw e;
    }
  }

  private static int checked(int result, String what) throws IOException {
    if (result < 0) {
      throw new IOException(what + ": " + HostCalls.text(result));
    }
    return result;
  }

  private static int ioctl(int descriptor, long request, MemorySegment argument) {
    return HostCalls.status(HostCalls.find("ioctl"), descriptor, request, argument.address());
  }

  /** The interface's name. */
  String name() {
    return name;
  }

  /** Waits up to some milliseconds for a frame; called by one thread. Returns whether there may be one. */
  boolean await(int millis) {
    return descriptor.await(millis);
  }

  /** The next frame, or nothing if there is none; called by the thread that waits. */
  byte[] read() throws IOException {
    return descriptor.read();
  }

  /** Sends a frame; what the interface cannot take, as while it is down, is lost. Called by one thread at a time. */
  void write(byte[] frame) {
    HostCalls.call(write, descriptor.number(), descriptor.outgoing(frame), frame.length);
  }

  /** Closes the descriptor; an interface that was made for it goes away. No other call may run. */
  @Override
  public void close() {
    descriptor.close();
  }
}
