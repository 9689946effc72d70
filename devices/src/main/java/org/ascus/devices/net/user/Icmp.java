package org.ascus.devices.net.user;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Arrays;
import java.util.Optional;
import java.util.concurrent.Executor;
import org.ascus.devices.net.Checksum;
import org.ascus.devices.net.Frame;

/**
 * ICMP (RFC 792) and the part of ICMPv6 (RFC 4443) that is like it. An echo to the network's own addresses is answered
 * here. For others the host is asked whether they can be reached, which takes no privileges, if it can tell.
 */
final class Icmp {
  private static final int ECHO_REPLY = 0;
  private static final int UNREACHABLE = 3;
  private static final int ECHO = 8;
  private static final int UNREACHABLE6 = 1;
  private static final int ECHO6 = 128;
  private static final int ECHO_REPLY6 = 129;

  private static final int HOST_UNREACHABLE = 1;
  private static final int ADDRESS_UNREACHABLE6 = 3;

  private static final int MOST_PROBES = 16;
  private static final int PROBE_MILLIS = 5000;

  private final GuestLink link;
  private final Places places;
  private final Executor loop;
  private int probes;

  Icmp(GuestLink link, Places places, Executor loop) {
    this.link = link;
    this.places = places;
    this.loop = loop;
  }

  void input(IpPacket p) {
    boolean v4 = p.from().isV4();
    if (p.length() < 8 || p.read8(0) != (v4 ? ECHO : ECHO6)) {
      return;
    }
    byte[] rest = p.copy(4);
    if (places.isOurs(p.to())) {
      answer(p, rest);
      return;
    }
    // The port only has to be one that an address may have.
    Optional<InetSocketAddress> target = places.target(p.to(), 1);
    if (target.isEmpty() || probes == MOST_PROBES) {
      return;
    }
    probes++;
    Thread.ofVirtual().name("ascus-ping").start(() -> probe(p, target.get().getAddress(), rest));
  }

  private void probe(IpPacket p, InetAddress target, byte[] rest) {
    boolean there = false;
    try {
      there = target.isReachable(PROBE_MILLIS);
    } catch (IOException e) {
      // As good as unreachable.
    }
    boolean answers = there;
    loop.execute(
        () -> {
          probes--;
          if (answers) {
            answer(p, rest);
          }
        });
  }

  private void answer(IpPacket p, byte[] rest) {
    link.sendIcmp(p.to(), p.from(), p.from().isV4() ? ECHO_REPLY : ECHO_REPLY6, 0, rest);
  }

  /** Tells the guest that what it wanted to talk to cannot be reached. */
  void unreachable(FlowKey key) {
    boolean v4 = key.guest().isV4();
    byte[] packet = link.packet(key.guest(), key.remote(), IpPacket.TCP, 8);
    byte[] original = Arrays.copyOfRange(packet, Frame.HEADER, packet.length);
    int ports = original.length - 8;
    Checksum.put(original, ports, key.guestPort());
    Checksum.put(original, ports + 2, key.remotePort());
    byte[] rest = new byte[4 + original.length];
    System.arraycopy(original, 0, rest, 4, original.length);
    link.sendIcmp(
        key.remote(), key.guest(), v4 ? UNREACHABLE : UNREACHABLE6, v4 ? HOST_UNREACHABLE : ADDRESS_UNREACHABLE6, rest);
  }
}
