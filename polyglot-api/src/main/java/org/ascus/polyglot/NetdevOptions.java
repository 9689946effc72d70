package org.ascus.polyglot;

import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.Optional;
import org.ascus.devices.net.socket.StreamAddress;
import org.ascus.devices.net.tap.BridgeHelper;
import org.ascus.devices.net.tap.TapScripts;
import org.ascus.devices.net.user.UserNetOptions;

/** The host's end of a network, {@code -netdev}. */
public sealed interface NetdevOptions {
  /** What the user wrote; starts error messages. */
  String option();

  /** The name that network cards find it by. */
  String id();

  /** A network of its own that needs no privileges. */
  record User(String option, String id, UserNetOptions network) implements NetdevOptions {}

  /**
   * Another machine over one connection.
   *
   * @param kind {@code socket} or {@code stream}
   * @param server listens instead of connecting
   * @param reconnectSeconds how long a client waits before it tries again; 0 to give up
   */
  record Stream(
      String option, String id, String kind, StreamAddress address, boolean server, int reconnectSeconds)
      implements NetdevOptions {}

  /**
   * Another machine, or a multicast group of them, over UDP.
   *
   * @param kind {@code socket} or {@code dgram}
   * @param local where to listen; for a group, an address of the interface to use, which may be left out
   */
  record Datagram(
      String option, String id, String kind, Optional<InetSocketAddress> local, InetSocketAddress remote)
      implements NetdevOptions {}

  /**
   * Another machine by datagrams between two unix sockets.
   *
   * @param local path of the own one, which is made
   */
  record UnixDatagram(String option, String id, Path local, Path remote) implements NetdevOptions {}

  /**
   * A network interface of the host, which takes privileges.
   *
   * @param name of the interface; empty for one that the host chooses
   */
  record Tap(String option, String id, String name, TapScripts scripts) implements NetdevOptions {}

  /** A network interface on a bridge of the host, which a program with privileges makes. */
  record Bridge(String option, String id, BridgeHelper helper) implements NetdevOptions {}

  /**
   * A port of a hub.
   *
   * @param hub its number
   * @param netdev another network that is connected to the port; empty for a port that a card is plugged into
   */
  record HubPort(String option, String id, int hub, String netdev) implements NetdevOptions {}
}
