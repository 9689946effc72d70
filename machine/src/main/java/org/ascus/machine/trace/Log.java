package org.ascus.machine.trace;

import java.io.PrintStream;
import java.util.Locale;
import java.util.Set;
import java.util.function.Supplier;

/** The {@code -d} log: items by category, to {@code -D} or stderr. A category that is off costs one field read. */
public final class Log {
  /** What can be logged, by QEMU's names. */
  public enum Category {
    IN_ASM("show guest assembly code of each translated block"),
    INT("show interrupts and exceptions in short format"),
    EXEC("show trace before each executed block"),
    CPU("show CPU registers before each executed block"),
    FPU("include FPU registers in the 'cpu' logging"),
    MMU("log MMU-related activities"),
    GUEST_ERRORS("log when the guest OS does something invalid"),
    UNIMP("log unimplemented functionality"),
    TIME("look where the emulator's time goes, and show it at the end and in 'info jit'");

    private final String help;

    Category(String help) {
      this.help = help;
    }

    public String help() {
      return help;
    }

    /** The name on the command line. */
    public String key() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  private final PrintStream out;
  private volatile int enabled;

  public Log(PrintStream out, Set<Category> enabled) {
    this.out = out;
    this.enabled = bits(enabled);
  }

  /** A log that drops everything. */
  public static Log off() {
    return new Log(System.err, Set.of());
  }

  private static int bits(Set<Category> set) {
    return set.stream().mapToInt(c -> 1 << c.ordinal()).reduce(0, (a, b) -> a | b);
  }

  public boolean isOn(Category category) {
    return (enabled & 1 << category.ordinal()) != 0;
  }

  public void enable(Set<Category> categories) {
    enabled = bits(categories);
  }

  /** Writes one line if {@code category} is on; the message is made only then. */
  public void log(Category category, Supplier<String> message) {
    if (isOn(category)) {
      out.println(message.get());
    }
  }
}
