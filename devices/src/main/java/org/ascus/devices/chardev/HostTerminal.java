package org.ascus.devices.chardev;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.ascus.devices.host.HostCalls;

/**
 * The terminal on standard input of a Linux host, switched to hand over each key at once and unchanged, and back.
 *
 * <p>{@code struct termios} there (asm-generic/termbits.h, as libc presents it): four 32-bit flag words for input,
 * output, control and local modes, one byte of line discipline, 32 control characters, two 32-bit speeds.
 */
final class HostTerminal {
  private static final long STDIN = 0;
  private static final long NOW = 0;
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

  /** What {@code /proc} shows in place of a file's name for what is no terminal. */
  private static final List<String> OTHERS = List.of("pipe:", "socket:", "/dev/null");

  private final MemorySegment saved;
  private boolean raw;

  private HostTerminal(MemorySegment saved) {
    this.saved = saved;
  }

  private static boolean get(MemorySegment attributes) {
    return (int) HostCalls.call(HostCalls.find("tcgetattr"), STDIN, attributes.address()) == 0;
  }

  private static void set(MemorySegment attributes) {
    HostCalls.call(HostCalls.find("tcsetattr"), STDIN, NOW, attributes.address());
  }

  /** The terminal, or nothing when standard input is something else or the host is no Linux. */
  static Optional<HostTerminal> find() {
    if (!HostCalls.isLinux() || isSomethingElse()) {
      return Optional.empty();
    }
    MemorySegment attributes = Arena.global().allocate(SIZE, 8);
    return get(attributes) ? Optional.of(new HostTerminal(attributes)) : Optional.empty();
  }

  /** True if standard input is surely no terminal, which can be seen without a call that has to be linked. */
  private static boolean isSomethingElse() {
    try {
      String name = Files.readSymbolicLink(Path.of("/proc/self/fd/0")).toString();
      return OTHERS.stream().anyMatch(name::startsWith) || Files.isRegularFile(Path.of(name));
    } catch (IOException e) {
      return false;
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
}
