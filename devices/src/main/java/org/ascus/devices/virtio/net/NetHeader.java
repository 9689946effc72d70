package org.ascus.devices.virtio.net;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.ascus.devices.net.Frame;
import org.ascus.devices.net.Offload;

/**
 * The header before each frame in a queue (VIRTIO 1.2, section 5.1.6), little-endian: flags (1 byte), gso_type (1),
 * hdr_len, gso_size, csum_start, csum_offset (2 each) and, unless the driver is a legacy one without mergeable buffers,
 * num_buffers (2).
 */
final class NetHeader {
  static final int SHORT = 10;
  static final int LONG = 12;

  private static final int NEEDS_CSUM = 1;
  private static final int DATA_VALID = 2;

  private static final int GSO_NONE = 0;
  private static final int GSO_TCPV4 = 1;
  private static final int GSO_TCPV6 = 4;
  private static final int GSO_ECN = 0x80;
  private static final int CWR = 0x80;

  private static final int TYPE_IPV4 = 0x0800;
  private static final int TYPE_IPV6 = 0x86dd;

  private NetHeader() {}

  /**
   * What the driver left to do on a frame.
   *
   * @param header at least {@link #SHORT} bytes
   * @param length bytes of the frame
   * @throws IllegalArgumentException saying what is wrong with it
   */
  static Offload parse(byte[] header, int length) {
    ByteBuffer in = ByteBuffer.wrap(header).order(ByteOrder.LITTLE_ENDIAN);
    int flags = in.get();
    int type = in.get() & 0xff & ~GSO_ECN;
    in.getShort();
    int segment = in.getShort() & 0xffff;
    int start = in.getShort() & 0xffff;
    int field = in.getShort() & 0xffff;
    boolean sum = (flags & NEEDS_CSUM) != 0;
    if (sum && start + field + 2 > length) {
      throw new IllegalArgumentException("checksum at " + start + "+" + field + " of a frame of " + length + " bytes");
    }
    Offload.Cut cut =
        switch (type) {
          case GSO_NONE -> Offload.Cut.NONE;
          case GSO_TCPV4 -> Offload.Cut.TCP4;
          case GSO_TCPV6 -> Offload.Cut.TCP6;
          default -> throw new IllegalArgumentException("segmentation of type " + type);
        };
    if (cut != Offload.Cut.NONE && (!sum || segment == 0)) {
      throw new IllegalArgumentException("segments of " + segment + " bytes, flags " + flags);
    }
    return new Offload(sum ? start : -1, sum ? field : 0, cut, cut == Offload.Cut.NONE ? 0 : segment, false);
  }

  /**
   * The header of a frame for the driver.
   *
   * @param size {@link #SHORT} or {@link #LONG}
   * @param buffers among which the frame is divided
   * @param offloads bits of features that say what the driver takes
   */
  static byte[] make(Frame frame, int size, int buffers, long offloads) {
    Offload work = frame.work();
    ByteBuffer out = ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    boolean checksums = (offloads & NetFeature.GUEST_CSUM.mask()) != 0;
    int flags = work.needsChecksum() ? NEEDS_CSUM : work.verified() && checksums ? DATA_VALID : 0;
    out.put((byte) flags);
    int type =
        switch (work.cut()) {
          case NONE -> GSO_NONE;
          case TCP4 -> GSO_TCPV4;
          case TCP6 -> GSO_TCPV6;
        };
    boolean marked =
        type != GSO_NONE && (offloads & NetFeature.GUEST_ECN.mask()) != 0 && isMarked(frame.bytes(), work);
    out.put((byte) (type | (marked ? GSO_ECN : 0)));
    out.putShort((short) (work.cut() == Offload.Cut.NONE ? 0 : headers(frame.bytes())));
    out.putShort((short) work.segmentSize());
    out.putShort((short) Math.max(0, work.checksumStart())).putShort((short) work.checksumField());
    if (size == LONG) {
      out.putShort((short) buffers);
    }
    return out.array();
  }

  /** Whether TCP says that it has slowed down because of congestion, which only the first of its segments may say. */
  private static boolean isMarked(byte[] frame, Offload work) {
    int flags = work.checksumStart() + 13;
    return flags < frame.length && (frame[flags] & CWR) != 0;
  }

  /** Bytes of the Ethernet, IP and TCP headers; of the first alone for what turns out to have no others. */
  private static int headers(byte[] frame) {
    int type = (frame[12] & 0xff) << 8 | frame[13] & 0xff;
    int tcp =
        switch (type) {
          case TYPE_IPV4 -> Frame.HEADER + 4 * (frame[Math.min(Frame.HEADER, frame.length - 1)] & 15);
          case TYPE_IPV6 -> Frame.HEADER + 40;
          default -> frame.length;
        };
    return tcp + 12 < frame.length ? tcp + 4 * (frame[tcp + 12] >> 4 & 15) : Frame.HEADER;
  }
}
