package org.ascus.devices.input;

/** A device that has keys. */
public interface Keyboard {
  /**
   * A key goes down or up; the guest may be too slow for it, then it is lost.
   *
   * @param code as in linux/input-event-codes.h, see {@link KeyNames}
   */
  void key(int code, boolean down);
}
