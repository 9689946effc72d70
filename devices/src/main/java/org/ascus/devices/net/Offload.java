package org.ascus.devices.net;

/**
 * Work on a frame that its sender left undone, because who takes it either can do it or need not.
 *
 * @param checksumStart byte of the frame from which on a one's complement sum covers all that follows; -1 when every
 *     checksum is complete. The field then holds the sum of the pseudo header
 * @param checksumField where the sum belongs, in bytes from {@code checksumStart}
 * @param cut what the frame is to be cut into
 * @param segmentSize bytes of payload in each piece but the last; 0 with {@link Cut#NONE}
 * @param verified the checksums are right for certain, whatever their fields hold
 */
public record Offload(int checksumStart, int checksumField, Cut cut, int segmentSize, boolean verified) {
  /** Nothing is left to do, and nothing is known about the checksums. */
  public static final Offload NONE = new Offload(-1, 0, Cut.NONE, 0, false);

  /** The frame comes from a place that makes no transmission errors. */
  public static final Offload VERIFIED = new Offload(-1, 0, Cut.NONE, 0, true);

  /** What a frame larger than the network's is a sequence of. */
  public enum Cut {
    NONE,
    /** TCP segments over IPv4. */
    TCP4,
    /** TCP segments over IPv6. */
    TCP6
  }

  public boolean needsChecksum() {
    return checksumStart >= 0;
  }
}
