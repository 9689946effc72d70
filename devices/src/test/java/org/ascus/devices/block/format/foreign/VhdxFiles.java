package org.ascus.devices.block.format.foreign;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/** Makes VHDX files that were not closed properly out of others. */
final class VhdxFiles {
  private static final int SECTOR = 4096;

  private VhdxFiles() {}

  private static ByteBuffer little(byte[] bytes) {
    return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  /** Makes the checksums of headers and region tables right again. */
  static void sign(byte[] image) {
    for (int[] range : new int[][] {{64 << 10, SECTOR}, {128 << 10, SECTOR}, {192 << 10, 64 << 10},
        {256 << 10, 64 << 10}}) {
      if (range[0] + range[1] <= image.length) {
        ByteBuffer part = little(Arrays.copyOfRange(image, range[0], range[0] + range[1]));
        little(image).putInt(range[0] + 4, VhdxLog.checksum(part));
      }
    }
  }

  /**
   * Moves the first sector of the block allocation table into the log, in two entries, the first of which has it wrong;
   * what is at its place is spoilt.
   *
   * @return where the table is
   */
  static long withLog(byte[] image) {
    ByteBuffer all = little(image);
    long bat = 0;
    for (int i = 0; i < all.getInt((192 << 10) + 8); i++) {
      int entry = (192 << 10) + 16 + i * 32;
      bat = all.getInt(entry) == 0x2dc27766 ? all.getLong(entry + 16) : bat;
    }
    for (int header : new int[] {64 << 10, 128 << 10}) {
      all.putLong(header + 48, 0x1122334455667788L).putLong(header + 56, 0x99aabbccddeeff00L);
    }
    long log = all.getLong((64 << 10) + 72);
    int length = all.getInt((64 << 10) + 68);
    byte[] table = Arrays.copyOfRange(image, (int) bat, (int) bat + SECTOR);
    // The second entry goes round the log's end.
    put(all, log, length, length - 3 * SECTOR, length - 3 * SECTOR, 7, bat, new byte[SECTOR], image.length);
    put(all, log, length, length - SECTOR, length - 3 * SECTOR, 8, bat, table, image.length);
    Arrays.fill(image, (int) bat, (int) bat + SECTOR, (byte) 0x55);
    sign(image);
    return bat;
  }

  private static void put(ByteBuffer all, long log, int length, int at, int tail, long sequence, long place,
      byte[] sector, long fileSize) {
    ByteBuffer entry = ByteBuffer.allocate(2 * SECTOR).order(ByteOrder.LITTLE_ENDIAN);
    entry.putInt(0x65676f6c).putInt(0).putInt(2 * SECTOR).putInt(tail).putLong(sequence).putInt(1).putInt(0);
    entry.putLong(0x1122334455667788L).putLong(0x99aabbccddeeff00L).putLong(fileSize).putLong(fileSize);
    ByteBuffer data = little(sector);
    entry.putInt(0x63736564).putInt(data.getInt(SECTOR - 4)).putLong(data.getLong(0)).putLong(place).putLong(sequence);
    entry.position(SECTOR).putInt(0x61746164).putInt((int) (sequence >>> 32)).put(sector, 8, SECTOR - 12);
    entry.putInt((int) sequence).flip();
    entry.putInt(4, VhdxLog.checksum(entry));
    for (int i = 0; i < 2; i++) {
      all.put((int) (log + (at + i * SECTOR) % length), entry.array(), i * SECTOR, SECTOR);
    }
  }
}
