package org.ascus.polyglot;

import org.ascus.devices.net.user.UserNetOptions;

/** The host's end of a network, {@code -netdev}. */
public sealed interface NetdevOptions {
  /** What the user wrote; starts error messages. */
  String option();

  /** The name that network cards find it by. */
  String id();

  /** A network of its own that needs no privileges. */
  record User(String option, String id, UserNetOptions network) implements NetdevOptions {}
}
