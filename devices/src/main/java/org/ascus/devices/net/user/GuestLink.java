package org.ascus.devices.net.user;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.ascus.devices.net.Checksum;
import org.ascus.devices.net.Frame;
import org.ascus.devices.net.MacAddress;
import org.ascus.devices.net.NetPeer;
import org.ascus.devices.net.Offload;
import org.ascus.devices.net.Offloads;

/**
 * What all protocols send through: makes headers, knows who in the guest's network has which Ethernet address, and
 * keeps frames that the network card has no room for.
 */
final class GuestLink {
  /** Bytes of an IP packet that any network card takes. */
  static final int MTU = 1500;

  static final int TYPE_IPV4 = 0x0800;
  static final int TYPE_ARP = 0x0806;
  static final int TYPE_IPV6 = 0x86dd;

  private static final int MOST_WAITING = 512;
  private static final int MOST_NEIGHBOURS = 256;
  private static final int MOST_UNRESOLVED = 64;
  private static final int TTL = 64;
  private static final int DONT_FRAGMENT = 0x4000;
  private static final int MORE_FRAGMENTS = 0x2000;

  /** Asks the guest's network who has an address. */
  interface Resolver {
    void ask(IpAddress address);
  }

  private record Unresolved(IpAddress to, byte[] frame, Offload work) {}

  private final NetPeer guest;
  private final MacAddress own;
  private final Resolver resolver;
  private final Deque<Frame> waiting = new ArrayDeque<>();
  private final List<Unresolved> unresolved = new ArrayList<>();
  private final Map<IpAddress, MacAddress> neighbours =
      new LinkedHashMap<>(16, 0.75f, true) {
        @Override
        protected boolean removeEldestEntry(Map.Entry<IpAddress, MacAddress> eldest) {
          return size() > MOST_NEIGHBOURS;
        }
      };
  private int packetId;

  /**
   * @param own the Ethernet address that this network's host answers with
   */
  GuestLink(NetPeer guest, MacAddress own, Resolver resolver) {
    this.guest = guest;
    this.own = own;
    this.resolver = resolver;
  }

  MacAddress own() {
    return own;
  }

  Offloads offloads() {
    return guest.offloads();
  }

  /** Whether the card took everything so far. */
  boolean clear() {
    return waiting.isEmpty();
  }

  /** The guest's network card has room again. */
  void flush() {
    while (!waiting.isEmpty() && guest.receive(waiting.getFirst())) {
      waiting.removeFirst();
    }
  }

  /** Notes who has an address. */
  void learn(IpAddress address, MacAddress mac) {
    if (mac.isGroup() || mac.equals(neighbours.put(address, mac)) || unresolved.isEmpty()) {
      return;
    }
    List<Unresolved> now = unresolved.stream().filter(u -> u.to().equals(address)).toList();
    unresolved.removeAll(now);
    now.forEach(u -> transmit(u.frame(), mac, u.work()));
  }

  /** Sends a frame that has all but the Ethernet addresses. */
  void transmit(byte[] frame, MacAddress to, Offload work) {
    to.put(frame, 0);
    own.put(frame, MacAddress.BYTES);
    Frame f = new Frame(frame, work);
    if (waiting.isEmpty() && guest.receive(f)) {
      return;
    }
    if (waiting.size() < MOST_WAITING) {
      waiting.add(f);
    }
  }

  /**
   * Sends a packet that has all but the Ethernet addresses to who has an IP address, as soon as that is known. The
   * oldest packets are dropped when too many wait for that.
   */
  void send(byte[] frame, IpAddress to, Offload work) {
    MacAddress mac = to.equals(IpAddress.BROADCAST4) ? MacAddress.BROADCAST : neighbours.get(to);
    if (to.isMulticast() && !to.isV4()) {
      mac = new MacAddress(0x3333_0000_0000L | to.low() & 0xffffffffL);
    }
    if (mac != null) {
      transmit(frame, mac, work);
      return;
    }
    if (unresolved.size() == MOST_UNRESOLVED) {
      unresolved.removeFirst();
    }
    unresolved.add(new Unresolved(to, frame, work));
    resolver.ask(to);
  }

  /** Bytes before the payload of a packet between two such addresses. */
  static int headers(IpAddress address) {
    return Frame.HEADER + (address.isV4() ? IpPacket.HEADER4 : IpPacket.HEADER6);
  }

  /** A frame with an IP header and room for {@code length} bytes of payload, which begin at {@link #headers}. */
  byte[] packet(IpAddress from, IpAddress to, int protocol, int length) {
    byte[] frame = new byte[headers(from) + length];
    int at = Frame.HEADER;
    if (from.isV4()) {
      Checksum.put(frame, 12, TYPE_IPV4);
      frame[at] = 0x45;
      Checksum.put(frame, at + 2, IpPacket.HEADER4 + length);
      Checksum.put(frame, at + 4, packetId++);
      Checksum.put(frame, at + 6, DONT_FRAGMENT);
      frame[at + 8] = TTL;
      frame[at + 9] = (byte) protocol;
      from.put(frame, at + 12);
      to.put(frame, at + 16);
      Checksum.put(frame, at + 10, Checksum.of(frame, at, IpPacket.HEADER4, 0));
    } else {
      Checksum.put(frame, 12, TYPE_IPV6);
      frame[at] = 0x60;
      Checksum.put(frame, at + 4, length);
      frame[at + 6] = (byte) protocol;
      // Neighbours believe only what no router has touched.
      frame[at + 7] = (byte) (protocol == IpPacket.ICMP6 ? 255 : TTL);
      from.put(frame, at + 8);
      to.put(frame, at + 24);
    }
    return frame;
  }

  /** The sum of the pseudo header. */
  static long pseudo(IpAddress from, IpAddress to, int protocol, int length) {
    long sum = protocol + length;
    for (IpAddress a : List.of(from, to)) {
      byte[] bytes = a.bytes();
      sum = Checksum.sum(bytes, 0, bytes.length, sum);
    }
    return sum;
  }

  /** Sends a UDP datagram. */
  void sendUdp(IpAddress from, int fromPort, IpAddress to, int toPort, byte[] data) {
    int length = 8 + data.length;
    byte[] frame = packet(from, to, IpPacket.UDP, length);
    int at = headers(from);
    Checksum.put(frame, at, fromPort);
    Checksum.put(frame, at + 2, toPort);
    Checksum.put(frame, at + 4, length);
    System.arraycopy(data, 0, frame, at + 8, data.length);
    int sum = Checksum.of(frame, at, length, pseudo(from, to, IpPacket.UDP, length));
    Checksum.put(frame, at + 6, sum == 0 ? 0xffff : sum);
    sendCut(frame, to);
  }

  /** Sends an ICMP or ICMPv6 message: type, code, and what follows the checksum. */
  void sendIcmp(IpAddress from, IpAddress to, int type, int code, byte[] rest) {
    int protocol = from.isV4() ? IpPacket.ICMP : IpPacket.ICMP6;
    int length = 4 + rest.length;
    byte[] frame = packet(from, to, protocol, length);
    int at = headers(from);
    frame[at] = (byte) type;
    frame[at + 1] = (byte) code;
    System.arraycopy(rest, 0, frame, at + 4, rest.length);
    long initial = from.isV4() ? 0 : pseudo(from, to, protocol, length);
    Checksum.put(frame, at + 2, Checksum.of(frame, at, length, initial));
    sendCut(frame, to);
  }

  /** Sends a packet in as many fragments as the MTU asks for. */
  private void sendCut(byte[] frame, IpAddress to) {
    if (frame.length <= Frame.HEADER + MTU) {
      send(frame, to, Offload.VERIFIED);
    } else if (to.isV4()) {
      cut4(frame, to);
    } else {
      cut6(frame, to);
    }
  }

  private void cut4(byte[] frame, IpAddress to) {
    int headers = headers(to);
    int step = MTU - IpPacket.HEADER4 & -8;
    for (int at = headers; at < frame.length; at += step) {
      int length = Math.min(step, frame.length - at);
      byte[] part = Arrays.copyOf(frame, headers + length);
      System.arraycopy(frame, at, part, headers, length);
      int ip = Frame.HEADER;
      boolean more = at + length < frame.length;
      Checksum.put(part, ip + 2, IpPacket.HEADER4 + length);
      Checksum.put(part, ip + 6, (at - headers) / 8 | (more ? MORE_FRAGMENTS : 0));
      Checksum.put(part, ip + 10, 0);
      Checksum.put(part, ip + 10, Checksum.of(part, ip, IpPacket.HEADER4, 0));
      send(part, to, Offload.VERIFIED);
    }
  }

  private void cut6(byte[] frame, IpAddress to) {
    int headers = headers(to);
    int extension = 8;
    int step = MTU - IpPacket.HEADER6 - extension & -8;
    int id = packetId++;
    for (int at = headers; at < frame.length; at += step) {
      int length = Math.min(step, frame.length - at);
      byte[] part = new byte[headers + extension + length];
      System.arraycopy(frame, 0, part, 0, headers);
      System.arraycopy(frame, at, part, headers + extension, length);
      Checksum.put(part, Frame.HEADER + 4, extension + length);
      part[headers] = part[Frame.HEADER + 6];
      part[Frame.HEADER + 6] = Reassembly.FRAGMENT6;
      boolean more = at + length < frame.length;
      Checksum.put(part, headers + 2, at - headers | (more ? 1 : 0));
      Checksum.put(part, headers + 6, id);
      send(part, to, Offload.VERIFIED);
    }
  }
}
