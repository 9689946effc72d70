package org.ascus.devices.net.user;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * The network that the guest finds itself in, {@code -netdev user}.
 *
 * @param restrict the guest reaches nothing but what forwarding rules name
 * @param ipv4 the IPv4 network; empty for none
 * @param ipv6 the IPv6 network; empty for none
 * @param names what DHCP says about names
 * @param boot what DHCP and TFTP offer to boot from
 * @param hostForwards ports of the host that lead to the guest
 * @param guestForwards addresses in the guest's network that lead to something of the host's
 */
public record UserNetOptions(
    boolean restrict,
    Optional<Network4> ipv4,
    Optional<Network6> ipv6,
    Names names,
    Boot boot,
    List<HostForward> hostForwards,
    List<GuestForward> guestForwards) {
  public UserNetOptions {
    hostForwards = List.copyOf(hostForwards);
    guestForwards = List.copyOf(guestForwards);
  }

  /** What {@code -netdev user} is with nothing said. */
  public static final UserNetOptions DEFAULT =
      new UserNetOptions(
          false, Optional.of(Network4.DEFAULT), Optional.of(Network6.DEFAULT), Names.NONE, Boot.NONE, List.of(),
          List.of());

  /**
   * An IPv4 network.
   *
   * @param base its lowest address
   * @param prefix bits that all of its addresses share
   * @param host the gateway, which is also how the guest reaches the host's own services
   * @param dns the name server
   * @param dhcpStart the first of the addresses that DHCP gives out
   */
  public record Network4(IpAddress base, int prefix, IpAddress host, IpAddress dns, IpAddress dhcpStart) {
    /** 10.0.2.0/24. */
    public static final Network4 DEFAULT = of(IpAddress.parse("10.0.2.0"), 24);

    /** A network with the usual addresses: host 2, name server 3, DHCP from 15 on. */
    public static Network4 of(IpAddress base, int prefix) {
      int mask = mask(prefix);
      IpAddress low = IpAddress.of4(base.bits4() & mask);
      return new Network4(low, prefix, at(low, 2), at(low, 3), at(low, 15));
    }

    private static IpAddress at(IpAddress base, int number) {
      return IpAddress.of4(base.bits4() + number);
    }

    static int mask(int prefix) {
      return prefix == 0 ? 0 : -1 << 32 - prefix;
    }

    /** Whether an address belongs to it. */
    public boolean contains(IpAddress address) {
      return address.matches(base, prefix);
    }

    IpAddress broadcast() {
      return IpAddress.of4(base.bits4() | ~mask(prefix));
    }

    /**
     * Returns this if its addresses fit together.
     *
     * @throws IllegalArgumentException naming the option that does not fit
     */
    public Network4 check() {
      inside("host", host);
      inside("dns", dns);
      inside("dhcpstart", dhcpStart);
      if (host.equals(dns)) {
        throw new IllegalArgumentException("DNS must be different from host");
      }
      int last = dhcpStart.bits4() + Dhcp.ADDRESSES - 1;
      for (IpAddress taken : List.of(host, dns)) {
        if (taken.bits4() - dhcpStart.bits4() >= 0 && taken.bits4() - last <= 0) {
          throw new IllegalArgumentException("dhcpstart=" + dhcpStart + ": DHCP would give out " + taken);
        }
      }
      return this;
    }

    private void inside(String option, IpAddress address) {
      if (!contains(address) || address.equals(base) || address.equals(broadcast())) {
        throw new IllegalArgumentException(option + "=" + address + ": not in the network " + base + "/" + prefix);
      }
    }
  }

  /**
   * An IPv6 network.
   *
   * @param prefix its lowest address
   * @param length bits that all of its addresses share
   * @param host as in IPv4
   * @param dns as in IPv4
   */
  public record Network6(IpAddress prefix, int length, IpAddress host, IpAddress dns) {
    /** fec0::/64. */
    public static final Network6 DEFAULT = of(IpAddress.parse("fec0::"), 64);

    /** A network with the usual addresses: host 2, name server 3. */
    public static Network6 of(IpAddress prefix, int length) {
      long high = prefix.high() & mask(length);
      long low = prefix.low() & mask(length - 64);
      IpAddress base = new IpAddress(high, low);
      return new Network6(base, length, new IpAddress(high, low + 2), new IpAddress(high, low + 3));
    }

    /** The upper {@code bits} of 64. */
    private static long mask(int bits) {
      return bits <= 0 ? 0 : bits >= 64 ? ~0L : -1L << 64 - bits;
    }

    /** Whether an address belongs to it. */
    public boolean contains(IpAddress address) {
      return address.matches(prefix, length);
    }

    /**
     * Returns this if its addresses fit together.
     *
     * @throws IllegalArgumentException naming the option that does not fit
     */
    public Network6 check() {
      for (IpAddress a : List.of(host, dns)) {
        if (!contains(a)) {
          String option = a.equals(host) ? "ipv6-host=" : "ipv6-dns=";
          throw new IllegalArgumentException(option + a + ": not in the network " + prefix + "/" + length);
        }
      }
      return this;
    }
  }

  /**
   * Names that DHCP tells.
   *
   * @param host the guest's own name; empty for none
   * @param domain empty for none
   * @param search domains to look names up in
   */
  public record Names(String host, String domain, List<String> search) {
    public static final Names NONE = new Names("", "", List.of());

    public Names {
      search = List.copyOf(search);
    }
  }

  /**
   * What to boot from.
   *
   * @param tftp folder whose files TFTP offers
   * @param server name of the boot server; empty for none
   * @param file name of the boot file; empty for none
   */
  public record Boot(Optional<Path> tftp, String server, String file) {
    public static final Boot NONE = new Boot(Optional.empty(), "", "");
  }
}
