package org.ascus.devices.host;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.util.Arrays;
import java.util.Optional;

/**
 * Functions of a Linux host's C library. All are called in one shape of six words, since linking another takes 10 ms:
 * arguments go in registers, so a function sees only as much of them as it asks for.
 */
public final class HostCalls {
  private static final ValueLayout.OfLong WORD = ValueLayout.JAVA_LONG;
  private static final FunctionDescriptor SHAPE = FunctionDescriptor.of(WORD, WORD, WORD, WORD, WORD, WORD, WORD);
  private static final int MOST_WORDS = 6;
  private static final int MOST_TEXT = 256;

  private HostCalls() {}

  private static final class Plain {
    static final Linker LINKER = Linker.nativeLinker();
    static final MethodHandle CALL = LINKER.downcallHandle(SHAPE);
  }

  private static final class Failing {
    static final StructLayout STATE = Linker.Option.captureStateLayout();
    static final VarHandle ERRNO = STATE.varHandle(MemoryLayout.PathElement.groupElement("errno"));
    static final MethodHandle CALL =
        Plain.LINKER.downcallHandle(SHAPE, Linker.Option.captureCallState("errno"));
    static final ThreadLocal<MemorySegment> STATES = ThreadLocal.withInitial(() -> Arena.ofAuto().allocate(STATE));
  }

  /** Whether the host is a Linux, on which the functions are those that callers expect. */
  public static boolean isLinux() {
    return System.getProperty("os.name", "").equals("Linux");
  }

  /**
   * A function by its name.
   *
   * @throws UnsupportedOperationException if the C library has none
   */
  public static MemorySegment find(String function) {
    return findOptional(function)
        .orElseThrow(() -> new UnsupportedOperationException("the host's C library has no " + function));
  }

  /** A function that this C library may not have yet. */
  public static Optional<MemorySegment> findOptional(String function) {
    return Plain.LINKER.defaultLookup().find(function);
  }

  /** Calls a function. What is above the result is rubbish if that has less than 64 bits. */
  public static long call(MemorySegment function, long a, long b, long c, long d, long e, long f) {
    try {
      return (long) Plain.CALL.invokeExact(function, a, b, c, d, e, f);
    } catch (Throwable t) {
      throw failed(t);
    }
  }

  /** As {@link #call(MemorySegment, long, long, long, long, long, long)}, with up to six words. */
  public static long call(MemorySegment function, long... words) {
    long[] w = Arrays.copyOf(words, MOST_WORDS);
    return call(function, w[0], w[1], w[2], w[3], w[4], w[5]);
  }

  /**
   * Calls a function that returns 64 bits, -1 and {@code errno} when it fails.
   *
   * @param words up to six
   * @return minus the error's number when it failed
   */
  public static long result(MemorySegment function, long... words) {
    long result = failing(function, words);
    return result == -1 ? -errno() : result;
  }

  /** As {@link #result}, of a function that returns 32 bits. */
  public static int status(MemorySegment function, long... words) {
    int result = (int) failing(function, words);
    return result == -1 ? -errno() : result;
  }

  private static long failing(MemorySegment function, long[] words) {
    long[] w = Arrays.copyOf(words, MOST_WORDS);
    try {
      return (long) Failing.CALL.invokeExact(function, Failing.STATES.get(), w[0], w[1], w[2], w[3], w[4], w[5]);
    } catch (Throwable t) {
      throw failed(t);
    }
  }

  private static int errno() {
    return (int) Failing.ERRNO.get(Failing.STATES.get(), 0L);
  }

  private static RuntimeException failed(Throwable t) {
    if (t instanceof Error error) {
      throw error;
    }
    // C functions throw nothing.
    return t instanceof RuntimeException e ? e : new IllegalStateException(t);
  }

  /**
   * What the host calls an error.
   *
   * @param errno its number, with or without a minus
   */
  public static String text(long errno) {
    return MemorySegment.ofAddress(call(find("strerror"), Math.abs(errno))).reinterpret(MOST_TEXT).getString(0);
  }
}
