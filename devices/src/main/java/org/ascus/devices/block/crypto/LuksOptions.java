package org.ascus.devices.block.crypto;

import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.ascus.devices.block.BlockException;

/**
 * What a new LUKS volume is like.
 *
 * @param iterationMillis time that the derivation of a key from the passphrase takes on this host
 */
public record LuksOptions(CipherSpec spec, HashAlgorithm hash, long iterationMillis) {
  /** QEMU's defaults. */
  public static final LuksOptions DEFAULT = new LuksOptions(CipherSpec.DEFAULT, HashAlgorithm.SHA256, 2000);

  /** Ciphers that QEMU knows, but not as one of LUKS. */
  private static final Set<String> NOT_IN_LUKS = Set.of("des", "3des");

  /**
   * QEMU's creation options cipher-alg, cipher-mode, ivgen-alg, ivgen-hash-alg, hash-alg and iter-time; others are not
   * looked at.
   *
   * @throws BlockException naming an option's value that does not exist, or what does not go together
   */
  public static LuksOptions parse(Map<String, String> options) throws BlockException {
    String named = options.getOrDefault("cipher-alg", "");
    if (NOT_IN_LUKS.contains(named)) {
      throw new BlockException("Algorithm '" + named + "' not supported");
    }
    CipherAlgorithm cipher = one(options, "cipher-alg", "aes-256", CipherAlgorithm::of);
    CipherMode mode = one(options, "cipher-mode", "xts", CipherMode::of);
    IvAlgorithm iv = one(options, "ivgen-alg", "plain64", IvAlgorithm::of);
    Optional<HashAlgorithm> ivHash = Optional.empty();
    if (iv == IvAlgorithm.ESSIV || options.containsKey("ivgen-hash-alg")) {
      ivHash = Optional.of(one(options, "ivgen-hash-alg", "sha256", HashAlgorithm::of));
    }
    HashAlgorithm hash = one(options, "hash-alg", "sha256", HashAlgorithm::of);
    String time = options.getOrDefault("iter-time", "2000");
    if (!time.matches("[0-9]{1,9}")) {
      throw new BlockException("Parameter 'iter-time' expects a number");
    }
    CipherSpec spec = new CipherSpec(cipher, mode, iv, ivHash);
    spec.check();
    return new LuksOptions(spec, hash, Long.parseLong(time));
  }

  private interface Lookup<T> {
    Optional<T> of(String text);
  }

  private static <T> T one(Map<String, String> options, String name, String otherwise, Lookup<T> lookup)
      throws BlockException {
    String text = options.getOrDefault(name, otherwise);
    return lookup.of(text)
        .orElseThrow(() -> new BlockException("Parameter '" + name + "' does not accept value '" + text + "'"));
  }
}
