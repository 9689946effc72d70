package org.ascus.devices.virtio.blk;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.ascus.devices.virtio.queue.ScatterList;
import org.ascus.devices.virtio.queue.Virtqueue;
import org.ascus.devices.virtio.queue.VirtqueueElement;
import org.ascus.devices.virtio.queue.VirtqueueException;

/**
 * A request as the driver laid it out (VIRTIO 1.2, section 5.2.6): to read a header (type 32, reserved 32, sector 64)
 * and data, to write data and a status byte at the very end.
 *
 * @param type one of the constants, or anything else
 * @param sector in units of 512 bytes
 */
record BlkRequest(Virtqueue queue, VirtqueueElement element, int type, long sector) {
  static final int IN = 0;
  static final int OUT = 1;
  static final int FLUSH = 4;
  static final int GET_ID = 8;
  static final int DISCARD = 11;
  static final int WRITE_ZEROES = 13;

  static final int OK = 0;
  static final int IOERR = 1;
  static final int UNSUPP = 2;

  static final int HEADER = 16;
  static final int SECTOR = 512;

  /** Bytes of a discard or write-zeroes range: sector 64, sectors 32, flags 32. */
  static final int RANGE = 16;

  static BlkRequest parse(Virtqueue queue, VirtqueueElement element) throws VirtqueueException {
    if (element.readable().size() < HEADER) {
      throw new VirtqueueException("request header of " + element.readable().size() + " bytes");
    }
    if (element.writable().size() < 1) {
      throw new VirtqueueException("request without room for its status");
    }
    ByteBuffer header = ByteBuffer.wrap(element.readable().toBytes(0, HEADER)).order(ByteOrder.LITTLE_ENDIAN);
    // Bit 31 was a barrier once; a legacy driver may still set it.
    return new BlkRequest(queue, element, header.getInt() & 0x7fffffff, header.getLong(8));
  }

  /** Bytes of data to or from the disk. */
  long length() {
    return type == OUT ? element.readable().size() - HEADER : element.writable().size() - 1;
  }

  ScatterList data() {
    return type == OUT ? element.readable().slice(HEADER, length()) : element.writable().slice(0, length());
  }

  boolean transfers() {
    return type == IN || type == OUT;
  }

  /** True if {@code next} goes on where this ends, in the same direction. */
  boolean continuedBy(BlkRequest next) {
    return next.type == type && next.sector == sector + length() / SECTOR && length() % SECTOR == 0;
  }

  /** What the used ring says was written: everything, since the status is the last byte. */
  long written() {
    return element.writable().size();
  }

  void writeStatus(int status) {
    element.writable().write(element.writable().size() - 1, new byte[] {(byte) status}, 0, 1);
  }
}
