package org.ascus.launcher.options;

import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalLong;
import org.ascus.devices.net.socket.StreamAddress;
import org.ascus.devices.net.tap.BridgeHelper;
import org.ascus.devices.net.tap.TapScripts;
import org.ascus.polyglot.NetdevOptions;

/** The kinds of {@code -netdev} that lead to other machines. */
final class SocketNetArguments {
  private static final int MAX_PORT = 65535;
  private static final int MAX_INTERFACE_NAME = 15;

  private SocketNetArguments() {}

  /** {@code socket}: one of listen, connect, mcast and udp says which. */
  static NetdevOptions socket(String option, String id, KeyValues kv) throws OptionException {
    refuse(kv, "fd");
    Optional<String> listen = kv.take("listen");
    Optional<String> connect = kv.take("connect");
    Optional<String> group = kv.take("mcast");
    Optional<String> udp = kv.take("udp");
    Optional<String> local = kv.take("localaddr");
    if (listen.stream().count() + connect.stream().count() + group.stream().count() + udp.stream().count() != 1) {
      throw new OptionException("exactly one of listen=, connect=, mcast= or udp= is required");
    }
    if (local.isPresent() && group.isEmpty() && udp.isEmpty()) {
      throw new OptionException("localaddr= is only valid with mcast= or udp=");
    }
    if (listen.isPresent()) {
      return new NetdevOptions.Stream(option, id, "socket", inet("listen", listen.get()), true, 0);
    }
    if (connect.isPresent()) {
      return new NetdevOptions.Stream(option, id, "socket", inet("connect", connect.get()), false, 0);
    }
    if (group.isPresent()) {
      InetSocketAddress remote = resolved("mcast", inet("mcast", group.get()));
      if (!remote.getAddress().isMulticastAddress()) {
        throw new OptionException("specified mcastaddr " + group.get() + " does not contain a multicast address");
      }
      Optional<InetSocketAddress> own =
          local.isEmpty()
              ? Optional.empty()
              : Optional.of(resolved("localaddr", new StreamAddress.Inet(local.get(), 0)));
      return new NetdevOptions.Datagram(option, id, "socket", own, remote);
    }
    if (local.isEmpty()) {
      throw new OptionException("localaddr= is mandatory with udp=");
    }
    return new NetdevOptions.Datagram(
        option,
        id,
        "socket",
        Optional.of(resolved("localaddr", inet("localaddr", local.get()))),
        resolved("udp", inet("udp", udp.get())));
  }

  static NetdevOptions stream(String option, String id, KeyValues kv) throws OptionException {
    StreamAddress address = address(kv, "addr");
    boolean server = kv.takeSwitch("server", false);
    int reconnect = (int) kv.takeNumber("reconnect", 0, Integer.MAX_VALUE).orElse(0);
    if (server && reconnect > 0) {
      throw new OptionException("'reconnect' option is incompatible with socket in server mode");
    }
    return new NetdevOptions.Stream(option, id, "stream", address, server, reconnect);
  }

  static NetdevOptions dgram(String option, String id, KeyValues kv) throws OptionException {
    Optional<StreamAddress> local =
        kv.has("local.type") ? Optional.of(address(kv, "local")) : Optional.empty();
    if (local.isPresent() && !kv.has("remote.type")) {
      throw new OptionException("type=inet or type=unix requires remote parameter");
    }
    StreamAddress remote = address(kv, "remote");
    if (local.isPresent() && local.get().getClass() != remote.getClass()) {
      throw new OptionException("remote and local types must be the same");
    }
    if (!(remote instanceof StreamAddress.Inet to)) {
      if (local.isEmpty()) {
        throw new OptionException("dgram requires local= parameter");
      }
      return new NetdevOptions.UnixDatagram(option, id, path(local.get()), path(remote));
    }
    InetSocketAddress target = resolved("remote", to);
    Optional<InetSocketAddress> own = Optional.empty();
    if (local.isPresent() && local.get() instanceof StreamAddress.Inet from) {
      own = Optional.of(resolved("local", from));
    } else if (!target.getAddress().isMulticastAddress()) {
      throw new OptionException("local= address is required for remote= address");
    }
    return new NetdevOptions.Datagram(option, id, "dgram", own, target);
  }

  private static Path path(StreamAddress address) {
    return ((StreamAddress.Unix) address).path();
  }

  static NetdevOptions tap(String option, String id, KeyValues kv) throws OptionException {
    for (String key : new String[] {"fd", "fds", "vhostfd", "vhostfds"}) {
      refuse(kv, key);
    }
    if (kv.takeSwitch("vhost", false) || kv.takeSwitch("vhostforce", false)) {
      throw new OptionException("vhost=on is not supported");
    }
    if (kv.has("helper")) {
      for (String key : new String[] {"ifname", "script", "downscript", "vnet_hdr", "queues"}) {
        if (kv.has(key)) {
          throw new OptionException(
              "ifname=, script=, downscript=, vnet_hdr=, queues=, and vhostfds= are invalid with helper=");
        }
      }
      return bridge(option, id, kv);
    }
    kv.take("br");
    // They change how fast frames go, not what the guest can see.
    kv.takeSwitch("vnet_hdr", true);
    kv.take("sndbuf");
    if (kv.takeNumber("queues", 1, 1).isPresent()) {
      kv.take("poll-us");
    }
    String name = kv.take("ifname").orElse("");
    if (name.length() > MAX_INTERFACE_NAME || !name.matches("[!-.0-~]*")) {
      throw new OptionException("Parameter 'ifname' expects up to 15 characters, not '" + name + "'");
    }
    return new NetdevOptions.Tap(
        option, id, name, new TapScripts(script(kv, "script", "ifup"), script(kv, "downscript", "ifdown")));
  }

  static NetdevOptions bridge(String option, String id, KeyValues kv) throws OptionException {
    String bridge = kv.take("br").orElse(BridgeHelper.DEFAULT_BRIDGE);
    String program = kv.take("helper").orElseGet(BridgeHelper::defaultProgram);
    return new NetdevOptions.Bridge(option, id, new BridgeHelper(program, bridge));
  }

  private static String script(KeyValues kv, String key, String otherwise) {
    String script = kv.take(key).orElse("/etc/qemu-" + otherwise);
    return script.equals("no") ? "" : script;
  }

  static NetdevOptions hubPort(String option, String id, KeyValues kv) throws OptionException {
    OptionalLong hub = kv.takeNumber("hubid", 0, Integer.MAX_VALUE);
    if (hub.isEmpty()) {
      throw new OptionException("Parameter 'hubid' is missing");
    }
    return new NetdevOptions.HubPort(option, id, (int) hub.getAsLong(), kv.take("netdev").orElse(""));
  }

  private static void refuse(KeyValues kv, String key) throws OptionException {
    if (kv.take(key).isPresent()) {
      throw new OptionException("Parameter '" + key + "' is not supported: nothing is handed over by others yet");
    }
  }

  private static StreamAddress address(KeyValues kv, String prefix) throws OptionException {
    String type = kv.require(prefix + ".type");
    return switch (type) {
      case "inet" -> {
        String host = kv.take(prefix + ".host").orElse("");
        kv.takeSwitch(prefix + ".ipv4", true);
        kv.takeSwitch(prefix + ".ipv6", true);
        kv.takeSwitch(prefix + ".keep-alive", false);
        yield new StreamAddress.Inet(host, port(prefix + ".port", kv.require(prefix + ".port")));
      }
      case "unix" -> {
        if (kv.takeSwitch(prefix + ".abstract", false)) {
          throw new OptionException(
              "Parameter '" + prefix + ".abstract': Java has no abstract Unix sockets (give a path)");
        }
        yield new StreamAddress.Unix(Path.of(kv.require(prefix + ".path")));
      }
      default ->
          throw new OptionException("Parameter '" + prefix + ".type' expects one of inet, unix, not '" + type + "'");
    };
  }

  private static StreamAddress.Inet inet(String key, String text) throws OptionException {
    int colon = text.lastIndexOf(':');
    if (colon < 0) {
      throw new OptionException("Parameter '" + key + "' expects host:port, not '" + text + "'");
    }
    String host = text.substring(0, colon).replaceAll("^\\[(.*)]$", "$1");
    return new StreamAddress.Inet(host, port(key, text.substring(colon + 1)));
  }

  private static int port(String key, String text) throws OptionException {
    int port = text.matches("[0-9]{1,5}") ? Integer.parseInt(text) : MAX_PORT + 1;
    if (port > MAX_PORT) {
      throw new OptionException("Parameter '" + key + "' expects a port, not '" + text + "'");
    }
    return port;
  }

  private static InetSocketAddress resolved(String key, StreamAddress.Inet address) throws OptionException {
    InetSocketAddress result =
        address.host().isEmpty()
            ? new InetSocketAddress(address.port())
            : new InetSocketAddress(address.host(), address.port());
    if (result.isUnresolved()) {
      throw new OptionException("Parameter '" + key + "': can't resolve host address '" + address.host() + "'");
    }
    return result;
  }
}
