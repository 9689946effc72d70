package org.ascus.devices.block.protocol;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import java.util.Locale;

/**
 * The holes of a Linux file, which Java has no calls for: finding, making and counting them. Elsewhere, or where a file
 * system knows none, a file is all data.
 *
 * <p>It opens the file once more, when first asked, and closes that last: to close any handle of a file gives up all
 * locks that the process has on it.
 */
public final class SparseFile {
  private static final boolean LINUX = System.getProperty("os.name").toLowerCase(Locale.ROOT).contains("linux");
  private static final int SEEK_DATA = 3;
  private static final int SEEK_HOLE = 4;
  private static final int READ_WRITE = 2;
  private static final int CLOSE_ON_EXEC = 0x80000;
  private static final int KEEP_SIZE_AND_PUNCH = 3;
  private static final int STAT_BYTES = 256;

  /** Of the number of 512-byte blocks in struct stat, on x86-64 and AArch64. */
  private static final int STAT_BLOCKS_AT = 64;

  private static final int NOT_OPEN = -1;
  private static final int FAILED = -2;

  private final String path;
  private final boolean readOnly;
  private int handle = NOT_OPEN;

  SparseFile(String path, boolean readOnly) {
    this.path = path;
    this.readOnly = readOnly;
  }

  private static MethodHandle function(String name, FunctionDescriptor type) {
    Linker linker = Linker.nativeLinker();
    return linker.downcallHandle(linker.defaultLookup().find(name).orElseThrow(), type);
  }

  private synchronized int handle() {
    if (handle == NOT_OPEN) {
      handle = FAILED;
      if (LINUX) {
        try (Arena arena = Arena.ofConfined()) {
          FunctionDescriptor type =
              FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_INT);
          int flags = (readOnly ? 0 : READ_WRITE) | CLOSE_ON_EXEC;
          int opened = (int) function("open", type).invokeExact(arena.allocateFrom(path), flags);
          handle = opened >= 0 ? opened : FAILED;
        } catch (Throwable e) {
          // No such function: a file without holes.
          handle = FAILED;
        }
      }
    }
    return handle;
  }

  private long seek(long offset, int what) {
    int open = handle();
    if (open < 0) {
      return NOT_OPEN;
    }
    try {
      FunctionDescriptor type =
          FunctionDescriptor.of(
              ValueLayout.JAVA_LONG, ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG, ValueLayout.JAVA_INT);
      return (long) function("lseek", type).invokeExact(open, offset, what);
    } catch (Throwable e) {
      return NOT_OPEN;
    }
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
    int open = handle();
    if (open < 0 || readOnly) {
      return false;
    }
    try {
      FunctionDescriptor type =
          FunctionDescriptor.of(
              ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG,
              ValueLayout.JAVA_LONG);
      return (int) function("fallocate", type).invokeExact(open, KEEP_SIZE_AND_PUNCH, offset, length) == 0;
    } catch (Throwable e) {
      return false;
    }
  }

  synchronized void close() {
    if (handle >= 0) {
      try {
        FunctionDescriptor type = FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT);
        int ignored = (int) function("close", type).invokeExact(handle);
      } catch (Throwable e) {
        throw new IllegalStateException(e);
      }
    }
    handle = FAILED;
  }

  /**
   * Bytes that a file has on its disk.
   *
   * @param otherwise the answer where the host does not tell
   */
  public static long allocatedBytes(Path file, long otherwise) {
    if (!LINUX) {
      return otherwise;
    }
    try (Arena arena = Arena.ofConfined()) {
      FunctionDescriptor type =
          FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.ADDRESS);
      MemorySegment stat = arena.allocate(STAT_BYTES, 8);
      int failed = (int) function("stat", type).invokeExact(arena.allocateFrom(file.toString()), stat);
      return failed == 0 ? stat.get(ValueLayout.JAVA_LONG, STAT_BLOCKS_AT) * 512 : otherwise;
    } catch (Throwable e) {
      return otherwise;
    }
  }
}
