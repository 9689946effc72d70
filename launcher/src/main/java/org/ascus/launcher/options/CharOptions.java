package org.ascus.launcher.options;

import java.nio.file.Path;

/** The host's end of a byte channel: an argument of {@code -serial}, {@code -monitor} or {@code -chardev}. */
public sealed interface CharOptions {
  /** Nothing, not even a port where the board can do without. */
  record None() implements CharOptions {}

  /** Output is dropped; there is no input. */
  record Null() implements CharOptions {}

  /**
   * The process's standard input and output.
   *
   * @param signals on a terminal, Ctrl-c and the like act on the process; otherwise the guest gets them
   */
  record Stdio(boolean signals) implements CharOptions {}

  /**
   * Output goes to a file.
   *
   * @param append after what is there, rather than instead of it
   */
  record File(Path path, boolean append) implements CharOptions {}

  /**
   * The last output is kept in memory.
   *
   * @param size bytes, a power of two
   */
  record Ring(int size) implements CharOptions {}

  /** The {@code -chardev} with an id. */
  record Reference(String id) implements CharOptions {}

  /** Whether this is the {@code -chardev} {@code name}. */
  default boolean refersTo(String name) {
    // The equality that a record gets takes the JVM 15 ms when it is first asked for, which is at each start.
    return this instanceof Reference(String id) && id.equals(name);
  }
}
