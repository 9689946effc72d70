package org.ascus.devices.block.crypto;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Optional;
import org.bouncycastle.jcajce.provider.digest.RIPEMD160;

/** A hash function, by QEMU's name. */
public enum HashAlgorithm {
  MD5("md5", "MD5", 16, 64),
  SHA1("sha1", "SHA-1", 20, 64),
  SHA224("sha224", "SHA-224", 28, 64),
  SHA256("sha256", "SHA-256", 32, 64),
  SHA384("sha384", "SHA-384", 48, 128),
  SHA512("sha512", "SHA-512", 64, 128),
  RIPEMD_160("ripemd160", "RIPEMD160", 20, 64);

  private final String text;
  private final String jdk;
  private final int bytes;
  private final int blockBytes;

  HashAlgorithm(String text, String jdk, int bytes, int blockBytes) {
    this.text = text;
    this.jdk = jdk;
    this.bytes = bytes;
    this.blockBytes = blockBytes;
  }

  /** QEMU's name, which is also the one in LUKS headers. */
  public String text() {
    return text;
  }

  /** Bytes of a digest. */
  public int bytes() {
    return bytes;
  }

  int blockBytes() {
    return blockBytes;
  }

  static Optional<HashAlgorithm> of(String text) {
    for (HashAlgorithm algorithm : values()) {
      if (algorithm.text.equals(text)) {
        return Optional.of(algorithm);
      }
    }
    return Optional.empty();
  }

  /** A digest that can be cloned. */
  MessageDigest digest() {
    if (this == RIPEMD_160) {
      return new RIPEMD160.Digest();
    }
    try {
      return MessageDigest.getInstance(jdk);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }
}
