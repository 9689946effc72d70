package org.ascus.devices.fs.p9;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.ascus.devices.fs.FileException;
import org.ascus.devices.host.Errno;

/** Fields of an answer, little-endian, written in order; what the driver has no room for is an error. */
final class Answer {
  /** Size 32, type 8, tag 16. */
  static final int HEADER = 7;

  /** Bytes of an answer that tells an error, for which there is always room. */
  static final int ERROR = HEADER + 4;

  private final byte[] message;
  private final ByteBuffer out;

  /**
   * @param room bytes that the answer may have, header included, at least {@link #ERROR}
   */
  Answer(byte[] message, int room) {
    this.message = message;
    out = ByteBuffer.wrap(message, 0, room).order(ByteOrder.LITTLE_ENDIAN);
    out.position(HEADER);
  }

  private void need(int bytes) throws FileException {
    if (out.remaining() < bytes) {
      throw new FileException(Errno.ERANGE);
    }
  }

  Answer u8(int value) throws FileException {
    need(1);
    out.put((byte) value);
    return this;
  }

  Answer u16(int value) throws FileException {
    need(2);
    out.putShort((short) value);
    return this;
  }

  Answer u32(long value) throws FileException {
    need(4);
    out.putInt((int) value);
    return this;
  }

  Answer u64(long value) throws FileException {
    need(8);
    out.putLong(value);
    return this;
  }

  Answer text(byte[] text) throws FileException {
    need(2 + text.length);
    out.putShort((short) text.length);
    out.put(text);
    return this;
  }

  Answer qid(Qid qid) throws FileException {
    need(Qid.BYTES);
    out.put((byte) qid.type()).putInt(qid.version()).putLong(qid.path());
    return this;
  }

  /** Writes a field that was left out before. */
  void u32At(int position, int value) {
    out.putInt(position, value);
  }

  /** Bytes that there is still room for. */
  int room() {
    return out.remaining();
  }

  /** Where the next field begins in the message. */
  int position() {
    return out.position();
  }

  /** Goes on behind data that was put into the message. */
  void skip(int bytes) {
    out.position(out.position() + bytes);
  }

  byte[] message() {
    return message;
  }

  /** Forgets all fields and tells an error. */
  void fail(int errno) {
    out.position(HEADER);
    out.putInt(errno);
  }

  /** Writes the header; returns the size of the answer. */
  int finish(int type, int tag) {
    int size = out.position();
    out.putInt(0, size).put(4, (byte) type).putShort(5, (short) tag);
    return size;
  }
}
