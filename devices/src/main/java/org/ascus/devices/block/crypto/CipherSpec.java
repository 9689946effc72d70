package org.ascus.devices.block.crypto;

import java.util.Optional;
import org.ascus.devices.block.BlockException;

/**
 * How sectors are encrypted.
 *
 * @param ivHash of {@link IvAlgorithm#ESSIV}; others may name one that means nothing
 */
public record CipherSpec(
    CipherAlgorithm cipher, CipherMode mode, IvAlgorithm iv, Optional<HashAlgorithm> ivHash) {
  /** What QEMU takes if nothing is said: aes-256, xts, plain64. */
  public static final CipherSpec DEFAULT =
      new CipherSpec(CipherAlgorithm.AES_256, CipherMode.XTS, IvAlgorithm.PLAIN64, Optional.empty());

  /** Legacy qcow2 encryption. */
  static final CipherSpec QCOW =
      new CipherSpec(CipherAlgorithm.AES_128, CipherMode.CBC, IvAlgorithm.PLAIN64, Optional.empty());

  /** Bytes of the key: XTS has two of them. */
  public int keyBytes() {
    return mode == CipherMode.XTS ? 2 * cipher.keyBytes() : cipher.keyBytes();
  }

  /** Fails for what does not go together. */
  void check() throws BlockException {
    if (mode == CipherMode.XTS && cipher.blockBytes() != 16) {
      throw new BlockException("Unsupported cipher mode xts");
    }
    if (iv == IvAlgorithm.ESSIV) {
      HashAlgorithm hash = ivHash.orElseThrow(
          () -> new BlockException("Missing IV generator hash specification"));
      if (CipherAlgorithm.of(cipher.family(), hash.bytes()).isEmpty()) {
        throw new BlockException(cipher == CipherAlgorithm.CAST5_128
            ? "Cipher " + cipher.text() + " not supported with essiv"
            : "No " + cipher.title() + " cipher with key size " + hash.bytes() + " available");
      }
    }
  }

  /** The cipher that makes the vectors of {@link IvAlgorithm#ESSIV}. */
  CipherAlgorithm essivCipher() {
    return CipherAlgorithm.of(cipher.family(), ivHash.orElseThrow().bytes()).orElseThrow();
  }

  /** The mode as LUKS headers have it, such as {@code cbc-essiv:sha256}. */
  String modeText() {
    return mode.text() + "-" + iv.text() + ivHash.map(h -> ":" + h.text()).orElse("");
  }

  /** What a LUKS header names. */
  static CipherSpec parse(String family, String modeText, int keyBytes) throws BlockException {
    String[] words = modeText.split("-", 2);
    CipherMode mode = CipherMode.of(words[0])
        .orElseThrow(() -> new BlockException("Cipher mode '" + words[0] + "' not supported"));
    if (words.length < 2) {
      throw new BlockException("Unexpected cipher mode string format '" + modeText + "'");
    }
    String[] iv = words[1].split(":", 2);
    IvAlgorithm algorithm = IvAlgorithm.of(iv[0])
        .orElseThrow(() -> new BlockException("IV generator '" + iv[0] + "' not supported"));
    Optional<HashAlgorithm> hash = Optional.empty();
    if (iv.length == 2) {
      hash = Optional.of(HashAlgorithm.of(iv[1])
          .orElseThrow(() -> new BlockException("Hash algorithm '" + iv[1] + "' not supported")));
    }
    int bytes = mode == CipherMode.XTS && keyBytes % 2 == 0 ? keyBytes / 2 : keyBytes;
    CipherAlgorithm cipher = CipherAlgorithm.of(family, bytes).orElseThrow(
        () -> new BlockException("Algorithm '" + family + "' with key size " + bytes + " bytes not supported"));
    CipherSpec spec = new CipherSpec(cipher, mode, algorithm, hash);
    spec.check();
    return spec;
  }
}
