package org.ascus.devices.block.format.qcow2;

import com.github.luben.zstd.Zstd;
import com.github.luben.zstd.ZstdException;
import java.util.Arrays;
import java.util.Optional;
import java.util.zip.DataFormatException;
import java.util.zip.Deflater;
import java.util.zip.Inflater;

/** The two compression types: raw deflate streams, which the format calls zlib, and zstd frames. */
final class Compression {
  static final int ZLIB = 0;
  static final int ZSTD = 1;

  private Compression() {}

  /**
   * Expands one cluster.
   *
   * @param data the compressed bytes; what follows them is ignored
   * @param cluster where the cluster goes; filled to its end or this fails
   * @return what is wrong with the data, if anything
   */
  static Optional<String> expand(int type, byte[] data, byte[] cluster) {
    return type == ZSTD ? expandZstd(data, cluster) : inflate(data, cluster);
  }

  private static Optional<String> inflate(byte[] data, byte[] cluster) {
    try (Inflater inflater = new Inflater(true)) {
      inflater.setInput(data);
      int done = 0;
      while (done < cluster.length) {
        int count = inflater.inflate(cluster, done, cluster.length - done);
        if (count == 0) {
          return Optional.of("the compressed data ends after " + done + " bytes");
        }
        done += count;
      }
      return Optional.empty();
    } catch (DataFormatException e) {
      return Optional.of("not a deflate stream: " + e.getMessage());
    }
  }

  private static Optional<String> expandZstd(byte[] data, byte[] cluster) {
    try {
      int done = 0;
      int at = 0;
      while (done < cluster.length) {
        long frame = Zstd.findFrameCompressedSize(data, at, data.length - at);
        if (Zstd.isError(frame) || frame <= 0) {
          return Optional.of("not a zstd frame");
        }
        long count = Zstd.decompressByteArray(cluster, done, cluster.length - done, data, at, (int) frame);
        if (Zstd.isError(count)) {
          return Optional.of("zstd: " + Zstd.getErrorName(count));
        }
        if (count == 0) {
          return Optional.of("the compressed data ends after " + done + " bytes");
        }
        done += (int) count;
        at += (int) frame;
      }
      return Optional.empty();
    } catch (ZstdException e) {
      return Optional.of("zstd: " + e.getMessage());
    }
  }

  /** The compressed form of {@code cluster}, if it is smaller. */
  static Optional<byte[]> shrink(int type, byte[] cluster) {
    if (type == ZSTD) {
      byte[] small = Zstd.compress(cluster, Zstd.defaultCompressionLevel());
      return small.length < cluster.length ? Optional.of(small) : Optional.empty();
    }
    byte[] out = new byte[cluster.length - 1];
    int length = deflate(cluster, out);
    return length > 0 ? Optional.of(Arrays.copyOf(out, length)) : Optional.empty();
  }

  private static int deflate(byte[] cluster, byte[] out) {
    try (Deflater deflater = new Deflater(Deflater.DEFAULT_COMPRESSION, true)) {
      deflater.setInput(cluster);
      deflater.finish();
      int length = deflater.deflate(out);
      return deflater.finished() ? length : 0;
    }
  }
}
