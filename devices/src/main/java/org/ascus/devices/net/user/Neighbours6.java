package org.ascus.devices.net.user;

import java.nio.ByteBuffer;
import org.ascus.devices.net.MacAddress;

/** Neighbour discovery and the router's part of it (RFC 4861, RFC 8106), stateless DHCPv6 (RFC 8415). */
final class Neighbours6 {
  static final int DHCP_SERVER_PORT = 547;

  private static final int ROUTER_SOLICITATION = 133;
  private static final int ROUTER_ADVERTISEMENT = 134;
  private static final int SOLICITATION = 135;
  private static final int ADVERTISEMENT = 136;

  private static final int OPTION_SOURCE = 1;
  private static final int OPTION_TARGET = 2;
  private static final int OPTION_PREFIX = 3;
  private static final int OPTION_DNS = 25;

  private static final int FROM_ROUTER = 0x80000000;
  private static final int SOLICITED = 0x40000000;
  private static final int OVERRIDE = 0x20000000;
  private static final int OTHER_BY_DHCP = 0x40;
  private static final int ON_LINK_AUTONOMOUS = 0xc0;

  private static final int ROUTER_SECONDS = 1800;
  private static final int VALID_SECONDS = 86400;
  private static final int PREFERRED_SECONDS = 14400;

  private static final int DHCP_CLIENT_PORT = 546;
  private static final int INFORMATION_REQUEST = 11;
  private static final int REPLY = 7;
  private static final int DHCP_CLIENT_ID = 1;
  private static final int DHCP_SERVER_ID = 2;
  private static final int DHCP_DNS = 23;

  private static final IpAddress ALL_NODES = IpAddress.parse("ff02::1");

  private final UserNetOptions options;
  private final UserNetOptions.Network6 network;
  private final GuestLink link;
  private final Places places;

  Neighbours6(UserNetOptions options, UserNetOptions.Network6 network, GuestLink link, Places places) {
    this.options = options;
    this.network = network;
    this.link = link;
    this.places = places;
  }

  /** Takes an ICMPv6 message of the guest if it is one of these; returns whether it was. */
  boolean input(IpPacket p) {
    if (p.length() < 8 || (p.bytes()[p.header() + 7] & 0xff) != 255) {
      return p.length() >= 1 && p.read8(0) >= ROUTER_SOLICITATION && p.read8(0) <= ADVERTISEMENT;
    }
    switch (p.read8(0)) {
      case ROUTER_SOLICITATION -> {
        learnOption(p, 8, OPTION_SOURCE, p.from());
        advertiseRouter();
      }
      case SOLICITATION -> solicited(p);
      case ADVERTISEMENT -> {
        if (p.length() >= 24) {
          learnOption(p, 24, OPTION_TARGET, IpAddress.read6(p.bytes(), p.payload() + 8));
        }
      }
      default -> {
        return false;
      }
    }
    return true;
  }

  private void learnOption(IpPacket p, int start, int kind, IpAddress address) {
    for (int at = start; at + 8 <= p.length(); at += 8 * Math.max(1, p.read8(at + 1))) {
      if (p.read8(at) == kind && places.isGuest(address)) {
        link.learn(address, MacAddress.of(p.bytes(), p.payload() + at + 2));
      }
    }
  }

  private void solicited(IpPacket p) {
    if (p.length() < 24) {
      return;
    }
    learnOption(p, 24, OPTION_SOURCE, p.from());
    IpAddress target = IpAddress.read6(p.bytes(), p.payload() + 8);
    if (!places.isOurs(target) || target.isV4()) {
      return;
    }
    boolean probe = p.from().equals(IpAddress.ANY6);
    ByteBuffer rest = ByteBuffer.allocate(28);
    rest.putInt(FROM_ROUTER | OVERRIDE | (probe ? 0 : SOLICITED));
    rest.putLong(target.high()).putLong(target.low());
    link.sendIcmp(target, probe ? ALL_NODES : p.from(), ADVERTISEMENT, 0, withMac(rest, OPTION_TARGET));
  }

  private byte[] withMac(ByteBuffer rest, int kind) {
    rest.put((byte) kind).put((byte) 1);
    link.own().put(rest.array(), rest.position());
    return rest.array();
  }

  /** Asks who has an address. */
  void ask(IpAddress address) {
    IpAddress to = new IpAddress(0xff02L << 48, 0x1_ff00_0000L | address.low() & 0xffffff);
    ByteBuffer rest = ByteBuffer.allocate(28).putInt(0).putLong(address.high()).putLong(address.low());
    link.sendIcmp(Places.ROUTER6, to, SOLICITATION, 0, withMac(rest, OPTION_SOURCE));
  }

  /** Tells everyone about the network. */
  void advertiseRouter() {
    ByteBuffer rest = ByteBuffer.allocate(12 + 32 + (options.restrict() ? 0 : 24) + 8);
    rest.put((byte) 64).put((byte) OTHER_BY_DHCP).putShort((short) (options.restrict() ? 0 : ROUTER_SECONDS));
    rest.putInt(0).putInt(0);
    rest.put((byte) OPTION_PREFIX).put((byte) 4).put((byte) network.length()).put((byte) ON_LINK_AUTONOMOUS);
    rest.putInt(VALID_SECONDS).putInt(PREFERRED_SECONDS).putInt(0);
    rest.putLong(network.prefix().high()).putLong(network.prefix().low());
    if (!options.restrict()) {
      rest.put((byte) OPTION_DNS).put((byte) 3).putShort((short) 0).putInt(ROUTER_SECONDS);
      rest.putLong(network.dns().high()).putLong(network.dns().low());
    }
    link.sendIcmp(Places.ROUTER6, ALL_NODES, ROUTER_ADVERTISEMENT, 0, withMac(rest, OPTION_SOURCE));
  }

  /** Takes a DHCPv6 message: type (1 byte), transaction (3), options. Only questions about the network are answered. */
  void dhcp(IpPacket p, byte[] m) {
    if (m.length < 4 || m[0] != INFORMATION_REQUEST) {
      return;
    }
    ByteBuffer out = ByteBuffer.allocate(4 + 14 + 20 + 4 + 1500);
    out.put((byte) REPLY).put(m, 1, 3);
    for (int at = 4; at + 4 <= m.length; ) {
      int size = IpPacket.read16(m, at + 2);
      if (at + 4 + size > m.length) {
        return;
      }
      if (IpPacket.read16(m, at) == DHCP_CLIENT_ID && size <= 130) {
        out.put(m, at, 4 + size);
        break;
      }
      at += 4 + size;
    }
    // A DUID made of the link-layer address: type 3, Ethernet.
    out.putShort((short) DHCP_SERVER_ID).putShort((short) 10).putShort((short) 3).putShort((short) 1);
    link.own().put(out.array(), out.position());
    out.position(out.position() + MacAddress.BYTES);
    if (!options.restrict()) {
      out.putShort((short) DHCP_DNS).putShort((short) 16).putLong(network.dns().high()).putLong(network.dns().low());
    }
    byte[] answer = java.util.Arrays.copyOf(out.array(), out.position());
    link.sendUdp(Places.ROUTER6, DHCP_SERVER_PORT, p.from(), DHCP_CLIENT_PORT, answer);
  }
}
