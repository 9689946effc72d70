package org.ascus.devices.virtio.rng;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Bytes of a file or host device; a file that ends is read again from its start. */
public final class FileEntropy implements EntropySource, AutoCloseable {
  private final Path file;
  private InputStream input;

  /**
   * Opens the file.
   *
   * @throws IOException when it cannot be read or is empty
   */
  public FileEntropy(Path file) throws IOException {
    if (Files.isRegularFile(file) && Files.size(file) == 0) {
      throw new IOException("is empty");
    }
    this.file = file;
    this.input = Files.newInputStream(file);
  }

  @Override
  public synchronized void fill(byte[] target) {
    try {
      int done = 0;
      while (done < target.length) {
        int count = input.read(target, done, target.length - done);
        if (count < 0) {
          input.close();
          input = Files.newInputStream(file);
        } else {
          done += count;
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(file.toString(), e);
    }
  }

  @Override
  public synchronized void close() {
    try {
      input.close();
    } catch (IOException e) {
      throw new UncheckedIOException(file.toString(), e);
    }
  }
}
