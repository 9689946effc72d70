package org.ascus.devices.net.user;

/** Bytes in a row: added at the end, read anywhere, dropped from the front. Grows up to a limit that its user keeps. */
final class ByteRing {
  private static final int SMALLEST = 4096;

  private byte[] bytes = new byte[0];
  private int head;
  private int size;

  int size() {
    return size;
  }

  /** Adds bytes of {@code source}. */
  void add(byte[] source, int start, int length) {
    reserve(length);
    int at = head + size & bytes.length - 1;
    int first = Math.min(length, bytes.length - at);
    System.arraycopy(source, start, bytes, at, first);
    System.arraycopy(source, start + first, bytes, 0, length - first);
    size += length;
  }

  /** Adds all that {@code source} has to read. */
  void add(io.netty.buffer.ByteBuf source) {
    int length = source.readableBytes();
    reserve(length);
    int at = head + size & bytes.length - 1;
    int first = Math.min(length, bytes.length - at);
    source.readBytes(bytes, at, first);
    source.readBytes(bytes, 0, length - first);
    size += length;
  }

  private void reserve(int more) {
    if (size + more <= bytes.length && bytes.length > 0) {
      return;
    }
    int capacity = Integer.highestOneBit(Math.max(SMALLEST, size + more) * 2 - 1);
    byte[] larger = new byte[capacity];
    copy(0, larger, 0, size);
    bytes = larger;
    head = 0;
  }

  /** Copies bytes from {@code offset} after the front on. */
  void copy(int offset, byte[] target, int start, int length) {
    if (length == 0) {
      return;
    }
    int at = head + offset & bytes.length - 1;
    int first = Math.min(length, bytes.length - at);
    System.arraycopy(bytes, at, target, start, first);
    System.arraycopy(bytes, 0, target, start + first, length - first);
  }

  /** Forgets bytes at the front; an empty ring gives its memory back. */
  void drop(int count) {
    head = bytes.length == 0 ? 0 : head + count & bytes.length - 1;
    size -= count;
    if (size == 0 && bytes.length > SMALLEST) {
      bytes = new byte[0];
      head = 0;
    }
  }
}
