package org.ascus.devices.net.user;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.ascus.devices.net.MacAddress;

/** The DHCP server of the guest's network (RFC 2131, RFC 2132; domain search RFC 3397), for BOOTP clients too. */
final class Dhcp {
  static final int SERVER_PORT = 67;
  static final int CLIENT_PORT = 68;

  /** Number of addresses that are given out. */
  static final int ADDRESSES = 16;

  private static final int FIXED = 236;
  private static final int COOKIE = 0x63825363;
  private static final int LEASE_SECONDS = 86400;
  private static final int SMALLEST = 300;

  private static final int DISCOVER = 1;
  private static final int OFFER = 2;
  private static final int REQUEST = 3;
  private static final int DECLINE = 4;
  private static final int ACK = 5;
  private static final int NAK = 6;
  private static final int RELEASE = 7;
  private static final int INFORM = 8;

  private static final int OPTION_MASK = 1;
  private static final int OPTION_ROUTER = 3;
  private static final int OPTION_DNS = 6;
  private static final int OPTION_HOST_NAME = 12;
  private static final int OPTION_DOMAIN = 15;
  private static final int OPTION_REQUESTED = 50;
  private static final int OPTION_LEASE = 51;
  private static final int OPTION_TYPE = 53;
  private static final int OPTION_SERVER = 54;
  private static final int OPTION_TFTP_SERVER = 66;
  private static final int OPTION_BOOT_FILE = 67;
  private static final int OPTION_SEARCH = 119;
  private static final int OPTION_END = 255;

  private final UserNetOptions options;
  private final UserNetOptions.Network4 network;
  private final GuestLink link;
  private final MacAddress[] leases = new MacAddress[ADDRESSES];

  Dhcp(UserNetOptions options, UserNetOptions.Network4 network, GuestLink link) {
    this.options = options;
    this.network = network;
    this.link = link;
  }

  /** Takes a message of a client. */
  void input(byte[] m) {
    if (m.length < FIXED || m[0] != 1 || m[1] != 1 || m[2] != MacAddress.BYTES) {
      return;
    }
    MacAddress client = MacAddress.of(m, 28);
    Map<Integer, byte[]> given = options(m);
    byte[] type = given.getOrDefault(OPTION_TYPE, new byte[1]);
    switch (type.length == 1 ? type[0] : -1) {
      case 0 -> lease(client, Optional.empty()).ifPresent(a -> answer(m, client, 0, a));
      case DISCOVER -> lease(client, requested(given, m)).ifPresent(a -> answer(m, client, OFFER, a));
      case REQUEST -> request(m, client, given);
      case INFORM -> answer(m, client, ACK, IpAddress.read4(m, 12));
      case RELEASE, DECLINE -> release(client);
      default -> {}
    }
  }

  private static Map<Integer, byte[]> options(byte[] m) {
    Map<Integer, byte[]> result = new LinkedHashMap<>();
    if (m.length < FIXED + 4 || ByteBuffer.wrap(m).getInt(FIXED) != COOKIE) {
      return result;
    }
    int at = FIXED + 4;
    while (at < m.length && (m[at] & 0xff) != OPTION_END) {
      if (m[at] == 0) {
        at++;
        continue;
      }
      int size = at + 1 < m.length ? m[at + 1] & 0xff : m.length;
      if (at + 2 + size > m.length) {
        break;
      }
      result.put(m[at] & 0xff, Arrays.copyOfRange(m, at + 2, at + 2 + size));
      at += 2 + size;
    }
    return result;
  }

  private static Optional<IpAddress> requested(Map<Integer, byte[]> given, byte[] m) {
    byte[] wanted = given.get(OPTION_REQUESTED);
    if (wanted != null && wanted.length == 4) {
      return Optional.of(IpAddress.read4(wanted, 0));
    }
    IpAddress current = IpAddress.read4(m, 12);
    return current.equals(IpAddress.ANY4) ? Optional.empty() : Optional.of(current);
  }

  private int number(IpAddress address) {
    long number = (address.bits4() & 0xffffffffL) - (network.dhcpStart().bits4() & 0xffffffffL);
    return number >= 0 && number < ADDRESSES ? (int) number : -1;
  }

  private IpAddress address(int number) {
    return IpAddress.of4(network.dhcpStart().bits4() + number);
  }

  private boolean usable(int number) {
    IpAddress a = address(number);
    return network.contains(a) && !a.equals(network.broadcast());
  }

  /** The client's address; the one it wants if that is free. */
  private Optional<IpAddress> lease(MacAddress client, Optional<IpAddress> wanted) {
    int own = Arrays.asList(leases).indexOf(client);
    int asked = wanted.map(this::number).orElse(-1);
    if (own < 0 && asked >= 0 && leases[asked] == null) {
      own = asked;
    }
    for (int i = 0; own < 0 && i < ADDRESSES; i++) {
      own = leases[i] == null ? i : -1;
    }
    if (own < 0 || !usable(own)) {
      return Optional.empty();
    }
    leases[own] = client;
    return Optional.of(address(own));
  }

  private void release(MacAddress client) {
    int own = Arrays.asList(leases).indexOf(client);
    if (own >= 0) {
      leases[own] = null;
    }
  }

  private void request(byte[] m, MacAddress client, Map<Integer, byte[]> given) {
    byte[] server = given.get(OPTION_SERVER);
    if (server != null && server.length == 4 && !IpAddress.read4(server, 0).equals(network.host())) {
      // The client chose another server.
      release(client);
      return;
    }
    Optional<IpAddress> wanted = requested(given, m);
    Optional<IpAddress> own = wanted.isEmpty() ? Optional.empty() : lease(client, wanted);
    if (own.isPresent() && own.equals(wanted)) {
      answer(m, client, ACK, own.get());
    } else {
      answer(m, client, NAK, IpAddress.ANY4);
    }
  }

  private void answer(byte[] request, MacAddress client, int type, IpAddress address) {
    byte[] fixed = new byte[FIXED + 4];
    fixed[0] = 2;
    System.arraycopy(request, 1, fixed, 1, 7);
    fixed[3] = 0;
    System.arraycopy(request, 10, fixed, 10, 2);
    System.arraycopy(request, 28, fixed, 28, 16);
    ByteBuffer.wrap(fixed).putInt(FIXED, COOKIE);
    boolean grants = type != NAK;
    if (grants) {
      address.put(fixed, 16);
      network.host().put(fixed, 20);
      byte[] file = options.boot().file().getBytes(StandardCharsets.UTF_8);
      System.arraycopy(file, 0, fixed, 108, Math.min(127, file.length));
    }
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.writeBytes(fixed);
    if (type != 0) {
      option(out, OPTION_TYPE, new byte[] {(byte) type});
      option(out, OPTION_SERVER, network.host().bytes());
    }
    if (grants) {
      grant(out);
    }
    out.write(OPTION_END);
    byte[] message = Arrays.copyOf(out.toByteArray(), Math.max(SMALLEST, out.size()));
    IpAddress to = grants && (request[10] & 0x80) == 0 ? address : IpAddress.BROADCAST4;
    if (grants) {
      // A client that has no address yet is found by its Ethernet address alone.
      link.learn(address, client);
    }
    link.sendUdp(network.host(), SERVER_PORT, to, CLIENT_PORT, message);
  }

  private void grant(ByteArrayOutputStream out) {
    option(out, OPTION_LEASE, ByteBuffer.allocate(4).putInt(LEASE_SECONDS).array());
    option(out, OPTION_MASK, ByteBuffer.allocate(4).putInt(UserNetOptions.Network4.mask(network.prefix())).array());
    if (!options.restrict()) {
      option(out, OPTION_ROUTER, network.host().bytes());
      option(out, OPTION_DNS, network.dns().bytes());
    }
    text(out, OPTION_HOST_NAME, options.names().host());
    text(out, OPTION_DOMAIN, options.names().domain());
    text(out, OPTION_TFTP_SERVER, options.boot().server());
    text(out, OPTION_BOOT_FILE, options.boot().file());
    if (!options.names().search().isEmpty()) {
      option(out, OPTION_SEARCH, searchList(options.names().search()));
    }
  }

  private static void text(ByteArrayOutputStream out, int code, String text) {
    if (!text.isEmpty()) {
      option(out, code, text.getBytes(StandardCharsets.UTF_8));
    }
  }

  private static void option(ByteArrayOutputStream out, int code, byte[] value) {
    // A longer value is cut; the options' reader has said so before.
    int length = Math.min(255, value.length);
    out.write(code);
    out.write(length);
    out.write(value, 0, length);
  }

  /** Domain names as DNS writes them, each in full. */
  static byte[] searchList(List<String> domains) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    for (String domain : domains) {
      for (String label : domain.split("\\.")) {
        byte[] bytes = label.getBytes(StandardCharsets.UTF_8);
        if (bytes.length > 0) {
          out.write(Math.min(63, bytes.length));
          out.write(bytes, 0, Math.min(63, bytes.length));
        }
      }
      out.write(0);
    }
    return out.toByteArray();
  }
}
