package org.ascus.devices.chardev;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** Writes output to a file; there is no input. */
public final class FileChardev implements CharBackend {
  private final OutputPump output;
  private volatile CharReceiver receiver = CharReceiver.NOBODY;

  /**
   * @param append keeps what the file has; otherwise it is emptied first
   * @throws IOException when the file cannot be written
   */
  public FileChardev(Path path, boolean append) throws IOException {
    this.output = new OutputPump("file", stream(path, append), () -> receiver.canSend());
  }

  static OutputStream stream(Path path, boolean append) throws IOException {
    StandardOpenOption mode = append ? StandardOpenOption.APPEND : StandardOpenOption.TRUNCATE_EXISTING;
    try {
      return Files.newOutputStream(path, StandardOpenOption.CREATE, StandardOpenOption.WRITE, mode);
    } catch (NoSuchFileException | AccessDeniedException e) {
      throw HostFile.cannotOpen(path);
    } catch (FileSystemException e) {
      throw new IOException("Could not open '" + path + "': " + e.getReason(), e);
    }
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
  }

  @Override
  public void close() {
    output.close();
  }
}
