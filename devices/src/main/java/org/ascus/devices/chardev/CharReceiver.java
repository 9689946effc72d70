package org.ascus.devices.chardev;

/** Takes input from a {@link CharBackend}, on the back end's thread, which holds no lock of the back end meanwhile. */
public interface CharReceiver {
  /** Takes nothing: stands in until a device is connected. */
  CharReceiver NOBODY =
      new CharReceiver() {
        @Override
        public int canReceive() {
          return 0;
        }

        @Override
        public void receive(byte[] data, int offset, int length) {}
      };

  /** How many bytes {@link #receive} would take now. */
  int canReceive();

  /** Takes input, at most as many bytes as {@link #canReceive} just said. */
  void receive(byte[] data, int offset, int length);

  /** A break condition on the line. */
  default void breakReceived() {}

  /** The back end, which had said it has no room, has some again. */
  default void canSend() {}

  /**
   * On a channel with {@linkplain CharBackend#hasPeers peers}: one came, or was there already, or left. Returns at once
   * and writes nothing meanwhile, since the channel's own thread may be what calls.
   */
  default void peerChanged(boolean there) {}

  /** On a multiplexer: this receiver has got, or lost, the input. */
  default void focusChanged(boolean focused) {}
}
