package org.ascus.machine.bus.host;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/**
 * Zero-filled, page-aligned host memory that costs nothing until it is touched: an anonymous private mapping.
 *
 * <p>{@code Arena.allocate} would write zeroes to every page, so that a 4 GiB guest took 4 GiB before its first
 * instruction.
 */
public final class PageAllocator {
  private static final int PROT_READ_WRITE = 3;
  private static final int MAP_PRIVATE_ANONYMOUS_NORESERVE = 0x4022;
  private static final int MADV_DONTNEED = 4;
  private static final int MADV_HUGEPAGE = 14;
  private static final long HUGE_PAGE = 2L << 20;

  private PageAllocator() {}

  /**
   * Reserves memory for the life of the process.
   *
   * @param size bytes, a multiple of 4096
   * @return the host address, 2 MiB aligned when {@code size} is at least 2 MiB
   * @throws OutOfMemoryError when the host refuses
   */
  public static long allocate(long size) {
    try {
      Linker linker = Linker.nativeLinker();
      MethodHandle mmap =
          linker.downcallHandle(
              linker.defaultLookup().findOrThrow("mmap"),
              FunctionDescriptor.of(
                  ValueLayout.JAVA_LONG,
                  ValueLayout.JAVA_LONG,
                  ValueLayout.JAVA_LONG,
                  ValueLayout.JAVA_INT,
                  ValueLayout.JAVA_INT,
                  ValueLayout.JAVA_INT,
                  ValueLayout.JAVA_LONG));
      boolean huge = size >= HUGE_PAGE;
      long reserve = huge ? size + HUGE_PAGE : size;
      long address =
          (long) mmap.invokeExact(0L, reserve, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS_NORESERVE, -1, 0L);
      if (address == -1L) {
        throw new OutOfMemoryError("the host cannot map " + size + " bytes of guest memory");
      }
      if (huge) {
        address = (address + HUGE_PAGE - 1) & -HUGE_PAGE;
        advise(address, size, MADV_HUGEPAGE);
      }
      return address;
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException("mapping guest memory", e);
    }
  }

  /** Gives the pages of a range back to the host; the range itself stays reserved and reads as zeroes. */
  public static void discard(long address, long size) {
    try {
      advise(address, size, MADV_DONTNEED);
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException("discarding guest memory", e);
    }
  }

  /** Advice only: a kernel without huge pages refuses, and nothing is lost. */
  private static void advise(long address, long size, int advice) throws Throwable {
    Linker linker = Linker.nativeLinker();
    MethodHandle madvise =
        linker.downcallHandle(
            linker.defaultLookup().findOrThrow("madvise"),
            FunctionDescriptor.of(
                ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG, ValueLayout.JAVA_INT));
    int ignored = (int) madvise.invokeExact(address, size, advice);
  }

  /** Returns memory to the host that {@link #allocate} gave; for tests that make many machines. */
  public static void release(long address, long size) {
    try {
      Linker linker = Linker.nativeLinker();
      MethodHandle munmap =
          linker.downcallHandle(
              linker.defaultLookup().findOrThrow("munmap"),
              FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG));
      int ignored = (int) munmap.invokeExact(address, size);
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException("unmapping guest memory", e);
    }
  }
}
