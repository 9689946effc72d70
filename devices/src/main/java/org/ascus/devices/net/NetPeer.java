package org.ascus.devices.net;

/**
 * One end of a network as the other end sees it.
 *
 * <p>Contract: a caller may hold its own lock, so none of these methods calls the other end before it returns. A back
 * end notes what is to do and leaves the rest to a thread of its own, which holds no lock when it calls the card.
 */
public interface NetPeer {
  /** What this end takes now, besides finished frames. */
  Offloads offloads();

  /**
   * Takes a frame, or drops it as a network may.
   *
   * @param frame its work is among {@link #offloads}
   * @return false if there is no room: the other end keeps the frame, sends nothing, and tries again after
   *     {@link #roomAgain} was called on it
   */
  boolean receive(Frame frame);

  /** The other end, which had no room, has some. */
  void roomAgain();

  /** The cable was pulled or plugged in. */
  default void linkChanged(boolean up) {}
}
