package org.ascus.machine.bus.host;

import java.lang.foreign.MemorySegment;
import java.lang.reflect.Field;
import java.nio.ByteBuffer;
import sun.misc.Unsafe;

/**
 * Raw host memory by absolute address: the only place in the product that touches {@link Unsafe}.
 *
 * <p>Nothing here checks an address. The two callers are {@link org.ascus.machine.bus.GuestRam}, which checks a range
 * before each access, and the soft TLB of a guest CPU, whose entries exist only for pages that lie wholly inside a
 * {@code GuestRam}; so an access that hits is inside the block by construction. Values are in host byte order, which is
 * little-endian on every host the product supports.
 */
public final class HostMemory {
  private static final Unsafe UNSAFE = unsafe();

  private HostMemory() {}

  private static Unsafe unsafe() {
    try {
      Field field = Unsafe.class.getDeclaredField("theUnsafe");
      field.setAccessible(true);
      return (Unsafe) field.get(null);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  /** The bytes themselves, in big-endian order as buffers are. */
  public static ByteBuffer view(long address, int length) {
    return MemorySegment.ofAddress(address).reinterpret(length).asByteBuffer();
  }

  public static byte getByte(long address) {
    return UNSAFE.getByte(address);
  }

  public static short getShort(long address) {
    return UNSAFE.getShort(address);
  }

  public static int getInt(long address) {
    return UNSAFE.getInt(address);
  }

  public static long getLong(long address) {
    return UNSAFE.getLong(address);
  }

  public static void putByte(long address, byte value) {
    UNSAFE.putByte(address, value);
  }

  public static void putShort(long address, short value) {
    UNSAFE.putShort(address, value);
  }

  public static void putInt(long address, int value) {
    UNSAFE.putInt(address, value);
  }

  public static void putLong(long address, long value) {
    UNSAFE.putLong(address, value);
  }

  /** Offset of the first element of a {@code long[]} from its start, in bytes. */
  public static final long ARRAY_BASE = Unsafe.ARRAY_LONG_BASE_OFFSET;

  /** The element at {@code offset} bytes from the first of {@code array}, unchecked. */
  public static long getElement(long[] array, long offset) {
    return UNSAFE.getLong(array, ARRAY_BASE + offset);
  }

  /** Atomic compare-and-set with volatile semantics; the address is 4-byte aligned. */
  public static boolean compareAndSetInt(long address, int expected, int value) {
    return UNSAFE.compareAndSwapInt(null, address, expected, value);
  }

  /** Atomic compare-and-set with volatile semantics; the address is 8-byte aligned. */
  public static boolean compareAndSetLong(long address, long expected, long value) {
    return UNSAFE.compareAndSwapLong(null, address, expected, value);
  }

  /** Full memory fence. */
  public static void fullFence() {
    UNSAFE.fullFence();
  }

  public static void copyToArray(long address, byte[] target, int offset, int length) {
    UNSAFE.copyMemory(null, address, target, Unsafe.ARRAY_BYTE_BASE_OFFSET + offset, length);
  }

  public static void copyFromArray(byte[] source, int offset, long address, int length) {
    UNSAFE.copyMemory(source, Unsafe.ARRAY_BYTE_BASE_OFFSET + offset, null, address, length);
  }

  public static void fill(long address, long length, byte value) {
    UNSAFE.setMemory(address, length, value);
  }
}
