package org.ascus.devices.security;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.bouncycastle.tls.AbstractTlsClient;
import org.bouncycastle.tls.AbstractTlsServer;
import org.bouncycastle.tls.AlertDescription;
import org.bouncycastle.tls.CipherSuite;
import org.bouncycastle.tls.ProtocolVersion;
import org.bouncycastle.tls.TlsAuthentication;
import org.bouncycastle.tls.TlsClient;
import org.bouncycastle.tls.TlsDHGroupVerifier;
import org.bouncycastle.tls.TlsFatalAlert;
import org.bouncycastle.tls.TlsServer;
import org.bouncycastle.tls.crypto.TlsCrypto;
import org.bouncycastle.tls.crypto.TlsDHConfig;

/**
 * {@code -object tls-creds-anon}: nobody proves anything (anonymous Diffie-Hellman of RFC 5246, section F.1.1.1), so
 * this keeps out who only listens and nobody else. Version 1.3 has no such thing. A peer has no identity, and no
 * {@code tls-authz} lets it in.
 */
public final class AnonymousCredentials extends BouncyCredentials {
  private static final List<Suite> SUITES =
      List.of(
          new Suite("TLS_DH_anon_WITH_AES_256_GCM_SHA384", CipherSuite.TLS_DH_anon_WITH_AES_256_GCM_SHA384),
          new Suite("TLS_DH_anon_WITH_AES_128_GCM_SHA256", CipherSuite.TLS_DH_anon_WITH_AES_128_GCM_SHA256),
          new Suite("TLS_DH_anon_WITH_AES_256_CBC_SHA", CipherSuite.TLS_DH_anon_WITH_AES_256_CBC_SHA),
          new Suite("TLS_DH_anon_WITH_AES_128_CBC_SHA", CipherSuite.TLS_DH_anon_WITH_AES_128_CBC_SHA));

  /**
   * Reads {@code dh-params.pem} for a server, if there is a folder and it is there.
   *
   * @throws SecurityObjectException naming the file that is wrong
   */
  public AnonymousCredentials(Optional<Path> folder, boolean server, TlsPriority priority)
      throws SecurityObjectException {
    super(folder, server, priority);
  }

  @Override
  TlsServer serverPeer(TlsCrypto crypto, Consumer<String> identity) {
    return new Server(crypto);
  }

  @Override
  TlsClient clientPeer(TlsCrypto crypto) {
    return new Client(crypto);
  }

  private final class Server extends AbstractTlsServer {
    Server(TlsCrypto crypto) {
      super(crypto);
    }

    @Override
    protected ProtocolVersion[] getSupportedVersions() {
      return versions(ProtocolVersion.TLSv12);
    }

    @Override
    protected int[] getSupportedCipherSuites() {
      return allowed(SUITES);
    }

    @Override
    public org.bouncycastle.tls.TlsCredentials getCredentials() {
      return null;
    }

    @Override
    public TlsDHConfig getDHConfig() throws IOException {
      return dhConfig().isPresent() ? dhConfig().get() : super.getDHConfig();
    }
  }

  private final class Client extends AbstractTlsClient {
    Client(TlsCrypto crypto) {
      super(crypto);
    }

    @Override
    protected ProtocolVersion[] getSupportedVersions() {
      return versions(ProtocolVersion.TLSv12);
    }

    @Override
    protected int[] getSupportedCipherSuites() {
      return allowed(SUITES);
    }

    @Override
    public TlsAuthentication getAuthentication() throws IOException {
      throw new TlsFatalAlert(AlertDescription.internal_error);
    }

    @Override
    public TlsDHGroupVerifier getDHGroupVerifier() {
      return BouncyCredentials::isLargeEnough;
    }
  }
}
