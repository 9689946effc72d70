package org.ascus.devices.chardev;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;

/** Named pipes and serial devices of a host that has them as files. */
public final class HostFile {
  private HostFile() {}

  /**
   * A pipe: {@code path.in} and {@code path.out} if they are there, or {@code path} for both directions.
   *
   * @throws IOException naming the file that cannot be opened
   */
  public static CharBackend pipe(Path path) throws IOException {
    Path in = path.resolveSibling(path.getFileName() + ".in");
    Path out = path.resolveSibling(path.getFileName() + ".out");
    boolean pair = Files.exists(in) && Files.exists(out);
    return open("pipe", pair ? in : path, pair ? out : path);
  }

  /**
   * A serial device of the host, with the speed and modes that it has.
   *
   * @throws IOException naming the file that cannot be opened
   */
  public static CharBackend serial(Path path) throws IOException {
    return open("serial", path, path);
  }

  private static CharBackend open(String name, Path in, Path out) throws IOException {
    // Opened for both directions: opening a pipe for one waits for somebody at its other end.
    RandomAccessFile input = openBoth(in);
    RandomAccessFile output = in.equals(out) ? input : openBoth(out);
    return new StreamChardev(name, reader(input), writer(output));
  }

  private static RandomAccessFile openBoth(Path path) throws IOException {
    if (!Files.exists(path)) {
      throw new IOException("Could not open '" + path + "': No such file or directory");
    }
    try {
      return new RandomAccessFile(path.toFile(), "rw");
    } catch (IOException e) {
      throw new IOException("Could not open '" + path + "': Permission denied", e);
    }
  }

  private static InputStream reader(RandomAccessFile file) {
    return new InputStream() {
      @Override
      public int read() throws IOException {
        return file.read();
      }

      @Override
      public int read(byte[] data, int offset, int length) throws IOException {
        return file.read(data, offset, length);
      }

      @Override
      public void close() throws IOException {
        // A read that waits holds on to the file; it is a daemon's.
      }
    };
  }

  private static OutputStream writer(RandomAccessFile file) {
    return new OutputStream() {
      @Override
      public void write(int value) throws IOException {
        file.write(value);
      }

      @Override
      public void write(byte[] data, int offset, int length) throws IOException {
        file.write(data, offset, length);
      }
    };
  }
}
