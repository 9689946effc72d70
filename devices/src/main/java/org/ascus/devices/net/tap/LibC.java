package org.ascus.devices.net.tap;

import java.io.IOException;
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

/** Functions of the host's C library that fail with -1 and {@code errno}. One thread at a time uses an object. */
final class LibC {
  private static final StructLayout STATE = Linker.Option.captureStateLayout();
  private static final VarHandle ERRNO = STATE.varHandle(MemoryLayout.PathElement.groupElement("errno"));

  private final Linker linker = Linker.nativeLinker();
  private final MemorySegment state;

  LibC(Arena arena) {
    state = arena.allocate(STATE);
  }

  /** A function that returns a long and sets {@code errno}; its arguments are laid out so. */
  MethodHandle function(String name, MemoryLayout... arguments) {
    return function(name, arguments.length, arguments);
  }

  /**
   * As {@link #function}, for one that is variadic.
   *
   * @param fixed how many arguments are always there
   */
  MethodHandle variadic(String name, int fixed, MemoryLayout... arguments) {
    return function(name, fixed, arguments);
  }

  private MethodHandle function(String name, int fixed, MemoryLayout... arguments) {
    FunctionDescriptor descriptor = FunctionDescriptor.of(ValueLayout.JAVA_INT, arguments);
    Linker.Option capture = Linker.Option.captureCallState("errno");
    Linker.Option[] options =
        fixed == arguments.length
            ? new Linker.Option[] {capture}
            : new Linker.Option[] {capture, Linker.Option.firstVariadicArg(fixed)};
    return linker.downcallHandle(linker.defaultLookup().findOrThrow(name), descriptor, options).bindTo(state);
  }

  /** A function that transfers bytes and returns how many. */
  MethodHandle transfer(String name) {
    FunctionDescriptor descriptor =
        FunctionDescriptor.of(
            ValueLayout.JAVA_LONG, ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_LONG);
    return linker
        .downcallHandle(
            linker.defaultLookup().findOrThrow(name), descriptor, Linker.Option.captureCallState("errno"))
        .bindTo(state);
  }

  /** A function that this C library may not have yet. */
  Optional<MethodHandle> optional(String name, MemoryLayout... arguments) {
    return linker.defaultLookup().find(name).map(f -> function(name, arguments));
  }

  /** What the last call that failed left in {@code errno}. */
  int errno() {
    return (int) ERRNO.get(state, 0L);
  }

  /** The failure that the last call left. */
  IOException failure(String what) {
    return new IOException(what + ": " + text(errno()));
  }

  /** What the host calls an error. */
  String text(int number) {
    try {
      MethodHandle strerror =
          linker.downcallHandle(
              linker.defaultLookup().findOrThrow("strerror"),
              FunctionDescriptor.of(ValueLayout.ADDRESS, ValueLayout.JAVA_INT));
      return ((MemorySegment) strerror.invokeExact(number)).reinterpret(256).getString(0);
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }

  /** A null-terminated array of strings. */
  static MemorySegment strings(Arena arena, String... strings) {
    MemorySegment array = arena.allocate(ValueLayout.ADDRESS, strings.length + 1L);
    MemorySegment[] each = Arrays.stream(strings).map(arena::allocateFrom).toArray(MemorySegment[]::new);
    for (int i = 0; i < each.length; i++) {
      array.setAtIndex(ValueLayout.ADDRESS, i, each[i]);
    }
    return array;
  }
}
