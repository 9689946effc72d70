package org.ascus.devices.net.socket;

import io.netty.util.concurrent.Future;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.ascus.devices.host.Errno;
import org.ascus.devices.host.HostCalls;
import org.ascus.devices.host.HostDescriptor;
import org.ascus.devices.net.Frame;
import org.ascus.machine.device.DeviceException;

/**
 * Frames as datagrams between two unix sockets, which Java has not, so that the socket is the host's own. A frame for a
 * socket that is not there is lost; while the other side has too many that it did not read, frames wait. Anybody who
 * may write to the own socket's file may send.
 *
 * <p>{@code struct sockaddr_un}: 16 bits of family, 108 bytes of path.
 */
public final class UnixDatagramNet extends FrameSocket {
  private static final int AF_UNIX = 1;
  private static final int SOCK_DGRAM = 2;
  private static final int SOCK_NONBLOCK = 04000;
  private static final int SOCK_CLOEXEC = 02000000;
  private static final int MSG_NOSIGNAL = 0x4000;
  private static final int FAMILY = 2;
  private static final int PATH = 108;
  private static final int MOST_WAITING = 256;
  private static final int MOST_AT_ONCE = 64;
  private static final int WAIT_MILLIS = 100;
  private static final int AGAIN_MILLIS = 1;

  private final Path local;
  private final Path remote;
  private final Arena arena = Arena.ofShared();
  private final MemorySegment sendTo = HostCalls.find("sendto");
  private final MemorySegment target;
  private final HostDescriptor socket;
  private final Thread reader;
  private volatile boolean wanted = true;
  private Optional<byte[]> waiting = Optional.empty();

  /**
   * Makes the own socket; what has its path is replaced.
   *
   * @throws DeviceException naming the path that does not work
   */
  public UnixDatagramNet(String id, Path local, Path remote) throws DeviceException {
    super(id);
    this.local = local;
    this.remote = remote;
    int made = -1;
    try {
      MemorySegment own = address(local);
      target = address(remote);
      Files.deleteIfExists(local);
      made = checked("socket", AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
      checked("bind", made, own.address(), own.byteSize());
      socket = new HostDescriptor(made, Frame.MAX_BYTES);
    } catch (IOException | DeviceException e) {
      if (made >= 0) {
        HostCalls.call(HostCalls.find("close"), made);
      }
      arena.close();
      close();
      throw new DeviceException(e.getMessage(), e);
    }
    reader = Thread.ofPlatform().daemon().name("ascus-net-in-" + id).start(this::readAll);
  }

  private int checked(String function, long... words) throws IOException {
    int result = HostCalls.status(HostCalls.find(function), words);
    if (result < 0) {
      throw new IOException("can't bind unix=" + local + " to socket: " + HostCalls.text(result));
    }
    return result;
  }

  private MemorySegment address(Path path) throws DeviceException {
    byte[] bytes = path.toString().getBytes(StandardCharsets.UTF_8);
    if (bytes.length >= PATH) {
      throw new DeviceException("UNIX socket path '" + path + "' is too long (it must be less than 108 bytes)");
    }
    MemorySegment made = arena.allocate(FAMILY + PATH, FAMILY);
    made.set(ValueLayout.JAVA_SHORT, 0, (short) AF_UNIX);
    MemorySegment.copy(bytes, 0, made, ValueLayout.JAVA_BYTE, FAMILY, bytes.length);
    return made;
  }

  private void readAll() {
    try {
      while (!isClosed()) {
        if (!wanted) {
          LockSupport.park(this);
        } else if (socket.await(WAIT_MILLIS)) {
          pass();
        }
      }
    } catch (IOException e) {
      // Nothing comes any more.
    }
  }

  /** Reads what is there and waits until it is taken, or kept. */
  private void pass() throws IOException {
    List<byte[]> frames = new ArrayList<>();
    while (frames.size() < MOST_AT_ONCE) {
      byte[] frame = socket.read();
      if (frame.length == 0) {
        break;
      }
      frames.add(frame);
    }
    try {
      Future<?> taken = loop().submit(() -> frames.forEach(this::deliver));
      while (!isClosed() && !taken.awaitUninterruptibly(WAIT_MILLIS)) {
        // Goes on waiting.
      }
    } catch (RejectedExecutionException e) {
      // Closed meanwhile.
    }
  }

  @Override
  boolean canSend() {
    return waiting.isEmpty();
  }

  @Override
  void send(Frame frame) {
    byte[] bytes = frame.finished().bytes();
    if (bytes.length <= Frame.MAX_BYTES) {
      send(bytes);
    }
  }

  private void send(byte[] bytes) {
    long result =
        HostCalls.result(sendTo, socket.number(), socket.outgoing(bytes), bytes.length, MSG_NOSIGNAL,
            target.address(), target.byteSize());
    boolean full = result == -Errno.EAGAIN;
    waiting = full ? Optional.of(bytes) : Optional.empty();
    if (full) {
      // Of a socket that is not connected the host does not tell when the other side has room.
      loop().schedule(this::again, AGAIN_MILLIS, TimeUnit.MILLISECONDS);
    }
  }

  private void again() {
    if (!isClosed()) {
      send(waiting.orElseThrow());
      drain();
    }
  }

  @Override
  void flush() {}

  @Override
  void read(boolean more) {
    wanted = more;
    if (more) {
      LockSupport.unpark(reader);
    }
  }

  @Override
  int mostWaiting() {
    return MOST_WAITING;
  }

  @Override
  void closeSockets() {
    // The thread is not there if there was no socket.
    if (reader == null) {
      return;
    }
    LockSupport.unpark(reader);
    Thread.ofPlatform().daemon().start(this::end);
  }

  /** The descriptor goes when nobody uses it any more: the event loop has ended then, or never sends again. */
  private void end() {
    try {
      reader.join();
      loop().terminationFuture().awaitUninterruptibly();
      socket.close();
      arena.close();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public String describe() {
    return "type=dgram,udp=" + local + ":" + remote;
  }
}
