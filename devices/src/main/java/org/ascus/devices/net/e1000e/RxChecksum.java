package org.ascus.devices.net.e1000e;

import org.ascus.devices.net.Checksum;
import org.ascus.devices.net.Frame;

/**
 * Checks the checksums of a received frame (section 7.1.9): the IPv4 header's, and TCP's or UDP's unless the packet is
 * a fragment. The result are bits of a descriptor's extended status.
 */
final class RxChecksum {
  static final int IGNORE = 1 << 2;

  private static final int UDP_CHECKED = 1 << 4;
  private static final int TCP_CHECKED = 1 << 5;
  private static final int IP_CHECKED = 1 << 6;
  private static final int TCP_WRONG = 1 << 29;
  private static final int IP_WRONG = 1 << 30;

  private static final int TYPE_IPV4 = 0x0800;
  private static final int TYPE_IPV6 = 0x86dd;
  private static final int TCP = 6;
  private static final int UDP = 17;
  private static final int FRAGMENT = 0x3fff;
  private static final int LEAST_IP = 20;
  private static final int HEADER6 = 40;

  private RxChecksum() {}

  /**
   * What is to be said of a frame without a VLAN tag.
   *
   * @param verified its checksums are right for certain
   * @param ip whether the driver wants IP checksums checked
   * @param tcp whether it wants those of TCP and UDP
   */
  static int check(byte[] frame, boolean verified, boolean ip, boolean tcp) {
    int at = Frame.HEADER;
    int type = RxFilter.type(frame);
    if (type == TYPE_IPV4 && frame.length >= at + LEAST_IP) {
      return check4(frame, verified, ip, tcp);
    }
    if (type == TYPE_IPV6 && frame.length >= at + HEADER6 && tcp) {
      int length = get(frame, at + 4);
      int protocol = frame[at + 6] & 0xff;
      return payload(frame, at + HEADER6, length, protocol, Checksum.sum(frame, at + 8, 32, 0), verified);
    }
    return 0;
  }

  private static int get(byte[] bytes, int at) {
    return (bytes[at] & 0xff) << 8 | bytes[at + 1] & 0xff;
  }

  private static int check4(byte[] frame, boolean verified, boolean ip, boolean tcp) {
    int at = Frame.HEADER;
    int header = 4 * (frame[at] & 15);
    int length = get(frame, at + 2) - header;
    if (header < LEAST_IP || at + header > frame.length || length < 0) {
      return 0;
    }
    int bits = 0;
    if (ip) {
      bits |= IP_CHECKED | (verified || Checksum.of(frame, at, header, 0) == 0 ? 0 : IP_WRONG);
    }
    if (tcp && (get(frame, at + 6) & FRAGMENT) == 0) {
      long addresses = Checksum.sum(frame, at + 12, 8, 0);
      bits |= payload(frame, at + header, length, frame[at + 9] & 0xff, addresses, verified);
    }
    return bits;
  }

  private static int payload(byte[] frame, int at, int length, int protocol, long addresses, boolean verified) {
    boolean udp = protocol == UDP;
    boolean whole = at + length <= frame.length && length >= 8;
    if (!whole || !udp && protocol != TCP || udp && get(frame, at + 6) == 0) {
      return 0;
    }
    boolean right = verified || Checksum.of(frame, at, length, addresses + protocol + length) == 0;
    return TCP_CHECKED | (udp ? UDP_CHECKED : 0) | (right ? 0 : TCP_WRONG);
  }
}
