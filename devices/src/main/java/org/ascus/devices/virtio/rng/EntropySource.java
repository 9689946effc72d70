package org.ascus.devices.virtio.rng;

/** Where random bytes come from. Called by one thread at a time. */
@FunctionalInterface
public interface EntropySource {
  /** Fills all of {@code target}. */
  void fill(byte[] target);
}
