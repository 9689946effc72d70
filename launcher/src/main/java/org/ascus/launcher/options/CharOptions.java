package org.ascus.launcher.options;

import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.nio.file.Path;
import java.util.Optional;
import org.ascus.devices.chardev.socket.SocketOptions;

/** The host's end of a byte channel: an argument of {@code -serial}, {@code -monitor} or {@code -chardev}. */
public sealed interface CharOptions {
  /** Nothing, not even a port where the board can do without. */
  record None() implements CharOptions {}

  /** Output is dropped; there is no input. */
  record Null() implements CharOptions {}

  /**
   * The process's standard input and output.
   *
   * @param signals on a terminal, Ctrl-c and the like act on the process; otherwise the guest gets them
   */
  record Stdio(boolean signals) implements CharOptions {}

  /**
   * Output goes to a file.
   *
   * @param input where input comes from, if anywhere
   * @param append after what is there, rather than instead of it
   */
  record File(Path path, boolean append, Optional<Path> input) implements CharOptions {}

  /**
   * The last output is kept in memory.
   *
   * @param size bytes, a power of two
   */
  record Ring(int size) implements CharOptions {}

  /**
   * A stream socket.
   *
   * @param address what to listen at or to connect to
   * @param server listens rather than connects
   * @param waitForPeer a server waits for its first peer before the machine starts
   * @param nodelay small pieces are sent at once
   * @param reconnect seconds after which a client tries again; 0 for never
   * @param protocol what is spoken on the stream
   * @param tlsCredentials id of an object; empty for a stream that is not encrypted
   * @param authorization id of an object that says who may come in; empty for everybody
   */
  record Socket(
      SocketAddress address,
      boolean server,
      boolean waitForPeer,
      boolean nodelay,
      int reconnect,
      SocketOptions.Protocol protocol,
      String tlsCredentials,
      String authorization)
      implements CharOptions {}

  /** Datagrams to {@code remote} and back to {@code local}. */
  record Udp(InetSocketAddress remote, InetSocketAddress local) implements CharOptions {}

  /** A named pipe of the host. */
  record Pipe(Path path) implements CharOptions {}

  /** A serial device of the host. */
  record Serial(Path path) implements CharOptions {}

  /** A pseudo-terminal. */
  record Pty() implements CharOptions {}

  /** The {@code -chardev} with an id. */
  record Reference(String id) implements CharOptions {}

  /** Whether this is the {@code -chardev} {@code name}. */
  default boolean refersTo(String name) {
    // The equality that a record gets takes the JVM 15 ms when it is first asked for, which is at each start.
    return this instanceof Reference(String id) && id.equals(name);
  }
}
