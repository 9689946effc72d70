package org.ascus.devices.net;

/**
 * An Ethernet frame from its destination address on, without preamble and check sequence.
 *
 * @param bytes belong to the frame: nobody changes them any more, and whoever gets the frame may keep it
 * @param work what its sender left to do
 */
public record Frame(byte[] bytes, Offload work) {
  /** Most bytes of any frame: 64 KiB of IP packet with Ethernet and VLAN headers. */
  public static final int MAX_BYTES = 65536 + 18;

  /** Bytes of the Ethernet header: two addresses and the type. */
  public static final int HEADER = 14;

  /** A finished frame. */
  public Frame(byte[] bytes) {
    this(bytes, Offload.NONE);
  }

  public int length() {
    return bytes.length;
  }

  /** The frame with its checksum computed; the same one if that is complete. */
  public Frame finished() {
    if (!work.needsChecksum()) {
      return this;
    }
    byte[] copy = bytes.clone();
    int start = work.checksumStart();
    int sum = Checksum.of(copy, start, copy.length - start, 0);
    // A UDP sum of zero is written as its other representation, since zero means that there is none.
    Checksum.put(copy, start + work.checksumField(), sum == 0 ? 0xffff : sum);
    return new Frame(copy, new Offload(-1, 0, work.cut(), work.segmentSize(), work.verified()));
  }
}
