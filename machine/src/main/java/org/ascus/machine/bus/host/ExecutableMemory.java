package org.ascus.machine.bus.host;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.ref.Cleaner;
import java.util.Optional;

/** Host memory for machine code, and calls into it. It goes back to the host when nobody refers to this any more. */
public final class ExecutableMemory {
  private static final Cleaner CLEANER = Cleaner.create();

  /** Linked when the first call is made, which takes some 20 ms. */
  private static final class Host {
    /** Calls without the JVM taking notice: safepoints wait for their end, and arrays stay where they are. */
    private static final MethodHandle CALL =
        Linker.nativeLinker()
            .downcallHandle(
                FunctionDescriptor.of(
                    ValueLayout.JAVA_LONG,
                    ValueLayout.JAVA_LONG,
                    ValueLayout.ADDRESS,
                    ValueLayout.ADDRESS,
                    ValueLayout.JAVA_LONG,
                    ValueLayout.JAVA_LONG,
                    ValueLayout.JAVA_LONG),
                Linker.Option.critical(true));
  }

  private final long address;
  private final long size;
  private final MemorySegment start;

  private ExecutableMemory(long address, long size) {
    this.address = address;
    this.size = size;
    this.start = MemorySegment.ofAddress(address);
    CLEANER.register(this, () -> PageAllocator.release(address, size));
  }

  /**
   * Reserves memory; it costs nothing until it is touched. Empty if the host gives none that can be executed.
   *
   * @param size bytes, a multiple of 4096
   */
  public static Optional<ExecutableMemory> allocate(long size) {
    long address = PageAllocator.mapExecutable(size);
    return address == -1 ? Optional.empty() : Optional.of(new ExecutableMemory(address, size));
  }

  /** Host address of the first byte. */
  public long address() {
    return address;
  }

  /** In bytes. */
  public long size() {
    return size;
  }

  /**
   * Calls the function at the start of this memory, by the C calling convention. It must return soon.
   *
   * @param a the first parameter; {@code first} and {@code second}, of which it gets the addresses, are the next two
   */
  public long call(long a, MemorySegment first, MemorySegment second, long b, long c, long d) {
    try {
      return (long) Host.CALL.invokeExact(start, a, first, second, b, c, d);
    } catch (Throwable e) {
      throw new IllegalStateException("calling machine code", e);
    }
  }
}
