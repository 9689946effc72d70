package org.ascus.devices.net.filter;

import java.nio.ByteBuffer;
import java.util.function.Consumer;
import org.ascus.devices.net.Frame;

/**
 * Frames in a stream of bytes, as QEMU's network sockets and filters have them: the length in 4 bytes, big-endian, with
 * {@code vnet_hdr_support} the length of a virtio header in 4 more, then that header and the frame, both of which the
 * first length covers. We write headers of no bytes, and of others' take those that leave nothing to do on the frame.
 */
public final class FrameWire {
  private static final int MOST_HEADER = 12;

  private final boolean virtioHeaders;
  private final Consumer<Frame> target;
  private final ByteBuffer head;
  private byte[] body = new byte[0];
  private int filled;

  /**
   * Makes a decoder.
   *
   * @param target gets the frames
   */
  public FrameWire(boolean virtioHeaders, Consumer<Frame> target) {
    this.virtioHeaders = virtioHeaders;
    this.target = target;
    this.head = ByteBuffer.allocate(virtioHeaders ? 8 : 4);
  }

  /** Forgets what came of a frame: somebody else begins to send. */
  public void restart() {
    head.clear();
    body = new byte[0];
    filled = 0;
  }

  /** What is written before a frame of {@code length} bytes. */
  public static byte[] head(int length, boolean virtioHeaders) {
    return ByteBuffer.allocate(virtioHeaders ? 8 : 4).putInt(length).array();
  }

  /** Takes all of {@code bytes}; returns false at a length that no frame has, after which nothing makes sense. */
  public boolean decode(ByteBuffer bytes) {
    while (bytes.hasRemaining()) {
      while (head.hasRemaining() && bytes.hasRemaining()) {
        head.put(bytes.get());
        if (!head.hasRemaining()) {
          int length = head.getInt(0);
          int header = virtioHeaders ? head.getInt(4) : 0;
          if (header < 0 || header > MOST_HEADER || length < header || length > Frame.MAX_BYTES + header) {
            return false;
          }
          body = new byte[length];
          filled = 0;
        }
      }
      int count = Math.min(body.length - filled, bytes.remaining());
      bytes.get(body, filled, count);
      filled += count;
      if (!head.hasRemaining() && filled == body.length) {
        head.clear();
        deliver(virtioHeaders ? head.getInt(4) : 0);
      }
    }
    return true;
  }

  private void deliver(int header) {
    for (int i = 0; i < Math.min(2, header); i++) {
      if (body[i] != 0) {
        return;
      }
    }
    target.accept(new Frame(header == 0 ? body : java.util.Arrays.copyOfRange(body, header, body.length)));
  }
}
