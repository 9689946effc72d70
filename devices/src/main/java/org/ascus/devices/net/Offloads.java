package org.ascus.devices.net;

/**
 * What one end of a network takes besides finished frames.
 *
 * @param checksum frames whose checksum is not complete
 * @param tcp4 TCP over IPv4 in frames of up to 64 KiB; implies {@code checksum}
 * @param tcp6 the same over IPv6
 */
public record Offloads(boolean checksum, boolean tcp4, boolean tcp6) {
  /** Finished frames only. */
  public static final Offloads NONE = new Offloads(false, false, false);

  /** Everything there is. */
  public static final Offloads ALL = new Offloads(true, true, true);

  public boolean takes(Offload work) {
    return (!work.needsChecksum() || checksum)
        && switch (work.cut()) {
          case NONE -> true;
          case TCP4 -> tcp4;
          case TCP6 -> tcp6;
        };
  }

  /** What both take. */
  public Offloads and(Offloads other) {
    return new Offloads(checksum && other.checksum, tcp4 && other.tcp4, tcp6 && other.tcp6);
  }
}
