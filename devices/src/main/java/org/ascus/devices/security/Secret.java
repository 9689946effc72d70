package org.ascus.devices.security;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.util.Base64;
import java.util.Optional;
import javax.crypto.Cipher;
import javax.crypto.spec.IvParameterSpec;
import javax.crypto.spec.SecretKeySpec;
import org.ascus.devices.host.HostErrors;

/** {@code -object secret}: a password or key, as it is, in base64, or encrypted with AES-256-CBC and PKCS#7 padding. */
public final class Secret {
  private static final int KEY_BYTES = 32;
  private static final int BLOCK_BYTES = 16;

  private final byte[] value;

  private Secret(byte[] value) {
    this.value = value;
  }

  /**
   * Where a secret comes from and how it is written.
   *
   * @param data the text itself, unless it comes from {@code file}
   * @param base64 {@code format=base64}
   * @param key of the encryption; a secret of 32 bytes
   * @param iv initialization vector of 16 bytes in base64, with {@code key} only
   */
  public record Source(
      Optional<String> data, Optional<Path> file, boolean base64, Optional<Secret> key, Optional<String> iv) {}

  /**
   * Reads a secret.
   *
   * @throws SecurityObjectException naming the property that is wrong
   */
  public static Secret read(Source source) throws SecurityObjectException {
    if (source.data().isPresent() == source.file().isPresent()) {
      throw new SecurityObjectException(
          source.data().isPresent()
              ? "'file' and 'data' are mutually exclusive"
              : "Must provide 'file' or 'data' for secret");
    }
    byte[] raw = source.file().isPresent() ? content(source.file().get()) : utf8(source.data().get());
    if (source.key().isEmpty()) {
      if (source.iv().isPresent()) {
        throw new SecurityObjectException("'iv' needs 'keyid'");
      }
      return new Secret(source.base64() ? decode("data", raw) : raw);
    }
    String iv = source.iv().orElseThrow(() -> new SecurityObjectException("IV is required to decrypt secret"));
    byte[] decrypted = decrypt(decode("data", raw), source.key().get().value, decode("iv", utf8(iv)));
    return new Secret(source.base64() ? decode("data", decrypted) : decrypted);
  }

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static byte[] content(Path file) throws SecurityObjectException {
    try {
      return Files.readAllBytes(file);
    } catch (IOException e) {
      throw new SecurityObjectException("Unable to read " + file + ": " + HostErrors.reason(e), e);
    }
  }

  private static byte[] decode(String property, byte[] base64) throws SecurityObjectException {
    try {
      // A line end may stand anywhere, anything else is a mistake.
      return Base64.getDecoder().decode(utf8(new String(base64, StandardCharsets.ISO_8859_1).replaceAll("[\r\n]", "")));
    } catch (IllegalArgumentException e) {
      throw new SecurityObjectException("Base64 of '" + property + "' is not valid", e);
    }
  }

  private static byte[] decrypt(byte[] data, byte[] key, byte[] iv) throws SecurityObjectException {
    if (key.length != KEY_BYTES) {
      throw new SecurityObjectException("Key must have " + KEY_BYTES + " bytes, not " + key.length);
    }
    if (iv.length != BLOCK_BYTES) {
      throw new SecurityObjectException("IV must have " + BLOCK_BYTES + " bytes, not " + iv.length);
    }
    try {
      Cipher cipher = Cipher.getInstance("AES/CBC/PKCS5Padding");
      cipher.init(Cipher.DECRYPT_MODE, new SecretKeySpec(key, "AES"), new IvParameterSpec(iv));
      return cipher.doFinal(data);
    } catch (GeneralSecurityException e) {
      throw new SecurityObjectException("The secret cannot be decrypted with this key and IV", e);
    }
  }

  public byte[] toBytes() {
    return value.clone();
  }

  /** The secret as UTF-8 text. */
  public String text() {
    return new String(value, StandardCharsets.UTF_8);
  }

  /** Tells nothing. */
  @Override
  public String toString() {
    return "Secret";
  }
}
