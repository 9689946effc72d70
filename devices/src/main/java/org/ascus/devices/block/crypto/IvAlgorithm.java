package org.ascus.devices.block.crypto;

import java.util.Locale;
import java.util.Optional;

/** How a sector's initialization vector comes from its number. */
public enum IvAlgorithm {
  /** The lower 32 bits of the number, little-endian. */
  PLAIN,
  /** The number, little-endian. */
  PLAIN64,
  /** The number, encrypted with a hash of the key. */
  ESSIV;

  public String text() {
    return name().toLowerCase(Locale.ROOT);
  }

  static Optional<IvAlgorithm> of(String text) {
    for (IvAlgorithm algorithm : values()) {
      if (algorithm.text().equals(text)) {
        return Optional.of(algorithm);
      }
    }
    return Optional.empty();
  }
}
