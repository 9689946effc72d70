package org.ascus.devices.security;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Vector;
import java.util.function.Consumer;
import org.bouncycastle.tls.BasicTlsPSKExternal;
import org.bouncycastle.tls.CipherSuite;
import org.bouncycastle.tls.PRFAlgorithm;
import org.bouncycastle.tls.PSKTlsClient;
import org.bouncycastle.tls.PSKTlsServer;
import org.bouncycastle.tls.ProtocolVersion;
import org.bouncycastle.tls.PskIdentity;
import org.bouncycastle.tls.TlsClient;
import org.bouncycastle.tls.TlsDHGroupVerifier;
import org.bouncycastle.tls.TlsPSKExternal;
import org.bouncycastle.tls.TlsPSKIdentityManager;
import org.bouncycastle.tls.TlsServer;
import org.bouncycastle.tls.crypto.TlsCrypto;
import org.bouncycastle.tls.crypto.TlsDHConfig;

/**
 * {@code -object tls-creds-psk}: both sides know a user's key (RFC 4279, RFC 5489 and RFC 8446, section 4.2.11). Who
 * names a user that there is none of goes through the handshake with a random key, so that nobody learns the names. A
 * client is its user's name to {@code tls-authz}.
 */
public final class PskCredentials extends BouncyCredentials {
  private static final String DEFAULT_USER = "qemu";
  private static final int RANDOM_KEY_BYTES = 32;
  /** A key from outside goes with the hash SHA-256 in version 1.3, and so with the suites that use it. */
  private static final List<Suite> SUITES =
      List.of(
          new Suite("TLS_AES_128_GCM_SHA256", CipherSuite.TLS_AES_128_GCM_SHA256),
          new Suite("TLS_ECDHE_PSK_WITH_AES_256_GCM_SHA384", CipherSuite.TLS_ECDHE_PSK_WITH_AES_256_GCM_SHA384),
          new Suite("TLS_ECDHE_PSK_WITH_AES_128_GCM_SHA256", CipherSuite.TLS_ECDHE_PSK_WITH_AES_128_GCM_SHA256),
          new Suite("TLS_DHE_PSK_WITH_AES_256_GCM_SHA384", CipherSuite.TLS_DHE_PSK_WITH_AES_256_GCM_SHA384),
          new Suite("TLS_DHE_PSK_WITH_AES_128_GCM_SHA256", CipherSuite.TLS_DHE_PSK_WITH_AES_128_GCM_SHA256),
          new Suite("TLS_PSK_WITH_AES_256_GCM_SHA384", CipherSuite.TLS_PSK_WITH_AES_256_GCM_SHA384),
          new Suite("TLS_PSK_WITH_AES_128_GCM_SHA256", CipherSuite.TLS_PSK_WITH_AES_128_GCM_SHA256),
          new Suite("TLS_ECDHE_PSK_WITH_AES_256_CBC_SHA", CipherSuite.TLS_ECDHE_PSK_WITH_AES_256_CBC_SHA),
          new Suite("TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA", CipherSuite.TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA),
          new Suite("TLS_DHE_PSK_WITH_AES_256_CBC_SHA", CipherSuite.TLS_DHE_PSK_WITH_AES_256_CBC_SHA),
          new Suite("TLS_DHE_PSK_WITH_AES_128_CBC_SHA", CipherSuite.TLS_DHE_PSK_WITH_AES_128_CBC_SHA),
          new Suite("TLS_PSK_WITH_AES_256_CBC_SHA", CipherSuite.TLS_PSK_WITH_AES_256_CBC_SHA),
          new Suite("TLS_PSK_WITH_AES_128_CBC_SHA", CipherSuite.TLS_PSK_WITH_AES_128_CBC_SHA));

  private final PskFile keys;
  private final String username;
  private final byte[] clientKey;

  private PskCredentials(Path folder, boolean server, String username, byte[] clientKey, TlsPriority priority)
      throws SecurityObjectException {
    super(Optional.of(folder), server, priority);
    this.keys = PskFile.in(folder);
    this.username = username;
    this.clientKey = clientKey;
  }

  /**
   * Reads {@code keys.psk} and, for a server, {@code dh-params.pem} if it is there.
   *
   * @param username whose key a client uses, {@code qemu} unless it is given
   * @throws SecurityObjectException naming the file that is missing or wrong
   */
  public static PskCredentials read(
      Path folder, boolean server, Optional<String> username, TlsPriority priority) throws SecurityObjectException {
    if (server) {
      if (username.isPresent()) {
        throw new SecurityObjectException("username should not be set when endpoint=server");
      }
      return new PskCredentials(folder, true, "", new byte[0], priority);
    }
    String user = username.orElse(DEFAULT_USER);
    PskFile keys = PskFile.in(folder);
    byte[] key =
        keys.key(user).orElseThrow(
            () -> new SecurityObjectException("Username " + user + " not found in PSK file " + keys.path()));
    return new PskCredentials(folder, false, user, key, priority);
  }

  /** The key of a user, or one that nobody knows. */
  private byte[] keyOf(String user) {
    try {
      Optional<byte[]> key = keys.key(user);
      if (key.isPresent()) {
        return key.get();
      }
    } catch (SecurityObjectException e) {
      // A key that cannot be read lets nobody in.
    }
    byte[] random = new byte[RANDOM_KEY_BYTES];
    new SecureRandom().nextBytes(random);
    return random;
  }

  @Override
  TlsServer serverPeer(TlsCrypto crypto, Consumer<String> identity) {
    return new Server(crypto, identity);
  }

  @Override
  TlsClient clientPeer(TlsCrypto crypto) {
    return new Client(crypto);
  }

  /** Version 1.3 only if there is a suite for it. */
  private ProtocolVersion[] pskVersions() {
    boolean with13 = Arrays.stream(allowed(SUITES)).anyMatch(s -> s == CipherSuite.TLS_AES_128_GCM_SHA256);
    return with13
        ? versions(ProtocolVersion.TLSv13, ProtocolVersion.TLSv12) : versions(ProtocolVersion.TLSv12);
  }

  private static TlsPSKExternal external(TlsCrypto crypto, byte[] user, byte[] key) {
    return new BasicTlsPSKExternal(user, crypto.createSecret(key), PRFAlgorithm.tls13_hkdf_sha256);
  }

  private final class Server extends PSKTlsServer {
    private final Consumer<String> identity;

    Server(TlsCrypto crypto, Consumer<String> identity) {
      super(crypto, new TlsPSKIdentityManager() {
        @Override
        public byte[] getHint() {
          return null;
        }

        @Override
        public byte[] getPSK(byte[] user) {
          String name = new String(user, StandardCharsets.ISO_8859_1);
          identity.accept(name);
          return keyOf(name);
        }
      });
      this.identity = identity;
    }

    @Override
    protected ProtocolVersion[] getSupportedVersions() {
      return pskVersions();
    }

    @Override
    protected int[] getSupportedCipherSuites() {
      return allowed(SUITES);
    }

    /** Of version 1.3; who offers several users is the first of them. */
    @Override
    public TlsPSKExternal getExternalPSK(@SuppressWarnings("rawtypes") Vector identities) {
      byte[] user = ((PskIdentity) identities.getFirst()).getIdentity();
      String name = new String(user, StandardCharsets.ISO_8859_1);
      identity.accept(name);
      return external(getCrypto(), user, keyOf(name));
    }

    @Override
    public TlsDHConfig getDHConfig() throws java.io.IOException {
      return dhConfig().isPresent() ? dhConfig().get() : super.getDHConfig();
    }
  }

  private final class Client extends PSKTlsClient {
    Client(TlsCrypto crypto) {
      super(crypto, username.getBytes(StandardCharsets.ISO_8859_1), clientKey);
    }

    @Override
    protected ProtocolVersion[] getSupportedVersions() {
      return pskVersions();
    }

    @Override
    protected int[] getSupportedCipherSuites() {
      return allowed(SUITES);
    }

    @Override
    public Vector<TlsPSKExternal> getExternalPSKs() {
      return new Vector<>(List.of(external(getCrypto(), pskIdentity.getPSKIdentity(), clientKey)));
    }

    @Override
    public TlsDHGroupVerifier getDHGroupVerifier() {
      return BouncyCredentials::isLargeEnough;
    }
  }
}
