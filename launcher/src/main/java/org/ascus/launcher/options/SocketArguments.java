package org.ascus.launcher.options;

import java.io.IOException;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.UnixDomainSocketAddress;
import java.net.UnknownHostException;
import java.util.Optional;
import java.util.OptionalLong;
import org.ascus.devices.chardev.socket.SocketOptions.Protocol;

/** Sockets in {@code -chardev} and in the short forms that {@code -serial} and {@code -monitor} take. */
final class SocketArguments {
  private static final int MAX_PORT = 65535;
  private static final int MAX_SECONDS = 1 << 20;

  private SocketArguments() {}

  /** What follows {@code socket}. */
  static CharOptions socket(KeyValues kv) throws OptionException {
    Optional<String> path = kv.take("path");
    boolean server = kv.takeSwitch("server", false);
    Optional<String> waits = kv.take("wait");
    if (waits.isPresent() && !server) {
      throw new OptionException("'wait' option is incompatible with socket in client connect mode");
    }
    boolean telnet = kv.takeSwitch("telnet", false);
    boolean websocket = kv.takeSwitch("websocket", false);
    if (telnet && websocket) {
      throw new OptionException("'telnet' and 'websocket' are mutually exclusive");
    }
    Protocol protocol = telnet ? Protocol.TELNET : websocket ? Protocol.WEBSOCKET : Protocol.RAW;
    if (websocket && !server) {
      throw new OptionException("Websocket client is not implemented");
    }
    int reconnect = (int) kv.takeNumber("reconnect", 0, MAX_SECONDS).orElse(0);
    if (reconnect > 0 && server) {
      throw new OptionException("'reconnect' option is incompatible with socket in server listen mode");
    }
    String credentials = kv.take("tls-creds").orElse("");
    String authorization = kv.take("tls-authz").orElse("");
    if (!authorization.isEmpty() && credentials.isEmpty()) {
      throw new OptionException("'tls-authz' option requires 'tls-creds' option");
    }
    boolean delay = kv.takeSwitch("delay", true);
    boolean nodelay = kv.takeSwitch("nodelay", false) || !delay;
    boolean waitForPeer = server && (waits.isEmpty() || KeyValues.switchValue("wait", waits.get()));
    boolean isAbstract = kv.takeSwitch("abstract", false);
    // Says how an abstract name is written, and nothing about a path.
    kv.takeSwitch("tight", true);
    if (isAbstract) {
      throw new OptionException("abstract=on is not supported: Java has no abstract Unix sockets (give a path)");
    }
    if (path.isPresent()) {
      if (!credentials.isEmpty()) {
        throw new OptionException("TLS can only be used over TCP socket");
      }
      var address = UnixDomainSocketAddress.of(path.get());
      return new CharOptions.Socket(address, server, waitForPeer, nodelay, reconnect, protocol, "", "");
    }
    // Without a host a server listens to the whole world, which must be asked for.
    String host = kv.take("host").orElse("");
    InetSocketAddress address = address(kv, host, kv.require("port"), server);
    OptionalLong last = kv.takeNumber("to", 0, MAX_PORT);
    if (last.isPresent() && server) {
      address = firstFree(address, (int) last.getAsLong());
    }
    return new CharOptions.Socket(
        address, server, waitForPeer, nodelay, reconnect, protocol, credentials, authorization);
  }

  /** What follows {@code udp}. */
  static CharOptions udp(KeyValues kv) throws OptionException {
    String host = kv.take("host").orElse("");
    String port = kv.take("port").orElse("");
    if (port.isEmpty()) {
      throw new OptionException("chardev: udp: remote port not specified");
    }
    InetSocketAddress remote = address(kv, host, port, false);
    InetSocketAddress local =
        address(kv.take("localaddr").orElse(""), kv.take("localport").orElse("0"), true);
    return new CharOptions.Udp(remote, local);
  }

  /** {@code tcp:host:port,server,...} and the like, without the first word and its colon. */
  static CharOptions legacy(String kind, String rest) throws OptionException {
    if (kind.equals("udp")) {
      int at = rest.indexOf('@');
      String local = at < 0 ? "" : rest.substring(at + 1);
      return new CharOptions.Udp(split(at < 0 ? rest : rest.substring(0, at), false),
          local.isEmpty() ? new InetSocketAddress(0) : split(local, true));
    }
    int comma = rest.indexOf(',');
    String target = comma < 0 ? rest : rest.substring(0, comma);
    StringBuilder words = new StringBuilder();
    if (kind.equals("unix")) {
      words.append("path=").append(target);
    } else {
      InetSocketAddress address = split(target, false);
      words.append("host=").append(target, 0, target.lastIndexOf(':')).append(",port=").append(address.getPort());
      words.append(kind.equals("tcp") ? "" : "," + kind + "=on");
    }
    if (comma >= 0) {
      words.append(rest.substring(comma));
    }
    KeyValues kv = KeyValues.parse(words.toString(), "");
    CharOptions result = socket(kv);
    kv.expectEmpty();
    return result;
  }

  private static InetSocketAddress split(String text, boolean server) throws OptionException {
    int colon = text.lastIndexOf(':');
    if (colon < 0) {
      throw new OptionException("'" + text + "' is not host:port");
    }
    return address(text.substring(0, colon), text.substring(colon + 1), server);
  }

  /** An address of the family that {@code ipv4=} and {@code ipv6=} leave. */
  private static InetSocketAddress address(KeyValues kv, String host, String port, boolean server)
      throws OptionException {
    boolean only4 = kv.has("ipv4") && !kv.has("ipv6");
    boolean only6 = kv.has("ipv6") && !kv.has("ipv4");
    boolean v4 = kv.takeSwitch("ipv4", !only6);
    boolean v6 = kv.takeSwitch("ipv6", !only4);
    InetSocketAddress any = address(host, port, server);
    if (v4 == v6) {
      if (!v4) {
        throw new OptionException("Cannot disable IPv4 and IPv6 at same time");
      }
      return any;
    }
    try {
      String name = host.isEmpty() ? server ? v4 ? "0.0.0.0" : "::" : v4 ? "127.0.0.1" : "::1" : host;
      for (InetAddress one : InetAddress.getAllByName(name)) {
        if (one instanceof Inet4Address == v4) {
          return new InetSocketAddress(one, any.getPort());
        }
      }
    } catch (UnknownHostException e) {
      // Said below.
    }
    throw new OptionException(
        "address resolution failed for " + host + ":" + port + ": no IPv" + (v4 ? 4 : 6) + " address");
  }

  /** The first address from {@code address} to port {@code last} at which nobody listens. */
  private static InetSocketAddress firstFree(InetSocketAddress address, int last) {
    for (int port = address.getPort(); port < last; port++) {
      InetSocketAddress candidate = new InetSocketAddress(address.getAddress(), port);
      try (ServerSocket probe = new ServerSocket()) {
        probe.bind(candidate);
        return candidate;
      } catch (IOException e) {
        // In use: the next.
      }
    }
    return new InetSocketAddress(address.getAddress(), Math.max(last, address.getPort()));
  }

  private static InetSocketAddress address(String host, String port, boolean server) throws OptionException {
    int number;
    try {
      number = Integer.parseInt(port);
    } catch (NumberFormatException e) {
      number = -1;
    }
    if (number < 0 || number > MAX_PORT) {
      throw new OptionException("port '" + port + "' is not a number from 0 to " + MAX_PORT);
    }
    if (host.isEmpty()) {
      return server
          ? new InetSocketAddress(number)
          : new InetSocketAddress(InetAddress.getLoopbackAddress(), number);
    }
    InetSocketAddress address = new InetSocketAddress(host, number);
    if (address.isUnresolved()) {
      throw new OptionException("address resolution failed for " + host + ":" + port + ": unknown host");
    }
    return address;
  }
}
