package org.ascus.launcher.options;

import java.nio.file.Path;
import java.util.Optional;

/**
 * A named byte channel.
 *
 * @param option as the user wrote it, for errors
 * @param mux several devices and the monitor may share it; Ctrl-a c switches
 * @param log file that gets a copy of the output, if any
 * @param appendLog after what the file has, rather than instead of it
 */
public record ChardevOptions(
    String option, String id, CharOptions kind, boolean mux, Optional<Path> log, boolean appendLog) {
  /** A channel without a copy. */
  public ChardevOptions(String option, String id, CharOptions kind, boolean mux) {
    this(option, id, kind, mux, Optional.empty(), false);
  }
}
