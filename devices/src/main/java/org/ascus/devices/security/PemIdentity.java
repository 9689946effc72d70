package org.ascus.devices.security;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.Optional;
import javax.crypto.Cipher;
import javax.crypto.EncryptedPrivateKeyInfo;
import javax.crypto.SecretKeyFactory;
import javax.crypto.spec.PBEKeySpec;
import javax.net.ssl.KeyManagerFactory;
import org.bouncycastle.asn1.DERNull;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;
import org.bouncycastle.asn1.pkcs.PrivateKeyInfo;
import org.bouncycastle.asn1.pkcs.RSAPrivateKey;
import org.bouncycastle.asn1.sec.ECPrivateKey;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.asn1.x9.X9ObjectIdentifiers;

/** What one side proves its name by: a chain of certificates and the key of the first, both in PEM. */
final class PemIdentity {
  /** Of a key store that never leaves memory, where keys must have a password. */
  private static final char[] NONE = {};

  private PemIdentity() {}

  /**
   * Puts an identity into the hands of {@code factory}.
   *
   * @param key PKCS#8, encrypted if there is a {@code password}, or PKCS#1 (RFC 8017) or RFC 5915 in clear, which is
   *     what certtool and openssl write unless they are told otherwise
   */
  static KeyManagerFactory into(KeyManagerFactory factory, Path certificates, Path key, Optional<Secret> password)
      throws IOException, GeneralSecurityException {
    Certificate[] chain;
    try (var in = Files.newInputStream(certificates)) {
      chain = CertificateFactory.getInstance("X.509").generateCertificates(in).toArray(Certificate[]::new);
    }
    if (chain.length == 0) {
      throw new IOException("no certificate in " + certificates);
    }
    KeyStore store = KeyStore.getInstance("PKCS12");
    store.load(null, NONE);
    store.setKeyEntry("identity", key(key, password), NONE, chain);
    factory.init(store, NONE);
    return factory;
  }

  private static PrivateKey key(Path file, Optional<Secret> password) throws IOException, GeneralSecurityException {
    String text = Files.readString(file, StandardCharsets.ISO_8859_1);
    Optional<byte[]> clear = section(text, "PRIVATE KEY");
    if (clear.isPresent()) {
      return key(PrivateKeyInfo.getInstance(clear.get()));
    }
    Optional<byte[]> rsa = section(text, "RSA PRIVATE KEY");
    if (rsa.isPresent()) {
      var kind = new AlgorithmIdentifier(PKCSObjectIdentifiers.rsaEncryption, DERNull.INSTANCE);
      return key(new PrivateKeyInfo(kind, RSAPrivateKey.getInstance(rsa.get())));
    }
    Optional<byte[]> curve = section(text, "EC PRIVATE KEY");
    if (curve.isPresent()) {
      ECPrivateKey number = ECPrivateKey.getInstance(curve.get());
      var kind = new AlgorithmIdentifier(X9ObjectIdentifiers.id_ecPublicKey, number.getParametersObject());
      return key(new PrivateKeyInfo(kind, number));
    }
    Optional<byte[]> encrypted = section(text, "ENCRYPTED PRIVATE KEY");
    if (encrypted.isEmpty()) {
      throw new IOException("no private key in " + file);
    }
    if (password.isEmpty()) {
      throw new IOException("the private key in " + file + " is encrypted, and there is no password");
    }
    try {
      EncryptedPrivateKeyInfo info = new EncryptedPrivateKeyInfo(encrypted.get());
      // The parameters of PBES2 name hash and cipher, which the algorithm's name does not.
      String algorithm = info.getAlgName().equals("PBES2") ? info.getAlgParameters().toString() : info.getAlgName();
      PBEKeySpec spec = new PBEKeySpec(password.get().text().toCharArray());
      Cipher cipher = Cipher.getInstance(algorithm);
      cipher.init(
          Cipher.DECRYPT_MODE, SecretKeyFactory.getInstance(algorithm).generateSecret(spec), info.getAlgParameters());
      return key(PrivateKeyInfo.getInstance(info.getKeySpec(cipher).getEncoded()));
    } catch (GeneralSecurityException e) {
      throw new IOException("the private key in " + file + " cannot be decrypted: " + e.getMessage(), e);
    }
  }

  private static PrivateKey key(PrivateKeyInfo info) throws IOException, GeneralSecurityException {
    String algorithm = info.getPrivateKeyAlgorithm().getAlgorithm().getId();
    return KeyFactory.getInstance(algorithm).generatePrivate(new PKCS8EncodedKeySpec(info.getEncoded()));
  }

  private static Optional<byte[]> section(String text, String what) {
    String begin = "-----BEGIN " + what + "-----";
    int from = text.indexOf(begin);
    int to = text.indexOf("-----END " + what + "-----");
    return from < 0 || to < from
        ? Optional.empty()
        : Optional.of(Base64.getMimeDecoder().decode(text.substring(from + begin.length(), to)));
  }
}
