package org.ascus.devices.net;

/** Someone who sees the frames on a cable. */
public interface NetTap extends AutoCloseable {
  /** Which frames it sees. */
  enum Direction {
    /** Those for the guest. */
    RX,
    /** Those from the guest. */
    TX,
    ALL
  }

  /** Called by several threads, one at a time; must not block for long. */
  void seen(Frame frame);

  @Override
  void close();
}
