package org.ascus.devices.net;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/** The Internet checksum (RFC 1071): the complement of a one's complement sum of 16-bit big-endian words. */
public final class Checksum {
  private static final VarHandle INTS = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.BIG_ENDIAN);

  private Checksum() {}

  /**
   * The sum of bytes, not folded: to be continued with, or to be ended by {@link #fold}.
   *
   * @param length bytes; one that is odd is filled up with a zero
   * @param initial a sum that covers an even number of bytes before
   */
  public static long sum(byte[] bytes, int start, int length, long initial) {
    long sum = initial;
    int at = start;
    int end = start + length;
    for (; at + 4 <= end; at += 4) {
      sum += (int) INTS.get(bytes, at) & 0xffffffffL;
    }
    if (at + 2 <= end) {
      sum += (bytes[at] & 0xff) << 8 | bytes[at + 1] & 0xff;
      at += 2;
    }
    if (at < end) {
      sum += (bytes[at] & 0xff) << 8;
    }
    return sum;
  }

  /** Ends a sum: 16 bits, complemented. */
  public static int fold(long sum) {
    return ~partial(sum) & 0xffff;
  }

  /** A sum in 16 bits, not complemented: what a checksum field holds that others are to complete. */
  public static int partial(long sum) {
    long folded = (sum & 0xffffffffL) + (sum >>> 32);
    folded = (folded & 0xffff) + (folded >>> 16);
    folded = (folded & 0xffff) + (folded >>> 16);
    return (int) ((folded & 0xffff) + (folded >>> 16));
  }

  /** The checksum of bytes; 0 for bytes that hold their own, right, checksum. */
  public static int of(byte[] bytes, int start, int length, long initial) {
    return fold(sum(bytes, start, length, initial));
  }

  /** Writes 16 bits, big-endian. */
  public static void put(byte[] bytes, int at, int value) {
    bytes[at] = (byte) (value >>> 8);
    bytes[at + 1] = (byte) value;
  }
}
