package org.ascus.devices.chardev;

/** Takes input from a {@link CharBackend}, on the back end's thread. */
public interface CharReceiver {
  /** How many bytes {@link #receive} would take now. */
  int canReceive();

  /** Takes input, at most as many bytes as {@link #canReceive} just said. */
  void receive(byte[] data, int offset, int length);

  /** A break condition on the line. */
  default void breakReceived() {}
}
