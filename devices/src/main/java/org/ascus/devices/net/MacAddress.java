package org.ascus.devices.net;

import java.util.HexFormat;
import java.util.Locale;
import java.util.regex.Pattern;

/**
 * An Ethernet address.
 *
 * @param value its 48 bits; the first byte on the wire is the highest
 */
public record MacAddress(long value) {
  /** Bytes on the wire. */
  public static final int BYTES = 6;

  public static final MacAddress BROADCAST = new MacAddress(0xffff_ffff_ffffL);

  /** What the first card of a machine has if nobody says otherwise. */
  public static final MacAddress FIRST_CARD = new MacAddress(0x5254_0012_3456L);

  private static final Pattern TEXT = Pattern.compile("[0-9a-f]{1,2}(?:[:-][0-9a-f]{1,2}){5}");
  private static final long GROUP = 0x0100_0000_0000L;

  public MacAddress {
    if (value >>> 48 != 0) {
      throw new IllegalArgumentException("0x" + Long.toHexString(value));
    }
  }

  /**
   * Reads six hexadecimal bytes with colons between them.
   *
   * @throws IllegalArgumentException if that is not what {@code text} is
   */
  public static MacAddress parse(String text) {
    String lower = text.toLowerCase(Locale.ROOT);
    if (!TEXT.matcher(lower).matches()) {
      throw new IllegalArgumentException("'" + text + "' is not an Ethernet address");
    }
    long value = 0;
    for (String part : lower.split("[:-]")) {
      value = value << 8 | HexFormat.fromHexDigits(part);
    }
    return new MacAddress(value);
  }

  /** The address that starts at {@code at}. */
  public static MacAddress of(byte[] bytes, int at) {
    long value = 0;
    for (int i = 0; i < BYTES; i++) {
      value = value << 8 | bytes[at + i] & 0xff;
    }
    return new MacAddress(value);
  }

  /** Writes the address at {@code at}. */
  public void put(byte[] bytes, int at) {
    for (int i = 0; i < BYTES; i++) {
      bytes[at + i] = (byte) (value >>> 8 * (BYTES - 1 - i));
    }
  }

  /** Broadcast or multicast. */
  public boolean isGroup() {
    return (value & GROUP) != 0;
  }

  @Override
  public String toString() {
    byte[] bytes = new byte[BYTES];
    put(bytes, 0);
    return HexFormat.ofDelimiter(":").formatHex(bytes);
  }
}
