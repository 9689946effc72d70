package org.ascus.devices.chardev;

/** The host's end of a byte channel; one device or multiplexer is connected to it. */
public interface CharBackend extends AutoCloseable {
  /** Sends bytes out, in order and without loss; may buffer, and never waits long. Any thread, one at a time. */
  void write(byte[] data, int offset, int length);

  /** Connects the receiver of input. Input that came before is kept until the receiver can take it. */
  void connect(CharReceiver receiver);

  /** The receiver, which had said it can take nothing, can take bytes again. Any thread; returns at once. */
  default void acceptInput() {}

  /** Flushes what was written and releases the host's resources. */
  @Override
  default void close() {}
}
