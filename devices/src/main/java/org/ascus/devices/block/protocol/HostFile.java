package org.ascus.devices.block.protocol;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.OptionalLong;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import org.ascus.devices.host.Errno;
import org.ascus.devices.host.HostCalls;

/**
 * What a Linux file can do that Java has no calls for: find, make and count its holes, fill many buffers from one place
 * at once, and do so without the page cache. Elsewhere, or where a file system knows no holes, a file is all data.
 *
 * <p>It opens the file once more, when first asked, and closes that last: to close any handle of a file gives up all
 * locks that the process has on it.
 */
public final class HostFile {
  private static final boolean LINUX = HostCalls.isLinux();
  private static final int SEEK_DATA = 3;
  private static final int SEEK_HOLE = 4;
  private static final int READ_WRITE = 2;
  private static final int CLOSE_ON_EXEC = 0x80000;
  private static final int KEEP_SIZE = 1;
  private static final int KEEP_SIZE_AND_PUNCH = 3;
  private static final int STAT_BYTES = 256;

  /** Of the number of 512-byte blocks in struct stat, on x86-64 and AArch64. */
  private static final int STAT_BLOCKS_AT = 64;

  /** Buffers that Linux takes at once. */
  private static final int MAX_VECTORS = 1024;

  /** A struct iovec: address and length, 8 bytes each. */
  private static final int VECTOR_BYTES = 16;

  private static final int NOT_OPEN = -1;
  private static final int FAILED = -2;

  private static final ThreadLocal<ByteBuffer> VECTORS =
      ThreadLocal.withInitial(
          () -> ByteBuffer.allocateDirect(MAX_VECTORS * VECTOR_BYTES).order(ByteOrder.nativeOrder()));

  /** Offsets, lengths and addresses without the page cache are multiples of this, as every Linux disk takes them. */
  static final int DIRECT_UNIT = 4096;

  private final String path;
  private final boolean readOnly;
  private final boolean direct;
  private final ReadWriteLock use = new ReentrantReadWriteLock();
  private volatile int handle = NOT_OPEN;

  /** @param direct whether reads and writes go past the host's page cache */
  HostFile(String path, boolean readOnly, boolean direct) {
    this.path = path;
    this.readOnly = readOnly;
    this.direct = direct;
  }

  private static final class Host {
    static final MemorySegment OPEN = HostCalls.find("open");
    static final MemorySegment CLOSE = HostCalls.find("close");
    static final MemorySegment SEEK = HostCalls.find("lseek");
    static final MemorySegment ALLOCATE = HostCalls.find("fallocate");
    static final MemorySegment STAT = HostCalls.find("stat");
    static final MemorySegment READ = HostCalls.find("preadv");
    static final MemorySegment WRITE = HostCalls.find("pwritev");

    static long call(MemorySegment function, long a, long b, long c, long d) {
      return HostCalls.call(function, a, b, c, d, 0, 0);
    }
  }

  private static int directFlag() {
    return System.getProperty("os.arch").equals("aarch64") ? 0x10000 : 0x4000;
  }

  /** Opens the file now; later it may have lost its name. False if that cannot be. */
  synchronized boolean open() {
    if (handle == NOT_OPEN) {
      int opened = FAILED;
      if (LINUX) {
        try (Arena arena = Arena.ofConfined()) {
          int flags = (readOnly ? 0 : READ_WRITE) | CLOSE_ON_EXEC | (direct ? directFlag() : 0);
          opened = (int) Host.call(Host.OPEN, arena.allocateFrom(path).address(), flags, 0, 0);
        }
      }
      handle = opened >= 0 ? opened : FAILED;
    }
    return handle >= 0;
  }

  /** Whether a request can go past the page cache as it is. */
  static boolean isAligned(long offset, ByteBuffer[] buffers) {
    long bits = offset;
    for (ByteBuffer buffer : buffers) {
      bits |= buffer.remaining() | buffer.alignmentOffset(buffer.position(), DIRECT_UNIT);
    }
    return (bits & DIRECT_UNIT - 1) == 0;
  }

  private interface Use {
    long with(int handle);
  }

  /** The result of {@code use}, or -1 if the file cannot be opened. */
  private long use(Use body) {
    if (handle == NOT_OPEN) {
      open();
    }
    use.readLock().lock();
    try {
      int open = handle;
      return open < 0 ? -1 : body.with(open);
    } finally {
      use.readLock().unlock();
    }
  }

  private long seek(long offset, int what) {
    return use(open -> Host.call(Host.SEEK, open, offset, what, 0));
  }

  /** Offset of the first byte of data at or behind {@code offset}; the highest number if there is none. */
  long nextData(long offset) {
    long data = seek(offset, SEEK_DATA);
    if (data >= 0) {
      return data;
    }
    // An error may be "no data behind" or "no holes known"; a file with holes ends in one.
    long hole = seek(offset, SEEK_HOLE);
    return hole == offset ? Long.MAX_VALUE : offset;
  }

  /** Offset of the first byte behind {@code offset} that is in a hole; the highest number if there is none. */
  long nextHole(long offset) {
    long hole = seek(offset, SEEK_HOLE);
    return hole > offset ? hole : Long.MAX_VALUE;
  }

  /** Makes a range a hole; false if that cannot be done. */
  boolean punch(long offset, long length) {
    return !readOnly && (int) use(open -> Host.call(Host.ALLOCATE, open, KEEP_SIZE_AND_PUNCH, offset, length)) == 0;
  }

  /** Gives a range blocks of its own and makes the file that long; false if that cannot be done. */
  boolean allocate(long offset, long length) {
    return !readOnly && (int) use(open -> Host.call(Host.ALLOCATE, open, 0, offset, length)) == 0;
  }

  /** Whether the host's disk, or what the user may have of it, has no room for a range of the file. */
  boolean isFull(long offset, long length) {
    long result = use(open -> HostCalls.status(Host.ALLOCATE, open, KEEP_SIZE, offset, Math.max(1, length)));
    return result == -Errno.ENOSPC || result == -Errno.EDQUOT;
  }

  /** Fills direct buffers from {@code offset} on; returns how many bytes, fewer at the end of the file or on errors. */
  long read(long offset, ByteBuffer[] targets) {
    return transfer(true, offset, targets);
  }

  /** Writes direct buffers from {@code offset} on; returns how many bytes, fewer on errors. */
  long write(long offset, ByteBuffer[] sources) {
    return transfer(false, offset, sources);
  }

  private long transfer(boolean read, long offset, ByteBuffer[] buffers) {
    return Math.max(0, use(open -> transfer(read ? Host.READ : Host.WRITE, open, offset, buffers)));
  }

  private static long transfer(MemorySegment function, int open, long offset, ByteBuffer[] buffers) {
    ByteBuffer vectors = VECTORS.get();
    long address = MemorySegment.ofBuffer(vectors).address();
    long done = 0;
    for (int first = 0; first < buffers.length; first += MAX_VECTORS) {
      int count = Math.min(MAX_VECTORS, buffers.length - first);
      long wanted = 0;
      for (int i = 0; i < count; i++) {
        ByteBuffer buffer = buffers[first + i];
        vectors.putLong(i * VECTOR_BYTES, MemorySegment.ofBuffer(buffer).address());
        vectors.putLong(i * VECTOR_BYTES + Long.BYTES, buffer.remaining());
        wanted += buffer.remaining();
      }
      long moved = Host.call(function, open, address, count, offset + done);
      done += Math.max(0, moved);
      if (moved != wanted) {
        break;
      }
    }
    Reference.reachabilityFence(buffers);
    return done;
  }

  synchronized void close() {
    use.writeLock().lock();
    try {
      if (handle >= 0) {
        Host.call(Host.CLOSE, handle, 0, 0, 0);
      }
      handle = FAILED;
    } finally {
      use.writeLock().unlock();
    }
  }

  /** Bytes that a file has on its disk, where the host tells. */
  public static OptionalLong allocatedBytes(Path file) {
    if (!LINUX) {
      return OptionalLong.empty();
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment stat = arena.allocate(STAT_BYTES, 8);
      long name = arena.allocateFrom(file.toString()).address();
      boolean failed = (int) Host.call(Host.STAT, name, stat.address(), 0, 0) != 0;
      return failed ? OptionalLong.empty() : OptionalLong.of(stat.get(ValueLayout.JAVA_LONG, STAT_BLOCKS_AT) * 512);
    }
  }
}
