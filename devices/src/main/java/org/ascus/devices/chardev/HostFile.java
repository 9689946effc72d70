package org.ascus.devices.chardev;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** Files, named pipes and serial devices of the host. */
public final class HostFile {
  private HostFile() {}

  /**
   * Files: one that gets the output and perhaps one that has the input.
   *
   * @param append keeps what the output file has; otherwise it is emptied first
   * @throws IOException naming the file that cannot be opened
   */
  public static CharBackend files(Path output, boolean append, Optional<Path> input) throws IOException {
    if (input.isEmpty()) {
      return new FileChardev(output, append);
    }
    if (!Files.isReadable(input.get())) {
      throw cannotOpen(input.get());
    }
    OutputStream out = FileChardev.stream(output, append);
    return new StreamChardev("file", Files.newInputStream(input.get()), out);
  }

  /** What the host says of a file that does not open. */
  static IOException cannotOpen(Path path) {
    String reason = !Files.exists(path) ? "No such file or directory"
        : Files.isDirectory(path) ? "Is a directory" : "Permission denied";
    return new IOException("Could not open '" + path + "': " + reason);
  }

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
    if (!Files.isWritable(path)) {
      throw cannotOpen(path);
    }
    return new RandomAccessFile(path.toFile(), "rw");
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
