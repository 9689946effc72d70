package org.ascus.devices.net.socket;

import java.nio.file.Path;

/** Where a connection is made. */
public sealed interface StreamAddress {
  /**
   * A TCP port.
   *
   * @param host name or address; empty for all of this host's to listen at
   */
  record Inet(String host, int port) implements StreamAddress {
    @Override
    public String toString() {
      return "tcp:" + host + ":" + port;
    }
  }

  /** A unix socket with a path. */
  record Unix(Path path) implements StreamAddress {
    @Override
    public String toString() {
      return "unix:" + path;
    }
  }
}
