package org.ascus.devices.block.crypto;

import java.util.Optional;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.security.Secret;

/**
 * What opens an encrypted image.
 *
 * @param secret the passphrase
 * @param needed whether the guest's bytes will be asked for; an image that is only looked at needs none
 */
public record ImageKey(Optional<Secret> secret, boolean needed) {
  /** No passphrase was given. */
  public static final ImageKey MISSING = new ImageKey(Optional.empty(), true);

  /** The guest's bytes are not asked for. */
  public static final ImageKey NOT_NEEDED = new ImageKey(Optional.empty(), false);

  public static ImageKey of(Secret secret) {
    return new ImageKey(Optional.of(secret), true);
  }

  /**
   * The passphrase; empty if it is not needed.
   *
   * @param image its name, for the error
   * @param option the one that gives it, for the error
   */
  public Optional<byte[]> passphrase(String image, String option) throws BlockException {
    if (!needed) {
      return Optional.empty();
    }
    return Optional.of(secret.orElseThrow(
        () -> new BlockException(
            "Could not open '" + image + "': Parameter '" + option + "' is required for cipher")).toBytes());
  }
}
