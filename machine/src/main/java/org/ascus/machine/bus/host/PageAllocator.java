package org.ascus.machine.bus.host;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/**
 * Zero-filled, page-aligned host memory that costs nothing until it is touched: an anonymous private mapping.
 *
 * <p>{@code Arena.allocate} would write zeroes to every page, so that a 4 GiB guest took 4 GiB before its first
 * instruction.
 */
public final class PageAllocator {
  private static final long PROT_READ_WRITE = 3;
  private static final long PROT_READ_WRITE_EXECUTE = 7;
  private static final long MAP_PRIVATE_ANONYMOUS_NORESERVE = 0x4022;
  private static final long MADV_DONTNEED = 4;
  private static final long MADV_HUGEPAGE = 14;
  private static final long HUGE_PAGE = 2L << 20;

  private PageAllocator() {}

  /**
   * The calls to the host, linked when the first is made, which takes 20 ms and more. All have one shape, because each
   * shape costs that again: arguments go in registers, so callees see only as much of them as they ask for.
   */
  private static final class Host {
    private static final Linker LINKER = Linker.nativeLinker();
    private static final MethodHandle CALL =
        LINKER.downcallHandle(
            FunctionDescriptor.of(
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_LONG));
    private static final MemorySegment MMAP = find("mmap");
    private static final MemorySegment MADVISE = find("madvise");
    private static final MemorySegment MUNMAP = find("munmap");

    private static MemorySegment find(String function) {
      return LINKER.defaultLookup().findOrThrow(function);
    }

    static long map(long size, long protection) {
      try {
        return (long) CALL.invokeExact(MMAP, 0L, size, protection, MAP_PRIVATE_ANONYMOUS_NORESERVE, -1L, 0L);
      } catch (Throwable e) {
        throw failed("mmap", e);
      }
    }

    static void advise(long address, long size, long advice) {
      try {
        long ignored = (long) CALL.invokeExact(MADVISE, address, size, advice, 0L, 0L, 0L);
      } catch (Throwable e) {
        throw failed("madvise", e);
      }
    }

    static void unmap(long address, long size) {
      try {
        long ignored = (long) CALL.invokeExact(MUNMAP, address, size, 0L, 0L, 0L, 0L);
      } catch (Throwable e) {
        throw failed("munmap", e);
      }
    }

    /** C functions throw nothing: what comes here is the JVM's own. */
    private static RuntimeException failed(String function, Throwable e) {
      if (e instanceof Error error) {
        throw error;
      }
      return new IllegalStateException("calling " + function, e);
    }
  }

  /** Gets ready what the first {@link #allocate} needs, so that another thread may do it ahead of time. */
  public static void prepare() {
    Host.advise(0, 0, MADV_HUGEPAGE);
  }

  /**
   * Reserves memory for the life of the process.
   *
   * @param size bytes, a multiple of 4096
   * @return the host address, 2 MiB aligned when {@code size} is at least 2 MiB
   * @throws OutOfMemoryError when the host refuses
   */
  public static long allocate(long size) {
    boolean huge = size >= HUGE_PAGE;
    long address = Host.map(huge ? size + HUGE_PAGE : size, PROT_READ_WRITE);
    if (address == -1L) {
      throw new OutOfMemoryError("the host cannot map " + size + " bytes of guest memory");
    }
    if (huge) {
      address = (address + HUGE_PAGE - 1) & -HUGE_PAGE;
      // Advice only: a kernel without huge pages refuses, and nothing is lost.
      Host.advise(address, size, MADV_HUGEPAGE);
    }
    return address;
  }

  /** As {@link #allocate}, for machine code; -1 if the host refuses. */
  static long mapExecutable(long size) {
    return Host.map(size, PROT_READ_WRITE_EXECUTE);
  }

  /** Gives the pages of a range back to the host; the range itself stays reserved and reads as zeroes. */
  public static void discard(long address, long size) {
    Host.advise(address, size, MADV_DONTNEED);
  }

  /** Returns memory to the host that {@link #allocate} gave; for tests that make many machines. */
  public static void release(long address, long size) {
    Host.unmap(address, size);
  }
}
