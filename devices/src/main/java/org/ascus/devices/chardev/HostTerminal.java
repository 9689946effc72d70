package org.ascus.devices.chardev;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Optional;

/**
 * The terminal on standard input of a Linux host, switched to hand over each key at once and unchanged, and back.
 *
 * <p>{@code struct termios} there (asm-generic/termbits.h, as libc presents it): four 32-bit flag words for input,
 * output, control and local modes, one byte of line discipline, 32 control characters, two 32-bit speeds.
 */
final class HostTerminal {
  private static final int STDIN = 0;
  private static final int NOW = 0;
  private static final long SIZE = 60;
  private static final long IFLAG = 0;
  private static final long OFLAG = 4;
  private static final long CFLAG = 8;
  private static final long LFLAG = 12;
  private static final long CC = 17;
  private static final int VTIME = 5;
  private static final int VMIN = 6;

  /** IGNBRK BRKINT PARMRK ISTRIP INLCR IGNCR ICRNL IXON. */
  private static final int INPUT_TRANSLATION = 0x5eb;

  private static final int OPOST = 1;

  /** CSIZE PARENB. */
  private static final int CHARACTER_SIZE = 0x130;

  private static final int CS8 = 0x30;
  private static final int ISIG = 1;

  /** ICANON ECHO ECHONL IEXTEN. */
  private static final int LINE_EDITING = 0x804a;

  private final MethodHandle tcsetattr;
  private final MemorySegment saved;
  private boolean raw;

  private HostTerminal(MethodHandle tcsetattr, MemorySegment saved) {
    this.tcsetattr = tcsetattr;
    this.saved = saved;
  }

  /** The terminal, or nothing when standard input is something else or the host is no Linux. */
  static Optional<HostTerminal> find() {
    if (!System.getProperty("os.name", "").equals("Linux")) {
      return Optional.empty();
    }
    Linker linker = Linker.nativeLinker();
    MethodHandle tcgetattr =
        linker.downcallHandle(
            linker.defaultLookup().findOrThrow("tcgetattr"),
            FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.ADDRESS));
    MethodHandle tcsetattr =
        linker.downcallHandle(
            linker.defaultLookup().findOrThrow("tcsetattr"),
            FunctionDescriptor.of(
                ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.ADDRESS));
    MemorySegment attributes = Arena.ofAuto().allocate(MemoryLayout.sequenceLayout(SIZE, ValueLayout.JAVA_BYTE));
    try {
      int failed = (int) tcgetattr.invokeExact(STDIN, attributes);
      return failed != 0 ? Optional.empty() : Optional.of(new HostTerminal(tcsetattr, attributes));
    } catch (Throwable e) {
      throw new IllegalStateException("asking for the terminal's settings", e);
    }
  }

  /**
   * Hands keys over at once and unchanged, without echo.
   *
   * @param signals the interrupt, quit and suspend keys still do what they do to a program
   */
  synchronized void makeRaw(boolean signals) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment attributes = arena.allocate(SIZE, 4).copyFrom(saved);
      change(attributes, IFLAG, INPUT_TRANSLATION, 0);
      change(attributes, OFLAG, 0, OPOST);
      change(attributes, CFLAG, CHARACTER_SIZE, CS8);
      change(attributes, LFLAG, LINE_EDITING | (signals ? 0 : ISIG), 0);
      attributes.set(ValueLayout.JAVA_BYTE, CC + VMIN, (byte) 1);
      attributes.set(ValueLayout.JAVA_BYTE, CC + VTIME, (byte) 0);
      raw = true;
      set(attributes);
    }
  }

  private static void change(MemorySegment attributes, long at, int clear, int set) {
    int old = attributes.get(ValueLayout.JAVA_INT_UNALIGNED, at);
    attributes.set(ValueLayout.JAVA_INT_UNALIGNED, at, old & ~clear | set);
  }

  /** Gives the terminal its old settings back; harmless when it has them. */
  synchronized void restore() {
    if (raw) {
      raw = false;
      set(saved);
    }
  }

  private void set(MemorySegment attributes) {
    try {
      int ignored = (int) tcsetattr.invokeExact(STDIN, NOW, attributes);
    } catch (Throwable e) {
      throw new IllegalStateException("changing the terminal's settings", e);
    }
  }
}
