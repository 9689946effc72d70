package org.ascus.devices.chardev;

import java.io.IOException;
import java.nio.file.Path;

/** A channel whose output is written to a file as well, {@code logfile=}. */
public final class LoggedChardev implements CharBackend {
  private final CharBackend channel;
  private final FileChardev log;

  /**
   * @param append keeps what the file has; otherwise it is emptied first
   * @throws IOException when the file cannot be written
   */
  public LoggedChardev(CharBackend channel, Path file, boolean append) throws IOException {
    this.channel = channel;
    this.log = new FileChardev(file, append);
  }

  @Override
  public void write(byte[] data, int offset, int length) {
    log.write(data, offset, length);
    channel.write(data, offset, length);
  }

  @Override
  public boolean hasRoom() {
    return channel.hasRoom();
  }

  @Override
  public boolean hasPeers() {
    return channel.hasPeers();
  }

  @Override
  public void connect(CharReceiver receiver) {
    channel.connect(receiver);
  }

  @Override
  public void acceptInput() {
    channel.acceptInput();
  }

  @Override
  public void close() {
    channel.close();
    log.close();
  }
}
