package org.ascus.devices.net.user;

/**
 * A TCP segment of the guest (RFC 9293, section 3.1).
 *
 * @param flags the eight control bits
 * @param window as it stands there, not scaled
 * @param mss from its option; 0 without
 * @param scale from the window scale option; -1 without
 * @param bytes the frame
 * @param start of its data in {@code bytes}
 * @param length of its data in bytes
 */
record TcpSegment(
    int sourcePort,
    int targetPort,
    int sequence,
    int acknowledged,
    int flags,
    int window,
    int mss,
    int scale,
    byte[] bytes,
    int start,
    int length) {
  static final int FIN = 1;
  static final int SYN = 2;
  static final int RST = 4;
  static final int PSH = 8;
  static final int ACK = 16;

  /** Bytes of a header without options. */
  static final int HEADER = 20;

  static final int OPTION_END = 0;
  static final int OPTION_NOP = 1;
  static final int OPTION_MSS = 2;
  static final int OPTION_SCALE = 3;

  private static final int MAX_SCALE = 14;

  /** Returns null for what is no segment. */
  static TcpSegment parse(IpPacket p) {
    if (p.length() < HEADER) {
      return null;
    }
    int header = 4 * (p.read8(12) >> 4);
    if (header < HEADER || header > p.length()) {
      return null;
    }
    int mss = 0;
    int scale = -1;
    for (int at = HEADER; at < header; ) {
      int kind = p.read8(at);
      if (kind == OPTION_END) {
        break;
      }
      if (kind == OPTION_NOP) {
        at++;
        continue;
      }
      int size = at + 1 < header ? p.read8(at + 1) : 0;
      if (size < 2 || at + size > header) {
        break;
      }
      if (kind == OPTION_MSS && size == 4) {
        mss = p.read16(at + 2);
      } else if (kind == OPTION_SCALE && size == 3) {
        scale = Math.min(p.read8(at + 2), MAX_SCALE);
      }
      at += size;
    }
    return new TcpSegment(
        p.read16(0),
        p.read16(2),
        p.read32(4),
        p.read32(8),
        p.read8(13),
        p.read16(14),
        mss,
        scale,
        p.bytes(),
        p.payload() + header,
        p.length() - header);
  }

  boolean has(int flag) {
    return (flags & flag) != 0;
  }

  /** Sequence numbers that it takes. */
  int span() {
    return length + (has(SYN) ? 1 : 0) + (has(FIN) ? 1 : 0);
  }
}
