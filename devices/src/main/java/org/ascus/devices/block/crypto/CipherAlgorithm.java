package org.ascus.devices.block.crypto;

import java.security.GeneralSecurityException;
import java.util.Optional;
import javax.crypto.Cipher;
import javax.crypto.spec.IvParameterSpec;
import javax.crypto.spec.SecretKeySpec;
import org.bouncycastle.crypto.BlockCipher;
import org.bouncycastle.crypto.engines.CAST5Engine;
import org.bouncycastle.crypto.engines.SerpentEngine;
import org.bouncycastle.crypto.engines.TwofishEngine;
import org.bouncycastle.crypto.params.KeyParameter;

/** A block cipher with the size of its key, by QEMU's name. */
public enum CipherAlgorithm {
  AES_128("aes-128", 16, 16),
  AES_192("aes-192", 24, 16),
  AES_256("aes-256", 32, 16),
  CAST5_128("cast5-128", 16, 8),
  SERPENT_128("serpent-128", 16, 16),
  SERPENT_192("serpent-192", 24, 16),
  SERPENT_256("serpent-256", 32, 16),
  TWOFISH_128("twofish-128", 16, 16),
  TWOFISH_192("twofish-192", 24, 16),
  TWOFISH_256("twofish-256", 32, 16);

  private final String text;
  private final int keyBytes;
  private final int blockBytes;

  CipherAlgorithm(String text, int keyBytes, int blockBytes) {
    this.text = text;
    this.keyBytes = keyBytes;
    this.blockBytes = blockBytes;
  }

  /** QEMU's name, such as {@code aes-256}. */
  public String text() {
    return text;
  }

  public int keyBytes() {
    return keyBytes;
  }

  public int blockBytes() {
    return blockBytes;
  }

  /** The name without the size, as LUKS headers have it. */
  String family() {
    return text.substring(0, text.indexOf('-'));
  }

  /** The family as QEMU's messages write it, such as {@code Serpent}. */
  String title() {
    String family = family();
    return family.equals("aes") ? "AES" : Character.toUpperCase(family.charAt(0)) + family.substring(1);
  }

  static Optional<CipherAlgorithm> of(String text) {
    for (CipherAlgorithm algorithm : values()) {
      if (algorithm.text.equals(text)) {
        return Optional.of(algorithm);
      }
    }
    return Optional.empty();
  }

  /** The one of a LUKS header's cipher name and key size. */
  static Optional<CipherAlgorithm> of(String family, int keyBytes) {
    for (CipherAlgorithm algorithm : values()) {
      if (algorithm.family().equals(family) && algorithm.keyBytes == keyBytes) {
        return Optional.of(algorithm);
      }
    }
    return Optional.empty();
  }

  /** A cipher of the key; for one thread at a time. */
  Engine engine(byte[] key) {
    return family().equals("aes") ? new Aes(key) : new Other(legacy(), key);
  }

  private BlockCipher legacy() {
    return switch (this) {
      case CAST5_128 -> new CAST5Engine();
      case SERPENT_128, SERPENT_192, SERPENT_256 -> new SerpentEngine();
      case TWOFISH_128, TWOFISH_192, TWOFISH_256 -> new TwofishEngine();
      case AES_128, AES_192, AES_256 -> throw new IllegalStateException(text);
    };
  }

  /** A keyed cipher over whole blocks, in place. */
  interface Engine {
    void encrypt(byte[] data, int offset, int length);

    void decrypt(byte[] data, int offset, int length);

    /** Encrypts with each block XORed with the encrypted one before it; {@code iv} stands before the first. */
    void encryptChained(byte[] iv, byte[] data, int offset, int length);
  }

  /** The JDK's AES, which HotSpot has intrinsics for; the longer the call the faster. */
  private static final class Aes implements Engine {
    private final Cipher encrypter;
    private final Cipher decrypter;
    private final Cipher chained;
    private final byte[] last = new byte[16];

    Aes(byte[] key) {
      try {
        SecretKeySpec spec = new SecretKeySpec(key, "AES");
        encrypter = Cipher.getInstance("AES/ECB/NoPadding");
        encrypter.init(Cipher.ENCRYPT_MODE, spec);
        decrypter = Cipher.getInstance("AES/ECB/NoPadding");
        decrypter.init(Cipher.DECRYPT_MODE, spec);
        chained = Cipher.getInstance("AES/CBC/NoPadding");
        chained.init(Cipher.ENCRYPT_MODE, spec, new IvParameterSpec(last));
      } catch (GeneralSecurityException e) {
        throw new IllegalStateException(e);
      }
    }

    private static void update(Cipher cipher, byte[] data, int offset, int length) {
      try {
        cipher.update(data, offset, length, data, offset);
      } catch (GeneralSecurityException e) {
        throw new IllegalStateException(e);
      }
    }

    @Override
    public void encrypt(byte[] data, int offset, int length) {
      update(encrypter, data, offset, length);
    }

    @Override
    public void decrypt(byte[] data, int offset, int length) {
      update(decrypter, data, offset, length);
    }

    /** The chain of the JDK's cipher never ends; XORing its last block away begins a new one without a new key. */
    @Override
    public void encryptChained(byte[] iv, byte[] data, int offset, int length) {
      for (int i = 0; i < last.length; i++) {
        data[offset + i] ^= (byte) (iv[i] ^ last[i]);
      }
      update(chained, data, offset, length);
      System.arraycopy(data, offset + length - last.length, last, 0, last.length);
    }
  }

  private static final class Other implements Engine {
    private final BlockCipher encrypter;
    private final BlockCipher decrypter;

    Other(BlockCipher cipher, byte[] key) {
      encrypter = cipher;
      encrypter.init(true, new KeyParameter(key));
      try {
        decrypter = cipher.getClass().getDeclaredConstructor().newInstance();
      } catch (ReflectiveOperationException e) {
        throw new IllegalStateException(e);
      }
      decrypter.init(false, new KeyParameter(key));
    }

    private static void each(BlockCipher cipher, byte[] data, int offset, int length) {
      for (int at = offset; at < offset + length; at += cipher.getBlockSize()) {
        cipher.processBlock(data, at, data, at);
      }
    }

    @Override
    public void encrypt(byte[] data, int offset, int length) {
      each(encrypter, data, offset, length);
    }

    @Override
    public void decrypt(byte[] data, int offset, int length) {
      each(decrypter, data, offset, length);
    }

    @Override
    public void encryptChained(byte[] iv, byte[] data, int offset, int length) {
      int size = encrypter.getBlockSize();
      byte[] before = iv;
      int beforeAt = 0;
      for (int at = offset; at < offset + length; at += size) {
        for (int i = 0; i < size; i++) {
          data[at + i] ^= before[beforeAt + i];
        }
        encrypter.processBlock(data, at, data, at);
        before = data;
        beforeAt = at;
      }
    }
  }
}
