package org.ascus.polyglot;

import java.nio.file.Path;
import java.util.Optional;

/** What the host lends to a machine under a name, {@code -object}. */
public sealed interface HostObject {
  /** What the user wrote; starts error messages. */
  String option();

  /** The name that devices and the machine find it by. */
  String id();

  /**
   * A source of random bytes.
   *
   * @param file where they come from; empty for the host's generator
   */
  record Rng(String option, String id, Optional<Path> file) implements HostObject {}

  /**
   * RAM.
   *
   * @param size bytes
   */
  record Ram(String option, String id, long size) implements HostObject {}
}
