package org.ascus.devices.net.filter;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import org.ascus.devices.net.Frame;
import org.ascus.devices.net.NetFilter;
import org.ascus.machine.trace.Log;

/**
 * Writes frames to a file in libpcap's classic format: a header of 24 bytes, then for each frame seconds, microseconds,
 * bytes kept, bytes there were, and the bytes. Numbers are little-endian, as the magic number tells.
 *
 * <p>Frames are as they are on the cable: with checksum or segmentation offload, before that work is done.
 */
public final class PcapDump implements NetFilter {
  private static final int MAGIC = 0xa1b2c3d4;
  private static final int ETHERNET = 1;
  private static final int FILE_HEADER = 24;
  private static final int RECORD_HEADER = 16;

  private final Path file;
  private final int most;
  private final Log log;
  private final FileChannel channel;
  private boolean failed;

  /**
   * Begins the file anew.
   *
   * @param most bytes that are kept of a frame
   * @param log where it is said once when the file cannot be written
   */
  public PcapDump(Path file, int most, Log log) throws IOException {
    this.file = file;
    this.most = most;
    this.log = log;
    channel =
        FileChannel.open(
            file, StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.TRUNCATE_EXISTING);
    ByteBuffer header = ByteBuffer.allocate(FILE_HEADER).order(ByteOrder.LITTLE_ENDIAN);
    header.putInt(MAGIC).putShort((short) 2).putShort((short) 4).putInt(0).putInt(0).putInt(most).putInt(ETHERNET);
    write(header.flip());
  }

  @Override
  public synchronized void seen(Frame frame, Direction way) {
    int kept = Math.min(most, frame.length());
    Instant now = Instant.now();
    ByteBuffer record = ByteBuffer.allocate(RECORD_HEADER + kept).order(ByteOrder.LITTLE_ENDIAN);
    record.putInt((int) now.getEpochSecond()).putInt(now.getNano() / 1000).putInt(kept).putInt(frame.length());
    record.put(frame.bytes(), 0, kept).flip();
    if (!failed && channel.isOpen()) {
      try {
        write(record);
      } catch (IOException e) {
        failed = true;
        log.log(Log.Category.GUEST_ERRORS, () -> "filter-dump: " + file + " cannot be written: " + e.getMessage());
      }
    }
  }

  private void write(ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      int ignored = channel.write(bytes);
    }
  }

  @Override
  public synchronized void close() {
    try {
      channel.close();
    } catch (IOException e) {
      log.log(Log.Category.GUEST_ERRORS, () -> "filter-dump: " + file + " cannot be closed: " + e.getMessage());
    }
  }
}
