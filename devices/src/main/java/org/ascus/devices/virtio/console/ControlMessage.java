package org.ascus.devices.virtio.console;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/**
 * A message of the control queues (VIRTIO 1.2, section 5.3.6.2), little-endian: port 32, event 16, value 16, and for a
 * port's name its text.
 */
record ControlMessage(int port, int event, int value, String text) {
  static final int DEVICE_READY = 0;
  static final int DEVICE_ADD = 1;
  static final int PORT_READY = 3;
  static final int CONSOLE_PORT = 4;
  static final int PORT_OPEN = 6;
  static final int PORT_NAME = 7;

  static final int SIZE = 8;

  /** @param bytes at least {@link #SIZE} */
  static ControlMessage parse(byte[] bytes) {
    ByteBuffer in = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    return new ControlMessage(in.getInt(), in.getShort() & 0xffff, in.getShort() & 0xffff, "");
  }

  byte[] toBytes() {
    byte[] name = text.getBytes(StandardCharsets.UTF_8);
    ByteBuffer out = ByteBuffer.allocate(SIZE + name.length).order(ByteOrder.LITTLE_ENDIAN);
    return out.putInt(port).putShort((short) event).putShort((short) value).put(name).array();
  }
}
