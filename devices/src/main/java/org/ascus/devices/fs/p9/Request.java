package org.ascus.devices.fs.p9;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.ascus.devices.fs.FileException;
import org.ascus.devices.host.Errno;

/** Fields of a request, little-endian, read in order; one that ends too early is a protocol error. */
final class Request {
  private final ByteBuffer in;

  /**
   * @param start of the first field behind the header
   */
  Request(byte[] message, int start, int end) {
    in = ByteBuffer.wrap(message, start, end - start).order(ByteOrder.LITTLE_ENDIAN);
  }

  private static FileException tooShort() {
    return new FileException(Errno.EPROTO);
  }

  int u8() throws FileException {
    if (!in.hasRemaining()) {
      throw tooShort();
    }
    return in.get() & 0xff;
  }

  int u16() throws FileException {
    if (in.remaining() < 2) {
      throw tooShort();
    }
    return in.getShort() & 0xffff;
  }

  int u32() throws FileException {
    if (in.remaining() < 4) {
      throw tooShort();
    }
    return in.getInt();
  }

  long u64() throws FileException {
    if (in.remaining() < 8) {
      throw tooShort();
    }
    return in.getLong();
  }

  /** A name or other text: 16 bits of length, bytes. */
  byte[] text() throws FileException {
    int length = u16();
    if (in.remaining() < length) {
      throw tooShort();
    }
    byte[] text = new byte[length];
    in.get(text);
    return text;
  }

  /** Where data begins of which {@code count} bytes follow, in the message. */
  int data(int count) throws FileException {
    if (count < 0 || in.remaining() < count) {
      throw tooShort();
    }
    int at = in.position();
    in.position(at + count);
    return at;
  }
}
