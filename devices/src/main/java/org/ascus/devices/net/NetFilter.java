package org.ascus.devices.net;

/** Someone on a cable who sees frames, and may take them off it. */
public interface NetFilter extends AutoCloseable {
  /** Which frames it sees. */
  enum Direction {
    /** Those for the guest. */
    RX,
    /** Those from the guest. */
    TX,
    ALL;

    /** Whether frames that go {@code way}, which is not {@link #ALL}, are among them. */
    public boolean covers(Direction way) {
      return this == ALL || this == way;
    }
  }

  /** Whether the frames that it sees go no further; {@link NetLink#inject} lets them go on. */
  default boolean diverts() {
    return false;
  }

  /**
   * A frame goes by. Called by several threads, may hold a card's lock, must not block for long.
   *
   * @param way {@link Direction#RX} or {@link Direction#TX}
   */
  void seen(Frame frame, Direction way);

  /** Who had no room for a frame that was injected has some again. May hold a card's lock. */
  default void roomAgain() {}

  @Override
  void close();
}
