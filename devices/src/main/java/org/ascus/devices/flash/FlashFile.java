package org.ascus.devices.flash;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.ascus.machine.bus.GuestRam;
import org.ascus.machine.device.DeviceException;

/** The file that a flash memory is kept in, byte by byte; of exactly its size. */
final class FlashFile implements AutoCloseable {
  private static final int CHUNK = 1 << 20;

  private final Path path;
  private final FileChannel channel;

  private FlashFile(Path path, FileChannel channel) {
    this.path = path;
    this.channel = channel;
  }

  /**
   * @throws DeviceException when there is no such file, it cannot be opened so, or its size is not {@code size}
   */
  static FlashFile open(Path path, boolean readOnly, long size) throws DeviceException {
    try {
      FileChannel channel =
          readOnly
              ? FileChannel.open(path, StandardOpenOption.READ)
              : FileChannel.open(path, StandardOpenOption.READ, StandardOpenOption.WRITE);
      if (Files.isDirectory(path) || channel.size() != size) {
        long found = channel.size();
        channel.close();
        throw new DeviceException(
            "pflash file " + path + " has " + found + " bytes; the flash bank has " + size);
      }
      return new FlashFile(path, channel);
    } catch (NoSuchFileException e) {
      throw new DeviceException("Could not open '" + path + "': No such file or directory", e);
    } catch (IOException e) {
      throw new DeviceException("Could not open '" + path + "': " + e.getMessage(), e);
    }
  }

  /** Copies the file into {@code target}. */
  void load(GuestRam target) throws DeviceException {
    byte[] chunk = new byte[(int) Math.min(CHUNK, target.size())];
    try {
      for (long at = 0; at < target.size(); at += chunk.length) {
        ByteBuffer buffer = ByteBuffer.wrap(chunk, 0, (int) Math.min(chunk.length, target.size() - at));
        while (buffer.hasRemaining()) {
          if (channel.read(buffer, at + buffer.position()) < 0) {
            throw new IOException("it became shorter");
          }
        }
        target.write(at, chunk, 0, buffer.limit());
      }
    } catch (IOException e) {
      throw new DeviceException("Could not read '" + path + "': " + e.getMessage(), e);
    }
  }

  /** Copies a part of {@code source} to the file. */
  void store(GuestRam source, long offset, int length) throws IOException {
    byte[] data = new byte[length];
    source.read(offset, data, 0, length);
    ByteBuffer buffer = ByteBuffer.wrap(data);
    while (buffer.hasRemaining()) {
      channel.write(buffer, offset + buffer.position());
    }
  }

  @Override
  public void close() {
    try {
      channel.close();
    } catch (IOException e) {
      // Every write was made when the guest asked for it.
    }
  }
}
