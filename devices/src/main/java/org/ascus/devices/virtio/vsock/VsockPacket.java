package org.ascus.devices.virtio.vsock;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Header of a packet (VIRTIO 1.2, section 5.10.6), little-endian: source and destination context 64 bits each, source
 * and destination port 32 each, length of the data 32, type 16, operation 16, flags 32, size of the sender's buffer 32,
 * bytes that have left it 32.
 *
 * @param window size of the sender's buffer for the connection
 * @param consumed bytes that have left that buffer, modulo 2^32
 */
record VsockPacket(
    long source, long target, int sourcePort, int targetPort, int length, int type, int operation, int flags,
    int window, int consumed) {
  static final int HEADER = 44;

  static final int STREAM = 1;

  static final int REQUEST = 1;
  static final int RESPONSE = 2;
  static final int RESET = 3;
  static final int SHUTDOWN = 4;
  static final int DATA = 5;
  static final int CREDIT_UPDATE = 6;
  static final int CREDIT_REQUEST = 7;

  /** Flag of {@link #SHUTDOWN}: the sender takes no more data. */
  static final int NO_RECEIVE = 1;

  /** Flag of {@link #SHUTDOWN}: the sender has no more data. */
  static final int NO_SEND = 2;

  static VsockPacket parse(byte[] header) {
    ByteBuffer b = ByteBuffer.wrap(header).order(ByteOrder.LITTLE_ENDIAN);
    return new VsockPacket(
        b.getLong(), b.getLong(), b.getInt(), b.getInt(), b.getInt(), b.getShort() & 0xffff, b.getShort() & 0xffff,
        b.getInt(), b.getInt(), b.getInt());
  }

  byte[] toBytes() {
    ByteBuffer b = ByteBuffer.allocate(HEADER).order(ByteOrder.LITTLE_ENDIAN);
    b.putLong(source).putLong(target).putInt(sourcePort).putInt(targetPort).putInt(length).putShort((short) type);
    return b.putShort((short) operation).putInt(flags).putInt(window).putInt(consumed).array();
  }
}
