package org.ascus.devices.fs;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import org.ascus.devices.host.Errno;
import org.ascus.devices.host.HostCalls;

/**
 * The calls of Linux that name a file relative to an open folder, which Java's own do not all have and which take names
 * as bytes. None of them follows a symbolic link in the last place. Used by one thread at a time.
 *
 * <p>Layouts: {@code struct statx} and {@code struct timespec} of the kernel, {@code struct statfs} as on all 64-bit
 * hosts.
 */
final class LinuxCalls implements AutoCloseable {
  static final int RDONLY = 0;
  static final int WRONLY = 1;
  static final int RDWR = 2;
  static final int ACCESS_MODE = 3;
  static final int CREAT = 0100;
  static final int EXCL = 0200;
  static final int NOCTTY = 0400;
  static final int TRUNC = 01000;
  static final int APPEND = 02000;
  static final int NONBLOCK = 04000;
  static final int DSYNC = 010000;
  static final int SYNC = 04010000;
  static final int CLOEXEC = 02000000;
  static final int PATH = 010000000;

  private static final boolean ARM = System.getProperty("os.arch").equals("aarch64");
  static final int DIRECTORY = ARM ? 040000 : 0200000;
  static final int NOFOLLOW = ARM ? 0100000 : 0400000;

  /** Leaves an owner or a time as it is. */
  static final int KEEP = -1;

  static final long TIME_NOW = (1L << 30) - 1;
  static final long TIME_OMIT = (1L << 30) - 2;

  /** Most bytes of one transfer. */
  static final int MOST_DATA = 1 << 20;

  static final int MOST_PATH = 4096;
  private static final int NO_FOLLOW = 0x100;
  private static final int REMOVE_FOLDER = 0x200;
  private static final int EMPTY_PATH = 0x1000;
  private static final int BASIC_STATS = 0x7ff;
  private static final int STATUS_BYTES = 256;
  private static final int OPENAT2 = 437;
  private static final int OPEN_HOW_BYTES = 24;
  private static final int RESOLVE_NO_SYMLINKS = 4;
  private static final int RESOLVE_BENEATH = 8;
  private static final byte[] EMPTY = {};

  private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED;
  private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED;

  private final Arena arena = Arena.ofShared();
  private final Map<String, MemorySegment> functions = new HashMap<>();
  private final MemorySegment first = arena.allocate(MOST_PATH + 1);
  private final MemorySegment second = arena.allocate(MOST_PATH + 1);
  private final MemorySegment fixed = arena.allocate(STATUS_BYTES, 8);
  private final MemorySegment data = arena.allocate(MOST_DATA);

  /**
   * @throws UnsupportedOperationException when the host has not all of the calls
   */
  LinuxCalls() {
    if (!HostCalls.isLinux()) {
      throw new UnsupportedOperationException("the host is not Linux");
    }
    for (String name : new String[] {
        "openat", "close", "statx", "mkdirat", "mknodat", "symlinkat", "linkat", "renameat", "unlinkat", "readlinkat",
        "fchownat", "chmod", "utimensat", "ftruncate", "pread", "pwrite", "fsync", "fdatasync", "lseek", "getdents64",
        "fstatfs", "syscall", "getxattr", "setxattr", "listxattr", "removexattr"}) {
      functions.put(name, HostCalls.find(name));
    }
  }

  private static long checked(long result) throws FileException {
    if (result < 0) {
      throw new FileException((int) -result);
    }
    return result;
  }

  private long word(String function, long a, long b, long c, long d, long e) throws FileException {
    return checked(HostCalls.result(functions.get(function), a, b, c, d, e));
  }

  /** For functions that return an int. */
  private int number(String function, long a, long b, long c, long d, long e) throws FileException {
    return (int) checked(HostCalls.status(functions.get(function), a, b, c, d, e));
  }

  private static long text(MemorySegment into, byte[] text) throws FileException {
    if (text.length > MOST_PATH) {
      throw new FileException(Errno.ENAMETOOLONG);
    }
    MemorySegment.copy(text, 0, into, ValueLayout.JAVA_BYTE, 0, text.length);
    into.set(ValueLayout.JAVA_BYTE, text.length, (byte) 0);
    return into.address();
  }

  private long procPath(int fd) throws FileException {
    return text(first, ("/proc/self/fd/" + fd).getBytes(StandardCharsets.US_ASCII));
  }

  int open(byte[] path, int flags) throws FileException {
    return number("openat", -100, text(first, path), flags | CLOEXEC, 0, 0);
  }

  /** Opens a name in a folder; a symbolic link is an error, or opened itself with {@link #PATH}. */
  int openAt(int folder, byte[] name, int flags, int mode) throws FileException {
    return number("openat", folder, text(first, name), flags | NOFOLLOW | CLOEXEC | NOCTTY | NONBLOCK, mode, 0);
  }

  /** Opens the file that {@code fd}, which may be for its path only, is open on. */
  int reopen(int fd, int flags) throws FileException {
    return number("openat", -100, procPath(fd), flags | CLOEXEC | NOCTTY | NONBLOCK, 0, 0);
  }

  /** Whether {@link #openBelow} works: Linux 5.6 has it, and a container may forbid it. */
  boolean opensBelow(int folder) {
    try {
      close(openBelow(folder, new byte[] {'.'}));
      return true;
    } catch (FileException e) {
      return false;
    }
  }

  /** Opens the folder of a path below another for its path, in one call; a symbolic link on the way is an error. */
  int openBelow(int folder, byte[] path) throws FileException {
    fixed.set(LONG, 0, PATH | DIRECTORY | CLOEXEC);
    fixed.set(LONG, 8, 0);
    fixed.set(LONG, 16, RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH);
    long how = fixed.address();
    long result =
        HostCalls.result(functions.get("syscall"), OPENAT2, folder, text(first, path), how, OPEN_HOW_BYTES);
    // What opening it name by name says of a link.
    return (int) checked(result == -Errno.ELOOP ? -Errno.ENOTDIR : result);
  }

  void close(int fd) {
    HostCalls.call(functions.get("close"), fd);
  }

  FileStatus status(int fd) throws FileException {
    return status(fd, EMPTY, EMPTY_PATH);
  }

  FileStatus statusAt(int folder, byte[] name) throws FileException {
    return status(folder, name, NO_FOLLOW);
  }

  private FileStatus status(int fd, byte[] name, int flags) throws FileException {
    number("statx", fd, text(first, name), flags, BASIC_STATS, fixed.address());
    return new FileStatus(
        device(136),
        fixed.get(LONG, 32),
        fixed.get(ValueLayout.JAVA_SHORT, 28) & 0xffff,
        fixed.get(INT, 16) & 0xffffffffL,
        fixed.get(INT, 20),
        fixed.get(INT, 24),
        device(128),
        fixed.get(LONG, 40),
        fixed.get(INT, 4) & 0xffffffffL,
        fixed.get(LONG, 48),
        time(64),
        time(112),
        time(96));
  }

  private long device(int at) {
    long major = fixed.get(INT, at) & 0xffffffffL;
    long minor = fixed.get(INT, at + 4) & 0xffffffffL;
    return minor & 0xff | major << 8 | (minor & ~0xffL) << 12;
  }

  private FileStatus.Time time(int at) {
    return new FileStatus.Time(fixed.get(LONG, at), fixed.get(INT, at + 8));
  }

  void makeFolder(int folder, byte[] name, int mode) throws FileException {
    number("mkdirat", folder, text(first, name), mode, 0, 0);
  }

  /**
   * @param rdev as in {@link FileStatus#rdev}, which is how the C library has it, too, up to 20 bits of minor
   */
  void makeNode(int folder, byte[] name, int mode, long rdev) throws FileException {
    number("mknodat", folder, text(first, name), mode, rdev, 0);
  }

  void makeSymlink(byte[] target, int folder, byte[] name) throws FileException {
    number("symlinkat", text(first, target), folder, text(second, name), 0, 0);
  }

  void link(int folder, byte[] name, int newFolder, byte[] newName) throws FileException {
    number("linkat", folder, text(first, name), newFolder, text(second, newName), 0);
  }

  void rename(int folder, byte[] name, int newFolder, byte[] newName) throws FileException {
    number("renameat", folder, text(first, name), newFolder, text(second, newName), 0);
  }

  void unlink(int folder, byte[] name) throws FileException {
    number("unlinkat", folder, text(first, name), 0, 0, 0);
  }

  void removeFolder(int folder, byte[] name) throws FileException {
    number("unlinkat", folder, text(first, name), REMOVE_FOLDER, 0, 0);
  }

  byte[] readLink(int folder, byte[] name) throws FileException {
    long count = word("readlinkat", folder, text(first, name), data.address(), MOST_PATH, 0);
    return data.asSlice(0, count).toArray(ValueLayout.JAVA_BYTE);
  }

  void changeOwner(int folder, byte[] name, int uid, int gid) throws FileException {
    number("fchownat", folder, text(first, name), uid, gid, NO_FOLLOW);
  }

  void changeMode(int fd, int mode) throws FileException {
    number("chmod", procPath(fd), mode, 0, 0, 0);
  }

  /**
   * Sets times.
   *
   * @param accessNanos within the second, or {@link #TIME_NOW} or {@link #TIME_OMIT}
   */
  void changeTimes(int folder, byte[] name, long access, long accessNanos, long modified, long modifiedNanos)
      throws FileException {
    fixed.set(LONG, 0, access);
    fixed.set(LONG, 8, accessNanos);
    fixed.set(LONG, 16, modified);
    fixed.set(LONG, 24, modifiedNanos);
    number("utimensat", folder, text(first, name), fixed.address(), NO_FOLLOW, 0);
  }

  void truncate(int fd, long size) throws FileException {
    number("ftruncate", fd, size, 0, 0, 0);
  }

  /** Reads up to {@code count} bytes at {@code offset}; returns how many, 0 at the end. */
  int read(int fd, long offset, byte[] target, int start, int count) throws FileException {
    int done = (int) word("pread", fd, data.address(), Math.min(count, MOST_DATA), offset, 0);
    MemorySegment.copy(data, ValueLayout.JAVA_BYTE, 0, target, start, done);
    return done;
  }

  /** Writes up to {@code count} bytes at {@code offset}; returns how many. */
  int write(int fd, long offset, byte[] source, int start, int count) throws FileException {
    int most = Math.min(count, MOST_DATA);
    MemorySegment.copy(source, start, data, ValueLayout.JAVA_BYTE, 0, most);
    return (int) word("pwrite", fd, data.address(), most, offset, 0);
  }

  void sync(int fd, boolean dataOnly) throws FileException {
    number(dataOnly ? "fdatasync" : "fsync", fd, 0, 0, 0, 0);
  }

  void seek(int fd, long offset) throws FileException {
    word("lseek", fd, offset, 0, 0, 0);
  }

  /** The next entries of a folder, as many as fit, in the format of getdents64(2); none at the end. */
  int entries(int fd, byte[] target) throws FileException {
    int done = (int) word("getdents64", fd, data.address(), Math.min(target.length, MOST_DATA), 0, 0);
    MemorySegment.copy(data, ValueLayout.JAVA_BYTE, 0, target, 0, done);
    return done;
  }

  /** Type, block size, blocks, free blocks, blocks for users, files, free files, id, longest name. */
  long[] fileSystem(int fd) throws FileException {
    number("fstatfs", fd, fixed.address(), 0, 0, 0);
    long[] values = new long[9];
    for (int i = 0; i < values.length; i++) {
      values[i] = fixed.get(LONG, 8L * i);
    }
    return values;
  }

  /** The value of an extended attribute of the file that {@code fd}, which may be for its path only, is open on. */
  byte[] attribute(int fd, byte[] name) throws FileException {
    long count = word("getxattr", procPath(fd), text(second, name), data.address(), MOST_DATA, 0);
    return data.asSlice(0, count).toArray(ValueLayout.JAVA_BYTE);
  }

  /** Names of all extended attributes, each with a zero behind it. */
  byte[] attributes(int fd) throws FileException {
    long count = word("listxattr", procPath(fd), data.address(), MOST_DATA, 0, 0);
    return data.asSlice(0, count).toArray(ValueLayout.JAVA_BYTE);
  }

  /**
   * @param flags 1 for an attribute that must be new, 2 for one that must be there
   */
  void setAttribute(int fd, byte[] name, byte[] value, int flags) throws FileException {
    if (value.length > MOST_DATA) {
      throw new FileException(Errno.E2BIG);
    }
    MemorySegment.copy(value, 0, data, ValueLayout.JAVA_BYTE, 0, value.length);
    number("setxattr", procPath(fd), text(second, name), data.address(), value.length, flags);
  }

  void removeAttribute(int fd, byte[] name) throws FileException {
    number("removexattr", procPath(fd), text(second, name), 0, 0, 0);
  }

  @Override
  public void close() {
    arena.close();
  }
}
