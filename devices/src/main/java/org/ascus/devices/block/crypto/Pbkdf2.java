package org.ascus.devices.block.crypto;

import java.nio.ByteBuffer;
import java.security.DigestException;
import java.security.MessageDigest;
import java.util.Arrays;

/** PBKDF2 with HMAC (RFC 8018, 5.2); the JDK's own takes text instead of bytes and lacks two of the hashes. */
final class Pbkdf2 {
  private final MessageDigest inner;
  private final MessageDigest outer;
  private final int bytes;

  private Pbkdf2(HashAlgorithm hash, byte[] password) {
    byte[] key = password.length > hash.blockBytes() ? hash.digest().digest(password) : password;
    byte[] pad = Arrays.copyOf(key, hash.blockBytes());
    for (int i = 0; i < pad.length; i++) {
      pad[i] ^= 0x36;
    }
    inner = hash.digest();
    inner.update(pad);
    for (int i = 0; i < pad.length; i++) {
      pad[i] ^= 0x36 ^ 0x5c;
    }
    outer = hash.digest();
    outer.update(pad);
    bytes = hash.bytes();
  }

  /** Replaces {@code data}'s first bytes by the HMAC of its first {@code length}; both pads are hashed already. */
  private void hmac(byte[] data, int length) {
    try {
      MessageDigest in = (MessageDigest) inner.clone();
      in.update(data, 0, length);
      in.digest(data, 0, bytes);
      MessageDigest out = (MessageDigest) outer.clone();
      out.update(data, 0, bytes);
      out.digest(data, 0, bytes);
    } catch (CloneNotSupportedException | DigestException e) {
      throw new IllegalStateException(e);
    }
  }

  /**
   * Derives a key.
   *
   * @param iterations an unsigned 32-bit number, at least 1
   * @param length bytes of the key
   */
  static byte[] derive(HashAlgorithm hash, byte[] password, byte[] salt, long iterations, int length) {
    Pbkdf2 function = new Pbkdf2(hash, password);
    byte[] key = new byte[length];
    for (int done = 0, block = 1; done < length; done += hash.bytes(), block++) {
      byte[] u = Arrays.copyOf(salt, Math.max(salt.length + Integer.BYTES, hash.bytes()));
      ByteBuffer.wrap(u).putInt(salt.length, block);
      function.hmac(u, salt.length + Integer.BYTES);
      byte[] sum = Arrays.copyOf(u, hash.bytes());
      for (long i = 1; i < iterations; i++) {
        function.hmac(u, hash.bytes());
        for (int b = 0; b < sum.length; b++) {
          sum[b] ^= u[b];
        }
      }
      System.arraycopy(sum, 0, key, done, Math.min(sum.length, length - done));
    }
    return key;
  }

  /** Iterations for a key of {@code length} bytes that this host does in {@code millis}, at least 1000. */
  static long iterations(HashAlgorithm hash, int length, long millis) {
    long count = 1 << 12;
    while (true) {
      long start = System.nanoTime();
      derive(hash, new byte[8], new byte[32], count, length);
      long nanos = Math.max(1, System.nanoTime() - start);
      if (nanos > 50_000_000 || count >= 1 << 24) {
        return Math.clamp((long) ((double) count * millis * 1_000_000 / nanos), 1000, 0xffff_ffffL);
      }
      count *= 2;
    }
  }
}
