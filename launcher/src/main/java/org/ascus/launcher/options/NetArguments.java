package org.ascus.launcher.options;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.ascus.devices.net.MacAddress;
import org.ascus.devices.net.user.GuestForward;
import org.ascus.devices.net.user.HostForward;
import org.ascus.devices.net.user.IpAddress;
import org.ascus.devices.net.user.UserNetOptions;
import org.ascus.devices.net.user.UserNetOptions.Boot;
import org.ascus.devices.net.user.UserNetOptions.Names;
import org.ascus.devices.net.user.UserNetOptions.Network4;
import org.ascus.devices.net.user.UserNetOptions.Network6;
import org.ascus.polyglot.DeviceOptions;
import org.ascus.polyglot.NetdevOptions;

/** {@code -netdev}, {@code -nic} and {@code -net}. */
public final class NetArguments {
  private static final int MAX_PREFIX6 = 126;
  private static final String TYPES =
      "Available netdev backend types:\n" + "bridge\ndgram\nhubport\nsocket\nstream\ntap\nuser\n";
  private static final String DEFAULT_MODEL = "virtio-net-device";
  private static final List<String> MODELS = List.of("e1000e", "virtio-net-device", "virtio-net-pci");

  private NetArguments() {}

  static void netdev(Draft draft, String argument) throws OptionException {
    KeyValues kv = KeyValues.parseOrJson(argument, "type");
    if (kv.asksForHelp() || argument.equals("type=help")) {
      draft.answer(TYPES);
      return;
    }
    String type = kv.require("type");
    String id = kv.requireId();
    draft.netdevs.add(backend("-netdev " + argument, type, id, kv));
    kv.expectEmpty();
  }

  /**
   * The argument of the monitor's {@code netdev_add}, which is that of {@code -netdev}.
   *
   * @throws OptionException when it is malformed
   */
  public static NetdevOptions parse(String argument) throws OptionException {
    KeyValues kv = KeyValues.parse(argument, "type");
    String type = kv.require("type");
    NetdevOptions made = backend("netdev_add", type, kv.requireId(), kv);
    kv.expectEmpty();
    return made;
  }

  private static NetdevOptions backend(String option, String type, String id, KeyValues kv) throws OptionException {
    return switch (type) {
      case "user" -> new NetdevOptions.User(option, id, user(kv));
      case "socket" -> SocketNetArguments.socket(option, id, kv);
      case "stream" -> SocketNetArguments.stream(option, id, kv);
      case "dgram" -> SocketNetArguments.dgram(option, id, kv);
      case "tap" -> SocketNetArguments.tap(option, id, kv);
      case "bridge" -> SocketNetArguments.bridge(option, id, kv);
      case "hubport" -> SocketNetArguments.hubPort(option, id, kv);
      default ->
          throw new OptionException("Parameter 'type' does not accept value '" + type + "' (see -netdev help)");
    };
  }

  static void nic(Draft draft, String argument) throws OptionException {
    if (argument.equals("none")) {
      return;
    }
    KeyValues kv = KeyValues.parse(argument, "type");
    String option = "-nic " + argument;
    Optional<String> model = kv.take("model");
    if (model.filter(m -> m.equals("help") || m.equals("?")).isPresent()) {
      draft.answer("Supported NIC models:\n" + String.join("\n", models(draft)) + "\n");
      return;
    }
    if (kv.asksForHelp()) {
      draft.answer(TYPES);
      return;
    }
    String driver = driver(draft, model);
    Map<String, String> properties = address(kv);
    String id = kv.takeId().orElse("#net" + draft.netdevs.size());
    draft.netdevs.add(backend(option, kv.take("type").orElse("user"), id, kv));
    kv.expectEmpty();
    properties.put("netdev", id);
    draft.devices.add(new DeviceOptions(option, driver, "", properties));
  }

  private static String driver(Draft draft, Optional<String> model) throws OptionException {
    String driver = model.map(m -> m.equals("virtio") ? DEFAULT_MODEL : m).orElse(DEFAULT_MODEL);
    if (!models(draft).contains(driver)) {
      throw new OptionException("Unsupported NIC model: " + driver + " (see -nic model=help)");
    }
    return driver;
  }

  private static Map<String, String> address(KeyValues kv) throws OptionException {
    Map<String, String> properties = new LinkedHashMap<>();
    Optional<String> mac = kv.take("mac").or(() -> kv.take("macaddr"));
    if (mac.isPresent()) {
      properties.put("mac", mac(mac.get()));
    }
    return properties;
  }

  static void net(Draft draft, String argument) throws OptionException {
    if (argument.equals("none")) {
      return;
    }
    KeyValues kv = KeyValues.parse(argument, "type");
    String option = "-net " + argument;
    if (kv.asksForHelp()) {
      draft.answer(TYPES.replace("hubport\n", "nic\n"));
      return;
    }
    String type = kv.require("type");
    if (type.equals("nic")) {
      String driver = driver(draft, kv.take("model"));
      Map<String, String> properties = address(kv);
      String id = kv.takeId().or(() -> kv.take("name")).orElse("");
      Optional<String> netdev = kv.take("netdev");
      kv.expectEmpty();
      netdev.ifPresent(n -> properties.put("netdev", n));
      (netdev.isPresent() ? draft.devices : draft.hubCards).add(new DeviceOptions(option, driver, id, properties));
      return;
    }
    if (type.equals("hubport")) {
      throw new OptionException("Parameter 'type' expects a backend type that -net has, not 'hubport'");
    }
    String id = kv.takeId().or(() -> kv.take("name")).orElse("#hub-net" + draft.hubNetworks.size());
    draft.hubNetworks.add(backend(option, type, id, kv));
    kv.expectEmpty();
  }

  /** Connects what {@code -net} named: a card and a network directly, any others by a hub. */
  static void joinHub(Draft draft) {
    draft.netdevs.addAll(draft.hubNetworks);
    boolean direct = draft.hubNetworks.size() == 1 && draft.hubCards.size() == 1;
    for (int i = 0; i < draft.hubNetworks.size() && !direct; i++) {
      NetdevOptions network = draft.hubNetworks.get(i);
      draft.netdevs.add(new NetdevOptions.HubPort(network.option(), "#hub-port" + i, 0, network.id()));
    }
    for (int i = 0; i < draft.hubCards.size(); i++) {
      DeviceOptions card = draft.hubCards.get(i);
      String port = direct ? draft.hubNetworks.getFirst().id() : "#hub-card" + i;
      if (!direct) {
        draft.netdevs.add(new NetdevOptions.HubPort(card.option(), port, 0, ""));
      }
      Map<String, String> properties = new LinkedHashMap<>(card.properties());
      properties.put("netdev", port);
      draft.devices.add(new DeviceOptions(card.option(), card.driver(), card.id(), properties));
    }
  }

  private static List<String> models(Draft draft) {
    return MODELS.stream().filter(m -> draft.catalog().find(m).isPresent()).toList();
  }

  private static String mac(String text) throws OptionException {
    try {
      return MacAddress.parse(text).toString();
    } catch (IllegalArgumentException e) {
      throw new OptionException("invalid syntax for ethernet address '" + text + "'");
    }
  }

  // The user-mode network.

  private static UserNetOptions user(KeyValues kv) throws OptionException {
    try {
      for (String share : List.of("smb", "smbserver")) {
        if (kv.has(share)) {
          throw new OptionException(
              "'" + share + "' is not supported: a file server is no part of this network (-virtfs shares a folder)");
        }
      }
      boolean v4 = kv.takeSwitch("ipv4", true);
      boolean v6 = kv.takeSwitch("ipv6", true);
      if (!v4 && !v6) {
        throw new OptionException("IPv4 and IPv6 disabled");
      }
      Optional<Network4> ipv4 = network4(kv, v4);
      Optional<Network6> ipv6 = network6(kv, v6);
      Names names =
          new Names(kv.take("hostname").orElse(""), kv.take("domainname").orElse(""), kv.takeAll("dnssearch"));
      if (names.domain().length() > 255 || names.host().length() > 255) {
        throw new OptionException("'domainname' and 'hostname' parameters cannot be longer than 255 bytes");
      }
      List<HostForward> hostForwards = new ArrayList<>();
      for (String rule : kv.takeAll("hostfwd")) {
        hostForwards.add(HostForward.parse(rule));
      }
      List<GuestForward> guestForwards = new ArrayList<>();
      for (String rule : kv.takeAll("guestfwd")) {
        guestForwards.add(guestForward(ipv4, rule));
      }
      boolean restrict = kv.takeSwitch("restrict", false);
      return new UserNetOptions(restrict, ipv4, ipv6, names, boot(kv), hostForwards, guestForwards);
    } catch (IllegalArgumentException e) {
      throw new OptionException(e.getMessage());
    }
  }

  private static Optional<Network4> network4(KeyValues kv, boolean wanted) throws OptionException {
    Network4 base = Network4.DEFAULT;
    Optional<String> net = kv.take("net").or(() -> kv.take("ip"));
    if (net.isPresent()) {
      base = parse4(net.get());
    }
    Network4 network =
        new Network4(
            base.base(),
            base.prefix(),
            address(kv, "host", base.host(), true),
            address(kv, "dns", base.dns(), true),
            address(kv, "dhcpstart", base.dhcpStart(), true));
    return wanted ? Optional.of(network.check()) : Optional.empty();
  }

  private static Network4 parse4(String text) throws OptionException {
    int slash = text.indexOf('/');
    try {
      IpAddress address = IpAddress.parse(slash < 0 ? text : text.substring(0, slash));
      int prefix = slash < 0 ? classful(address) : prefix(text.substring(slash + 1));
      if (address.isV4() && prefix >= 4 && prefix <= 28) {
        return Network4.of(address, prefix);
      }
    } catch (IllegalArgumentException e) {
      // Said below.
    }
    throw new OptionException(
        "Parameter 'net' expects an IPv4 network as in 10.0.2.0/24, with 4 to 28 bits, not '" + text + "'");
  }

  private static int prefix(String text) {
    if (text.matches("[0-9]{1,2}")) {
      return Integer.parseInt(text);
    }
    int mask = (int) IpAddress.parse(text).low();
    int bits = Integer.bitCount(mask);
    if (bits == 0 || mask != -1 << 32 - bits) {
      throw new IllegalArgumentException(text);
    }
    return bits;
  }

  /** What the size of a network was before one could say it. */
  private static int classful(IpAddress address) {
    int top = (int) (address.low() >>> 24) & 0xff;
    return top < 128 ? 8 : top < 192 ? 16 : 24;
  }

  private static Optional<Network6> network6(KeyValues kv, boolean wanted) throws OptionException {
    Network6 base = Network6.DEFAULT;
    Optional<String> net = kv.take("ipv6-net");
    String prefix = net.map(n -> n.replaceAll("/.*", "")).or(() -> kv.take("ipv6-prefix")).orElse("");
    Optional<String> length =
        net.filter(n -> n.contains("/")).map(n -> n.replaceAll(".*/", "")).or(() -> kv.take("ipv6-prefixlen"));
    if (!prefix.isEmpty() || length.isPresent()) {
      String size = length.orElse("64");
      if (!size.matches("[0-9]{1,3}") || Integer.parseInt(size) > MAX_PREFIX6) {
        throw new OptionException(
            "Invalid IPv6 prefix provided (IPv6 prefix length must be between 0 and " + MAX_PREFIX6 + ")");
      }
      String key = net.isPresent() ? "ipv6-net" : "ipv6-prefix";
      IpAddress address = prefix.isEmpty() ? base.prefix() : address(key, prefix, false);
      base = Network6.of(address, Integer.parseInt(size));
    }
    Network6 network =
        new Network6(
            base.prefix(),
            base.length(),
            address(kv, "ipv6-host", base.host(), false),
            address(kv, "ipv6-dns", base.dns(), false));
    return wanted ? Optional.of(network.check()) : Optional.empty();
  }

  private static IpAddress address(KeyValues kv, String key, IpAddress otherwise, boolean v4) throws OptionException {
    Optional<String> text = kv.take(key);
    return text.isEmpty() ? otherwise : address(key, text.get(), v4);
  }

  private static IpAddress address(String key, String text, boolean v4) throws OptionException {
    try {
      IpAddress address = IpAddress.parse(text);
      if (address.isV4() == v4) {
        return address;
      }
    } catch (IllegalArgumentException e) {
      // Said below.
    }
    throw new OptionException(
        "Parameter '" + key + "' expects an IPv" + (v4 ? 4 : 6) + " address, not '" + text + "'");
  }

  private static Boot boot(KeyValues kv) throws OptionException {
    Optional<Path> folder = kv.take("tftp").map(Path::of);
    if (folder.isPresent() && !Files.isDirectory(folder.get())) {
      throw new OptionException("Parameter 'tftp': '" + folder.get() + "' is not a directory");
    }
    return new Boot(folder, kv.take("tftp-server-name").orElse(""), kv.take("bootfile").orElse(""));
  }

  private static GuestForward guestForward(Optional<Network4> ipv4, String rule) throws OptionException {
    GuestForward forward = GuestForward.parse(rule);
    IpAddress server = forward.server();
    if (ipv4.isEmpty() || !ipv4.get().contains(server) || server.equals(ipv4.get().host())
        || server.equals(ipv4.get().dns())) {
      throw new OptionException(
          "Invalid guest forwarding rule '" + rule + "' (" + server
              + " must be in the guest's network and neither its host nor its dns)");
    }
    return forward;
  }
}
