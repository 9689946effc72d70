package org.ascus.devices.chardev;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;

/** A channel of two of the host's streams, of which the input may wait for bytes as long as it likes. */
public final class StreamChardev implements CharBackend {
  private final String name;
  private final InputStream in;
  private final InputFeeder input;
  private final OutputPump output;
  private volatile CharReceiver receiver = CharReceiver.NOBODY;
  private boolean connected;

  /**
   * @param name of its threads
   * @param in closed by {@link #close}, which must end a read that waits or leave it to a daemon thread
   */
  public StreamChardev(String name, InputStream in, OutputStream out) {
    this.name = name;
    this.in = in;
    this.input = new InputFeeder(InputFeeder.thread(name), () -> {});
    this.output = new OutputPump(name, out, () -> receiver.canSend());
  }

  @Override
  public void write(byte[] data, int offset, int length) {
    output.write(data, offset, length);
  }

  @Override
  public boolean hasRoom() {
    return output.hasRoom();
  }

  @Override
  public void connect(CharReceiver newReceiver) {
    receiver = newReceiver;
    input.connect(newReceiver);
    synchronized (this) {
      if (connected) {
        return;
      }
      connected = true;
    }
    Thread.ofPlatform().daemon().name("ascus-" + name).start(this::readLoop);
  }

  private void readLoop() {
    byte[] data = new byte[4096];
    try {
      for (int count = in.read(data); count >= 0; count = in.read(data)) {
        input.put(data, 0, count);
      }
    } catch (IOException | InterruptedException e) {
      // The other end is gone: there is no more input.
    }
  }

  @Override
  public void acceptInput() {
    input.wake();
  }

  /** Waits until the host has what was written, as far as it takes it. */
  void flush() {
    output.flush();
  }

  @Override
  public void close() {
    input.close();
    output.close();
    try {
      in.close();
    } catch (IOException e) {
      // Nobody reads any more.
    }
  }
}
