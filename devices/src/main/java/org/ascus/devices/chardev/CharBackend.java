package org.ascus.devices.chardev;

/** The host's end of a byte channel; one device or multiplexer is connected to it. */
public interface CharBackend extends AutoCloseable {
  /**
   * Sends bytes out, in order and without loss; buffers, and waits only when the host takes nothing for so long that
   * the buffer is full. Any thread, one at a time.
   */
  void write(byte[] data, int offset, int length);

  /**
   * False while {@link #write} might wait; {@link CharReceiver#canSend} tells when that has changed. A device with a
   * transmitter of its own asks first, so that a terminal that stands still does not stop a CPU.
   */
  default boolean hasRoom() {
    return true;
  }

  /** Whether the other side comes and goes, of which {@link CharReceiver#peerChanged} tells; else it stays. */
  default boolean hasPeers() {
    return false;
  }

  /** Connects the receiver of input. Input that came before is kept until the receiver can take it. */
  void connect(CharReceiver receiver);

  /** The receiver, which had said it can take nothing, can take bytes again. Any thread; returns at once. */
  default void acceptInput() {}

  /** Flushes what was written and releases the host's resources; harmless when done already. */
  @Override
  default void close() {}
}
