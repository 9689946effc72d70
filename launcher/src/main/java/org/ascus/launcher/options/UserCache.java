package org.ascus.launcher.options;

import java.nio.file.Path;
import java.util.Optional;

/** Files of the user's that can be made again, where the XDG Base Directory Specification has them. */
final class UserCache {
  private UserCache() {}

  /** {@code name} in {@code $XDG_CACHE_HOME/ascus}, by default {@code ~/.cache/ascus}. */
  static Path file(String name) {
    Path base =
        Optional.ofNullable(System.getenv("XDG_CACHE_HOME"))
            .map(Path::of)
            // The specification has relative ones ignored.
            .filter(Path::isAbsolute)
            .orElseGet(() -> Path.of(System.getProperty("user.home"), ".cache"));
    return base.resolve("ascus").resolve(name);
  }
}
