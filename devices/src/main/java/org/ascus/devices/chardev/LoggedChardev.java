package org.ascus.devices.chardev;

import java.io.IOException;
import java.nio.file.Path;

/** A channel whose output is written to a file as well, {@code logfile=}. */
public final class LoggedChardev extends ForwardingChardev {
  private final FileChardev log;

  /**
   * @param append keeps what the file has; otherwise it is emptied first
   * @throws IOException when the file cannot be written
   */
  public LoggedChardev(CharBackend channel, Path file, boolean append) throws IOException {
    super(channel);
    this.log = new FileChardev(file, append);
  }

  @Override
  public void write(byte[] data, int offset, int length) {
    log.write(data, offset, length);
    super.write(data, offset, length);
  }

  @Override
  public void close() {
    super.close();
    log.close();
  }
}
