package org.ascus.devices.block.crypto;

import java.util.Locale;
import java.util.Optional;

/** How a block cipher is applied to a sector. */
public enum CipherMode {
  ECB,
  CBC,
  XTS,
  CTR;

  public String text() {
    return name().toLowerCase(Locale.ROOT);
  }

  static Optional<CipherMode> of(String text) {
    for (CipherMode mode : values()) {
      if (mode.text().equals(text)) {
        return Optional.of(mode);
      }
    }
    return Optional.empty();
  }
}
