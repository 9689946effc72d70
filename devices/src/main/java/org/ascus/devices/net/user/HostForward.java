package org.ascus.devices.net.user;

import java.util.Optional;

/**
 * A port of the host that leads to one of the guest, {@code hostfwd=}.
 *
 * @param udp instead of TCP
 * @param host address to listen at; empty for all of the host's
 * @param hostPort 0 for any free one
 * @param guest empty for the first address that DHCP gives out
 */
public record HostForward(boolean udp, Optional<IpAddress> host, int hostPort, Optional<IpAddress> guest, int guestPort)
    {
  /**
   * Reads {@code [tcp|udp]:[hostaddr]:hostport-[guestaddr]:guestport}; IPv6 addresses stand in brackets.
   *
   * @throws IllegalArgumentException saying what is wrong with it
   */
  public static HostForward parse(String rule) {
    int dash = rule.indexOf('-', rule.indexOf(']') + 1);
    dash = dash < 0 ? rule.lastIndexOf('-') : dash;
    int colon = rule.indexOf(':');
    if (dash < 0 || colon < 0 || colon > dash) {
      throw wrong(rule, "expected [tcp|udp]:[hostaddr]:hostport-[guestaddr]:guestport");
    }
    boolean udp = protocol(rule, rule.substring(0, colon));
    String hostPart = rule.substring(colon + 1, dash);
    String guestPart = rule.substring(dash + 1);
    Optional<IpAddress> host = address(rule, "host", hostPart);
    int hostPort = port(rule, "host", hostPart, 0);
    Optional<IpAddress> guest = address(rule, "guest", guestPart);
    int guestPort = port(rule, "guest", guestPart, 1);
    return new HostForward(udp, host, hostPort, guest, guestPort);
  }

  /**
   * Reads the part before the dash alone, which is how a rule is named to be removed.
   *
   * @throws IllegalArgumentException saying what is wrong with it
   */
  public static HostForward parseHostPart(String rule) {
    int colon = rule.indexOf(':');
    if (colon < 0) {
      throw wrong(rule, "expected [tcp|udp]:[hostaddr]:hostport");
    }
    boolean udp = protocol(rule, rule.substring(0, colon));
    String part = rule.substring(colon + 1);
    return new HostForward(udp, address(rule, "host", part), port(rule, "host", part, 1), Optional.empty(), 0);
  }

  private static IllegalArgumentException wrong(String rule, String why) {
    return new IllegalArgumentException("Invalid host forwarding rule '" + rule + "' (" + why + ")");
  }

  private static boolean protocol(String rule, String name) {
    return switch (name) {
      case "", "tcp" -> false;
      case "udp" -> true;
      default -> throw wrong(rule, "Bad protocol name");
    };
  }

  private static Optional<IpAddress> address(String rule, String whose, String part) {
    int colon = part.lastIndexOf(':');
    if (colon < 0) {
      throw wrong(rule, "Missing " + whose + " port");
    }
    String text = part.substring(0, colon).replaceAll("^\\[(.*)]$", "$1");
    try {
      return text.isEmpty() ? Optional.empty() : Optional.of(IpAddress.parse(text));
    } catch (IllegalArgumentException e) {
      throw wrong(rule, "Bad " + whose + " address");
    }
  }

  private static int port(String rule, String whose, String part, int least) {
    String text = part.substring(part.lastIndexOf(':') + 1);
    int port = text.matches("[0-9]{1,5}") ? Integer.parseInt(text) : -1;
    if (port < least || port > 65535) {
      throw wrong(rule, "Bad " + whose + " port");
    }
    return port;
  }

  /** Whether both wait at the same place. */
  boolean samePlace(HostForward other) {
    return udp == other.udp && hostPort == other.hostPort && host.equals(other.host);
  }

  @Override
  public String toString() {
    return (udp ? "udp:" : "tcp:")
        + host.map(HostForward::text).orElse("") + ":" + hostPort
        + "-" + guest.map(HostForward::text).orElse("") + ":" + guestPort;
  }

  private static String text(IpAddress address) {
    return address.isV4() ? address.toString() : "[" + address + "]";
  }
}
