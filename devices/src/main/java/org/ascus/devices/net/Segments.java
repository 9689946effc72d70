package org.ascus.devices.net;

import java.util.Arrays;

/**
 * Does the work that a sender left on a frame (see {@link Offload}) as far as the receiver does not take it. A sequence
 * of TCP segments becomes frames of one segment each, made one at a time: sequence numbers, IPv4 identifications,
 * lengths and checksums go on as if the sender had made them, and only the last one has FIN and PSH. Any other frame is
 * its own only piece.
 */
public final class Segments {
  private static final int TYPE_VLAN = 0x8100;
  private static final int VLAN = 4;
  private static final int HEADER6 = 40;
  private static final int LEAST_TCP = 20;
  private static final int FIN_PSH = 0x09;
  private static final int CWR = 0x80;

  private final Frame whole;
  private final int ip;
  private final int tcp;
  private final int headers;
  private int at;

  /**
   * Begins at the first piece.
   *
   * @param taken what the receiver takes besides finished frames
   * @throws IllegalArgumentException saying what is wrong with a frame that cannot be cut
   */
  public Segments(Frame frame, Offloads taken) {
    boolean takes = taken.takes(frame.work());
    boolean one = takes || frame.work().cut() == Offload.Cut.NONE;
    whole = one && !takes ? frame.finished() : frame;
    if (one) {
      ip = 0;
      tcp = 0;
      headers = 0;
      return;
    }
    byte[] bytes = whole.bytes();
    ip = Frame.HEADER + (bytes.length > Frame.HEADER + VLAN && get(bytes, 12) == TYPE_VLAN ? VLAN : 0);
    tcp = whole.work().checksumStart();
    boolean inside = tcp >= ip + LEAST_TCP && tcp + LEAST_TCP <= bytes.length;
    headers = inside ? tcp + (bytes[tcp + 12] >> 2 & 0x3c) : 0;
    boolean sound = headers >= tcp + LEAST_TCP && headers < bytes.length;
    if (!sound || whole.work().checksumField() + 2 > LEAST_TCP || whole.work().segmentSize() < 1) {
      throw new IllegalArgumentException(
          "TCP at " + tcp + " of a frame of " + bytes.length + " bytes, segments of " + whole.work().segmentSize());
    }
  }

  private static int get(byte[] bytes, int at) {
    return (bytes[at] & 0xff) << 8 | bytes[at + 1] & 0xff;
  }

  /** Whether there is a piece that was not passed. */
  public boolean hasNext() {
    return at < whole.length() - headers;
  }

  /** The next piece; the same one until {@link #advance}. */
  public Frame next() {
    return headers == 0 ? whole : cut();
  }

  /** Bytes of payload that were passed. */
  public int position() {
    return at;
  }

  /** What is cut. */
  public Frame whole() {
    return whole;
  }

  /** Passes the piece. */
  public void advance() {
    at = headers == 0 ? whole.length() : Math.min(at + whole.work().segmentSize(), whole.length() - headers);
  }

  private Frame cut() {
    int payload = whole.length() - headers;
    int size = whole.work().segmentSize();
    int length = Math.min(size, payload - at);
    byte[] piece = Arrays.copyOf(whole.bytes(), headers + length);
    System.arraycopy(whole.bytes(), headers + at, piece, headers, length);
    if (whole.work().cut() == Offload.Cut.TCP4) {
      Checksum.put(piece, ip + 2, piece.length - ip);
      Checksum.put(piece, ip + 4, get(piece, ip + 4) + at / size);
      Checksum.put(piece, ip + 10, 0);
      Checksum.put(piece, ip + 10, Checksum.of(piece, ip, tcp - ip, 0));
    } else {
      Checksum.put(piece, ip + 4, piece.length - ip - HEADER6);
    }
    int sequence = (get(piece, tcp + 4) << 16 | get(piece, tcp + 6)) + at;
    Checksum.put(piece, tcp + 4, sequence >>> 16);
    Checksum.put(piece, tcp + 6, sequence);
    if (at + length < payload) {
      piece[tcp + 13] &= ~FIN_PSH;
    }
    if (at > 0) {
      piece[tcp + 13] &= (byte) ~CWR;
    }
    // The field holds the sum of a pseudo header with the whole's length.
    int field = tcp + whole.work().checksumField();
    long pseudo = get(piece, field) + (~(whole.length() - tcp) & 0xffff) + (piece.length - tcp);
    Checksum.put(piece, field, Checksum.partial(pseudo));
    return new Frame(piece, new Offload(tcp, whole.work().checksumField(), Offload.Cut.NONE, 0, false)).finished();
  }
}
