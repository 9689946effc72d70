package org.ascus.devices.block.format.qcow2;

import java.nio.ByteBuffer;

/** Reads and writes refcounts of 1 to 64 bits; those of less than a byte begin at its least significant bit. */
record RefcountBits(int order) {
  int bits() {
    return 1 << order;
  }

  /** The highest count. */
  long max() {
    return order == 6 ? Long.MAX_VALUE : (1L << bits()) - 1;
  }

  /** Bytes of {@code count} refcounts. */
  long bytes(long count) {
    return order >= 3 ? count << order - 3 : Math.ceilDiv(count, 8L >> order);
  }

  long get(ByteBuffer table, int index) {
    return switch (order) {
      case 3 -> table.get(index) & 0xffL;
      case 4 -> table.getShort(index * 2) & 0xffffL;
      case 5 -> table.getInt(index * 4) & 0xffff_ffffL;
      case 6 -> table.getLong(index * 8);
      default -> table.get(index * bits() >> 3) >> (index * bits() & 7) & max();
    };
  }

  void set(ByteBuffer table, int index, long value) {
    switch (order) {
      case 3 -> table.put(index, (byte) value);
      case 4 -> table.putShort(index * 2, (short) value);
      case 5 -> table.putInt(index * 4, (int) value);
      case 6 -> table.putLong(index * 8, value);
      default -> {
        int at = index * bits() >> 3;
        int shift = index * bits() & 7;
        table.put(at, (byte) (table.get(at) & ~(max() << shift) | value << shift));
      }
    }
  }
}
