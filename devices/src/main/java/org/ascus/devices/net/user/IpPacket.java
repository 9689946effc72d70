package org.ascus.devices.net.user;

import org.ascus.devices.net.Checksum;
import org.ascus.devices.net.Frame;

/**
 * An IP packet in a frame of the guest (RFC 791, RFC 8200), checked as far as its lengths go.
 *
 * @param bytes the frame
 * @param header where the IP header begins
 * @param protocol of the payload
 * @param payload where that begins, inside {@code bytes}
 * @param length its bytes; all of them are inside
 */
record IpPacket(byte[] bytes, IpAddress from, IpAddress to, int protocol, int header, int payload, int length) {
  static final int ICMP = 1;
  static final int TCP = 6;
  static final int UDP = 17;
  static final int ICMP6 = 58;

  static final int HEADER4 = 20;
  static final int HEADER6 = 40;

  private static final int FRAGMENT = 0x3fff;
  private static final int HOP_BY_HOP = 0;
  private static final int DESTINATION_OPTIONS = 60;

  /** Returns null for what is no packet. */
  static IpPacket parse4(byte[] b) {
    int at = Frame.HEADER;
    if (b.length < at + HEADER4 || b[at] >>> 4 != 4) {
      return null;
    }
    int header = 4 * (b[at] & 15);
    int total = read16(b, at + 2);
    if (header < HEADER4 || total < header || at + total > b.length || Checksum.of(b, at, header, 0) != 0) {
      return null;
    }
    IpAddress from = IpAddress.read4(b, at + 12);
    return new IpPacket(b, from, IpAddress.read4(b, at + 16), b[at + 9] & 0xff, at, at + header, total - header);
  }

  /** Whether this is a part of a larger IPv4 packet. */
  boolean isFragment4() {
    return (read16(bytes, header + 6) & FRAGMENT) != 0;
  }

  /** Returns null for what is no packet; extension headers but the simplest count as such. */
  static IpPacket parse6(byte[] b) {
    int at = Frame.HEADER;
    if (b.length < at + HEADER6 || (b[at] >>> 4 & 15) != 6) {
      return null;
    }
    int length = read16(b, at + 4);
    int payload = at + HEADER6;
    if (payload + length > b.length) {
      return null;
    }
    int next = b[at + 6] & 0xff;
    int end = payload + length;
    while (next == HOP_BY_HOP || next == DESTINATION_OPTIONS) {
      if (payload + 8 > end) {
        return null;
      }
      next = b[payload] & 0xff;
      payload += 8 * ((b[payload + 1] & 0xff) + 1);
    }
    if (payload > end) {
      return null;
    }
    return new IpPacket(b, IpAddress.read6(b, at + 8), IpAddress.read6(b, at + 24), next, at, payload, end - payload);
  }

  int read8(int offset) {
    return bytes[payload + offset] & 0xff;
  }

  int read16(int offset) {
    return read16(bytes, payload + offset);
  }

  int read32(int offset) {
    return read16(offset) << 16 | read16(offset + 2);
  }

  static int read16(byte[] b, int at) {
    return (b[at] & 0xff) << 8 | b[at + 1] & 0xff;
  }

  /** The payload from {@code offset} on as a copy. */
  byte[] copy(int offset) {
    return java.util.Arrays.copyOfRange(bytes, payload + offset, payload + length);
  }
}
