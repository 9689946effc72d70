package org.ascus.devices.block.crypto;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.Arrays;

/** Spreads a key over many stripes, all of which are needed to have it back (LUKS specification, 2.4). */
final class AntiForensic {
  private AntiForensic() {}

  /** @return {@code stripes} times as many bytes as {@code key} */
  static byte[] split(byte[] key, int stripes, HashAlgorithm hash, SecureRandom random) {
    byte[] all = new byte[key.length * stripes];
    random.nextBytes(all);
    byte[] sum = fold(all, key.length, stripes, hash);
    int last = key.length * (stripes - 1);
    for (int i = 0; i < key.length; i++) {
      all[last + i] = (byte) (sum[i] ^ key[i]);
    }
    return all;
  }

  static byte[] merge(byte[] all, int stripes, HashAlgorithm hash) {
    int size = all.length / stripes;
    byte[] key = fold(all, size, stripes, hash);
    for (int i = 0; i < size; i++) {
      key[i] ^= all[all.length - size + i];
    }
    return key;
  }

  /** What all stripes but the last make. */
  private static byte[] fold(byte[] all, int size, int stripes, HashAlgorithm hash) {
    byte[] sum = new byte[size];
    for (int stripe = 0; stripe < stripes - 1; stripe++) {
      for (int i = 0; i < size; i++) {
        sum[i] ^= all[stripe * size + i];
      }
      diffuse(sum, hash);
    }
    return sum;
  }

  private static void diffuse(byte[] block, HashAlgorithm hash) {
    MessageDigest digest = hash.digest();
    for (int at = 0, index = 0; at < block.length; at += hash.bytes(), index++) {
      int length = Math.min(hash.bytes(), block.length - at);
      digest.update(ByteBuffer.allocate(Integer.BYTES).putInt(index).array());
      digest.update(block, at, length);
      byte[] part = digest.digest();
      System.arraycopy(part, 0, block, at, length);
      Arrays.fill(part, (byte) 0);
    }
  }
}
