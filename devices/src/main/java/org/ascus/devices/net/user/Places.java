package org.ascus.devices.net.user;

import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Optional;
import java.util.function.Supplier;

/** Where addresses that the guest names lead to on the host, and the way back. */
final class Places {
  /** The router's own address on the link. */
  static final IpAddress ROUTER6 = IpAddress.parse("fe80::2");

  private static final int DNS_PORT = 53;

  private final UserNetOptions options;
  private final Supplier<Optional<InetSocketAddress>> nameServer;

  /**
   * @param nameServer the one that the host itself asks
   */
  Places(UserNetOptions options, Supplier<Optional<InetSocketAddress>> nameServer) {
    this.options = options;
    this.nameServer = nameServer;
  }

  boolean isHost(IpAddress a) {
    return options.ipv4().map(n -> n.host().equals(a)).orElse(false)
        || options.ipv6().map(n -> n.host().equals(a) || ROUTER6.equals(a)).orElse(false);
  }

  boolean isDns(IpAddress a) {
    return options.ipv4().map(n -> n.dns().equals(a)).orElse(false)
        || options.ipv6().map(n -> n.dns().equals(a)).orElse(false);
  }

  private boolean isForward(IpAddress a) {
    // Asked about every packet: without a stream.
    for (GuestForward forward : options.guestForwards()) {
      if (forward.server().equals(a)) {
        return true;
      }
    }
    return false;
  }

  /** Addresses that this network answers for on the guest's link. */
  boolean isOurs(IpAddress a) {
    return isHost(a) || isDns(a) || isForward(a);
  }

  /** Whether {@code a} can be an address of a guest. */
  boolean isGuest(IpAddress a) {
    boolean inside =
        options.ipv4().map(n -> n.contains(a) && !a.equals(n.base()) && !a.equals(n.broadcast())).orElse(false)
            || options.ipv6().map(n -> n.contains(a) || a.isLinkLocal6()).orElse(false);
    return inside && !isOurs(a);
  }

  /** What is behind an address and port; nothing if the guest must not, or cannot, get there. */
  Optional<InetSocketAddress> target(IpAddress to, int port) {
    if (options.restrict() || port == 0 || to.isMulticast() || to.isLocalToAHost()) {
      return Optional.empty();
    }
    if (isHost(to)) {
      return Optional.of(new InetSocketAddress(loopback(to.isV4()), port));
    }
    if (isDns(to)) {
      return port == DNS_PORT ? nameServer.get() : Optional.empty();
    }
    boolean ofOurNet =
        to.equals(IpAddress.BROADCAST4)
            || options.ipv4().map(n -> n.contains(to)).orElse(false)
            || options.ipv6().map(n -> n.contains(to)).orElse(false)
            || to.isLinkLocal6();
    return ofOurNet ? Optional.empty() : Optional.of(new InetSocketAddress(to.toInet(), port));
  }

  private static InetAddress loopback(boolean v4) {
    return IpAddress.parse(v4 ? "127.0.0.1" : "::1").toInet();
  }

  /** How the guest knows a peer: the host's own addresses are the gateway. */
  IpAddress seen(InetAddress peer, boolean byV4) {
    boolean fits = peer instanceof Inet4Address == byV4;
    if (fits && !peer.isLoopbackAddress() && !peer.isLinkLocalAddress()) {
      return IpAddress.of(peer);
    }
    return byV4
        ? options.ipv4().map(UserNetOptions.Network4::host).orElse(IpAddress.ANY4)
        : options.ipv6().map(UserNetOptions.Network6::host).orElse(ROUTER6);
  }

  /** The guest that a forwarded port leads to. */
  Optional<IpAddress> guest(HostForward forward) {
    return forward.guest().or(() -> options.ipv4().map(UserNetOptions.Network4::dhcpStart));
  }

  Optional<GuestForward> forward(IpAddress to, int port) {
    return options.guestForwards().stream().filter(f -> f.server().equals(to) && f.port() == port).findFirst();
  }
}
