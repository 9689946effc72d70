package org.ascus.devices.chardev.socket;

import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.util.Optional;
import org.ascus.devices.security.Authorization;
import org.ascus.devices.security.TlsCredentials;

/**
 * A stream socket as a byte channel, {@code -chardev socket}.
 *
 * @param address to listen at or to connect to
 * @param server listens, for one peer at a time
 * @param waitForPeer a server waits for its first peer before the machine starts
 * @param nodelay small pieces are sent at once
 * @param reconnectSeconds a client tries again this long after it was refused or cut off; 0 for never
 * @param protocol what is spoken on the stream
 * @param tls encrypted, with these credentials
 * @param authorization who may come in by TLS; everybody with a certificate that is trusted if empty
 */
public record SocketOptions(
    SocketAddress address,
    boolean server,
    boolean waitForPeer,
    boolean nodelay,
    int reconnectSeconds,
    Protocol protocol,
    Optional<TlsCredentials> tls,
    Optional<Authorization> authorization) {
  /** What is spoken on a stream. */
  public enum Protocol {
    /** Bytes. */
    RAW,
    /** Telnet (RFC 854): bytes, a break, and option negotiation. */
    TELNET,
    /** WebSocket (RFC 6455), binary frames; servers only. */
    WEBSOCKET
  }

  /** A plain stream. */
  public static SocketOptions of(SocketAddress address, boolean server, boolean waitForPeer) {
    return new SocketOptions(
        address, server, waitForPeer, false, 0, Protocol.RAW, Optional.empty(), Optional.empty());
  }

  /** The address as messages show it. */
  public String target() {
    return switch (address) {
      case InetSocketAddress inet -> inet.getHostString() + ":" + inet.getPort();
      case UnixDomainSocketAddress unix -> unix.getPath().toString();
      default -> address.toString();
    };
  }
}
