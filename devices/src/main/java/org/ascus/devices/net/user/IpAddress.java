package org.ascus.devices.net.user;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;

/**
 * An IPv4 or IPv6 address; IPv4 as {@code ::ffff:a.b.c.d}.
 *
 * @param high the first 64 bits
 * @param low the last 64 bits
 */
public record IpAddress(long high, long low) {
  static final IpAddress ANY4 = of4(0);
  static final IpAddress BROADCAST4 = of4(-1);
  static final IpAddress ANY6 = new IpAddress(0, 0);

  private static final long MAPPED = 0xffffL;

  static IpAddress of4(int bits) {
    return new IpAddress(0, MAPPED << 32 | bits & 0xffffffffL);
  }

  /** The IPv4 address whose 4 bytes begin at {@code at}. */
  static IpAddress read4(byte[] bytes, int at) {
    return of4(IpPacket.read16(bytes, at) << 16 | IpPacket.read16(bytes, at + 2));
  }

  /** The IPv6 address whose 16 bytes begin at {@code at}. */
  static IpAddress read6(byte[] bytes, int at) {
    ByteBuffer in = ByteBuffer.wrap(bytes);
    return new IpAddress(in.getLong(at), in.getLong(at + 8));
  }

  static IpAddress of(InetAddress address) {
    byte[] bytes = address.getAddress();
    return bytes.length == 4 ? read4(bytes, 0) : read6(bytes, 0);
  }

  /**
   * Reads an address, not a name.
   *
   * @throws IllegalArgumentException if {@code text} is none
   */
  public static IpAddress parse(String text) {
    try {
      boolean literal = text.indexOf(':') >= 0 || text.matches("[0-9]{1,3}(\\.[0-9]{1,3}){3}");
      if (literal && text.matches("[0-9a-fA-F:.]+")) {
        return of(InetAddress.getByName(text));
      }
    } catch (UnknownHostException e) {
      // Said below.
    }
    throw new IllegalArgumentException("'" + text + "' is not an IP address");
  }

  public boolean isV4() {
    return high == 0 && low >>> 32 == MAPPED;
  }

  /** The 32 bits of an IPv4 address. */
  int bits4() {
    return (int) low;
  }

  void put(byte[] bytes, int at) {
    if (isV4()) {
      ByteBuffer.wrap(bytes).putInt(at, bits4());
    } else {
      ByteBuffer.wrap(bytes).putLong(at, high).putLong(at + 8, low);
    }
  }

  byte[] bytes() {
    byte[] bytes = new byte[isV4() ? 4 : 16];
    put(bytes, 0);
    return bytes;
  }

  public InetAddress toInet() {
    try {
      return InetAddress.getByAddress(bytes());
    } catch (UnknownHostException e) {
      throw new IllegalStateException("an address has 4 or 16 bytes", e);
    }
  }

  /** Whether the first {@code prefix} bits, of 32 or 128, are those of {@code other}. */
  boolean matches(IpAddress other, int prefix) {
    if (isV4() != other.isV4()) {
      return false;
    }
    if (isV4()) {
      return prefix == 0 || (bits4() ^ other.bits4()) >>> 32 - prefix == 0;
    }
    long difference = prefix <= 64 ? high ^ other.high : low ^ other.low;
    int bits = prefix <= 64 ? prefix : prefix - 64;
    return (prefix <= 64 || high == other.high) && (bits == 0 || difference >>> 64 - bits == 0);
  }

  boolean isMulticast() {
    return isV4() ? bits4() >>> 28 == 14 : high >>> 56 == 0xff;
  }

  /** Addresses that never leave a host, and those of no one. */
  boolean isLocalToAHost() {
    return isV4() ? bits4() >>> 24 == 127 || bits4() >>> 24 == 0 : high == 0 && low >>> 1 == 0;
  }

  boolean isLinkLocal6() {
    return !isV4() && high >>> 54 == 0xfe80L >>> 6;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof IpAddress a && high == a.high && low == a.low;
  }

  @Override
  public int hashCode() {
    return 31 * Long.hashCode(high) + Long.hashCode(low);
  }

  @Override
  public String toString() {
    return toInet().getHostAddress();
  }
}
