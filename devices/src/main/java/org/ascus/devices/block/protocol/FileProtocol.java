package org.ascus.devices.block.protocol;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.BlockNode;
import org.ascus.devices.block.Extent;
import org.ascus.devices.block.Uninterrupted;

/**
 * The bytes of a host file or block device. Bytes past the end of the file, up to the next multiple of 512, read as
 * zero and may be written, which makes the file longer.
 */
public final class FileProtocol implements BlockNode {
  /** In QEMU's locking of images byte 200 + n is held by who does not share permission n, and 1 is to write. */
  private static final long NO_WRITERS = 201;

  private static final int SECTOR = 512;
  private static final int ZEROES = 1 << 20;
  private static final Set<OpenOption> READ_WRITE = Set.of(StandardOpenOption.READ, StandardOpenOption.WRITE);

  private final String name;
  private final FileChannel channel;
  private final boolean readOnly;
  private final boolean durable;
  private final boolean growable;
  private final boolean unmap;
  private final HostFile host;
  private final boolean direct;

  /** Without the page cache: held shared by requests past it, alone by those through it, which move whole pages. */
  private final ReadWriteLock pages = new ReentrantReadWriteLock();

  private final AtomicLong size;

  /**
   * How a file is opened.
   *
   * @param readOnly no writes
   * @param locking refuse a file that another process, or this one, has open for writing
   * @param growable requests may go past the end: reads find zeroes, writes make the file longer
   * @param unmap discarded bytes are given back to the host
   * @param durable whether a flush reaches the disk; without, a power failure loses what the host had not written
   * @param direct whether what is aligned to {@value HostFile#DIRECT_UNIT} bytes goes past the host's page cache
   */
  public record Options(
      boolean readOnly, boolean locking, boolean growable, boolean unmap, boolean durable, boolean direct) {
    public static final Options READ_WRITE = new Options(false, true);
    public static final Options READ_ONLY = new Options(true, true);

    /** A file of a fixed size. */
    public Options(boolean readOnly, boolean locking) {
      this(readOnly, locking, false);
    }

    public Options(boolean readOnly, boolean locking, boolean growable) {
      this(readOnly, locking, growable, false, true, false);
    }

    public Options withUnmap(boolean on) {
      return new Options(readOnly, locking, growable, on, durable, direct);
    }

    public Options withDurable(boolean on) {
      return new Options(readOnly, locking, growable, unmap, on, direct);
    }

    public Options withDirect(boolean on) {
      return new Options(readOnly, locking, growable, unmap, durable, on);
    }
  }

  private FileProtocol(String name, FileChannel channel, Options options) throws IOException {
    this.name = name;
    this.channel = channel;
    this.readOnly = options.readOnly();
    this.durable = options.durable();
    this.growable = options.growable();
    this.unmap = options.unmap();
    this.host = new HostFile(name, readOnly, options.direct());
    this.direct = options.direct();
    this.size = new AtomicLong(growable ? channel.size() : roundUp(channel.size()));
  }

  private static long roundUp(long bytes) {
    return (bytes + SECTOR - 1) & -SECTOR;
  }

  /**
   * Opens a file that exists.
   *
   * @throws BlockException {@code Could not open '<path>': <reason>}
   */
  public static FileProtocol open(Path path, Options options) throws BlockException {
    if (Files.isDirectory(path)) {
      throw new BlockException("Could not open '" + path + "': Is a directory");
    }
    Set<OpenOption> open = options.readOnly() ? Set.of(StandardOpenOption.READ) : READ_WRITE;
    FileChannel channel;
    try {
      channel = FileChannel.open(path, open);
    } catch (IOException e) {
      throw BlockException.open(path, e);
    }
    try {
      if (options.locking()) {
        lock(path, channel, options.readOnly());
      }
      FileProtocol file = new FileProtocol(path.toString(), channel, options);
      if (options.direct() && !file.host.open()) {
        throw new BlockException(
            "Could not open '" + path + "': the host or its file system does not support O_DIRECT (cache.direct=on)");
      }
      return file;
    } catch (IOException e) {
      closeQuietly(channel, e);
      throw BlockException.open(path, e);
    } catch (BlockException e) {
      closeQuietly(channel, e);
      throw e;
    }
  }

  /**
   * A sparse file of zeroes that is gone when this process ends, whichever way. It is not made durable.
   *
   * @param size bytes
   */
  public static FileProtocol temporary(long size) throws BlockException {
    Path path = null;
    try {
      path = Files.createTempFile("ascus-", ".tmp");
      Options options = Options.READ_WRITE.withDurable(false);
      FileProtocol file = new FileProtocol(path.toString(), FileChannel.open(path, READ_WRITE), options);
      file.host.open();
      Files.delete(path);
      file.size.set(size);
      return file;
    } catch (IOException e) {
      throw new BlockException(
          "Could not create temporary file in '" + System.getProperty("java.io.tmpdir") + "': " + e.getMessage(), e);
    }
  }

  /**
   * A writer takes the whole file, a reader but the byte by which QEMU's processes tell each other that nobody may
   * write: so a reader of ours and readers of QEMU's share a file.
   */
  private static void lock(Path path, FileChannel channel, boolean shared) throws BlockException {
    String kind = shared ? "shared" : "write";
    try {
      FileLock lock = shared ? channel.tryLock(NO_WRITERS, 1, true) : channel.tryLock(0, Long.MAX_VALUE, false);
      if (lock == null) {
        throw inUse(path, kind);
      }
    } catch (OverlappingFileLockException _) {
      // The JVM does not tell which kind of lock it has itself. Readers share: two overlays have one backing file.
      if (!shared) {
        throw inUse(path, kind);
      }
    } catch (IOException _) {
      // Some file systems know no locks; QEMU's locking=auto goes on without one too.
      return;
    }
  }

  private static BlockException inUse(Path path, String kind) {
    return new BlockException(
        "Could not open '" + path + "': Failed to get \"" + kind + "\" lock. Is another process using the image?");
  }

  private static void closeQuietly(FileChannel channel, Exception because) {
    try {
      channel.close();
    } catch (IOException e) {
      because.addSuppressed(e);
    }
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public long size() {
    return size.get();
  }

  @Override
  public void checkRange(long offset, long length) throws BlockException {
    if (!growable || offset < 0 || length < 0 || offset > Long.MAX_VALUE - length) {
      BlockNode.super.checkRange(offset, length);
    }
  }

  @Override
  public boolean readOnly() {
    return readOnly;
  }

  private void request(String what, Uninterrupted.Body body) throws BlockException {
    request(what, body, () -> false);
  }

  /** @param full asked when it failed: whether for want of room */
  private void request(String what, Uninterrupted.Body body, BooleanSupplier full) throws BlockException {
    try {
      Uninterrupted.run(body);
    } catch (IOException e) {
      String text = name + ": " + what + ": " + e.getMessage();
      throw full.getAsBoolean() ? BlockException.noSpace(text, e) : new BlockException(text, e);
    }
  }

  @Override
  public void read(long offset, ByteBuffer target) throws BlockException {
    if (direct) {
      read(offset, new ByteBuffer[] {target});
    } else {
      readCached(offset, target);
    }
  }

  private void readCached(long offset, ByteBuffer target) throws BlockException {
    checkRange(offset, target.remaining());
    request(
        "read at " + offset,
        () -> {
          long at = offset;
          while (target.hasRemaining()) {
            int count = channel.read(target, at);
            if (count < 0) {
              zeroFill(target);
              return;
            }
            at += count;
          }
        });
  }

  private static void zeroFill(ByteBuffer target) {
    if (target.hasArray()) {
      int from = target.arrayOffset() + target.position();
      Arrays.fill(target.array(), from, from + target.remaining(), (byte) 0);
      target.position(target.limit());
    } else {
      while (target.hasRemaining()) {
        target.put((byte) 0);
      }
    }
  }

  @Override
  public void write(long offset, ByteBuffer source) throws BlockException {
    if (direct) {
      write(offset, new ByteBuffer[] {source});
    } else {
      writeCached(offset, source);
    }
  }

  private void writeCached(long offset, ByteBuffer source) throws BlockException {
    checkWritable();
    checkRange(offset, source.remaining());
    int start = source.position();
    request(
        "write at " + offset,
        () -> {
          long at = offset;
          while (source.hasRemaining()) {
            at += channel.write(source, at);
          }
          grown(at);
        },
        () -> host.isFull(offset, source.limit() - start));
  }

  @Override
  public void read(long offset, ByteBuffer[] targets) throws BlockException {
    checkRange(offset, BlockNode.remaining(targets));
    long done = 0;
    if (isDirect(targets)) {
      done = atOnce(offset, targets, () -> host.read(offset, targets));
    }
    goOn(this::readCached, offset, targets, done);
  }

  @Override
  public void write(long offset, ByteBuffer[] sources) throws BlockException {
    checkWritable();
    checkRange(offset, BlockNode.remaining(sources));
    long done = 0;
    if (isDirect(sources)) {
      done = atOnce(offset, sources, () -> host.write(offset, sources));
      grown(offset + done);
    }
    goOn(this::writeCached, offset, sources, done);
  }

  /** Bytes that {@code request} moves; 0 if it must go through the page cache. */
  private long atOnce(long offset, ByteBuffer[] buffers, LongSupplier request) {
    if (!direct) {
      return request.getAsLong();
    }
    if (!HostFile.isAligned(offset, buffers)) {
      return 0;
    }
    pages.readLock().lock();
    try {
      return request.getAsLong();
    } finally {
      pages.readLock().unlock();
    }
  }

  private static boolean isDirect(ByteBuffer[] buffers) {
    for (ByteBuffer buffer : buffers) {
      if (!buffer.isDirect()) {
        return false;
      }
    }
    return true;
  }

  private interface Request {
    void run(long offset, ByteBuffer buffer) throws BlockException;
  }

  /** Does the rest of a request of several buffers of which {@code done} bytes are done. */
  private void goOn(Request request, long offset, ByteBuffer[] buffers, long done) throws BlockException {
    long at = offset;
    long skip = done;
    for (ByteBuffer buffer : buffers) {
      int count = buffer.remaining();
      int skipped = (int) Math.min(skip, count);
      buffer.position(buffer.position() + skipped);
      if (skipped < count) {
        cached(request, at + skipped, buffer);
      }
      skip -= skipped;
      at += count;
    }
  }

  /** A request through the page cache, which must not meet one past it in the same page. */
  private void cached(Request request, long offset, ByteBuffer buffer) throws BlockException {
    if (!direct) {
      request.run(offset, buffer);
      return;
    }
    pages.writeLock().lock();
    try {
      request.run(offset, buffer);
    } finally {
      pages.writeLock().unlock();
    }
  }

  private void grown(long end) {
    if (growable) {
      size.accumulateAndGet(end, Math::max);
    }
  }

  @Override
  public boolean allocate(long offset, long length) throws BlockException {
    checkWritable();
    checkRange(offset, length);
    boolean done = length > 0 && host.allocate(offset, length);
    if (done) {
      grown(offset + length);
    }
    return done;
  }

  @Override
  public OptionalLong allocatedBytes() {
    return HostFile.allocatedBytes(Path.of(name));
  }

  @Override
  public void resize(long bytes) throws BlockException {
    checkWritable();
    request(
        "resize to " + bytes,
        () -> {
          if (bytes < channel.size()) {
            channel.truncate(bytes);
          } else if (bytes > channel.size()) {
            channel.write(ByteBuffer.allocate(1), bytes - 1);
          }
          size.set(growable ? bytes : roundUp(bytes));
        },
        () -> bytes > 0 && host.isFull(bytes - 1, 1));
  }

  @Override
  public void flush() throws BlockException {
    if (durable && !readOnly) {
      request("flush", () -> channel.force(false));
    }
  }

  /** Gives whole blocks back to the host if the node was opened so; else the file keeps them. */
  @Override
  public void discard(long offset, long length) throws BlockException {
    checkWritable();
    checkRange(offset, length);
    if (unmap && length > 0) {
      host.punch(offset, length);
    }
  }

  @Override
  public Extent extent(long offset, long length) throws BlockException {
    checkRange(offset, length);
    long data = host.nextData(offset);
    if (data > offset) {
      return Extent.zero(Math.min(length, data - offset), OptionalLong.of(offset));
    }
    return Extent.data(Math.min(length, host.nextHole(offset) - offset), offset);
  }

  @Override
  public void writeZeroes(long offset, long length, boolean mayUnmap) throws BlockException {
    checkWritable();
    checkRange(offset, length);
    if (mayUnmap && unmap && offset + length <= size.get() && host.punch(offset, length)) {
      return;
    }
    ByteBuffer zeroes = ByteBuffer.allocate((int) Math.min(length, ZEROES));
    long at = offset;
    while (at < offset + length) {
      zeroes.clear().limit((int) Math.min(ZEROES, offset + length - at));
      int count = zeroes.remaining();
      write(at, zeroes);
      at += count;
    }
  }

  @Override
  public void close() throws BlockException {
    if (channel.isOpen()) {
      try {
        flush();
      } finally {
        host.close();
        request("close", channel::close);
      }
    }
  }
}
