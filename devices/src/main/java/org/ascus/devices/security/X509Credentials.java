package org.ascus.devices.security;

import io.netty.channel.Channel;
import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslProvider;
import io.netty.handler.ssl.util.InsecureTrustManagerFactory;
import io.netty.util.concurrent.Future;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.Provider;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLPeerUnverifiedException;

/**
 * {@code -object tls-creds-x509}: certificates and keys in a folder, under QEMU's names: {@code ca-cert.pem}, and
 * {@code server-cert.pem} with {@code server-key.pem} or {@code client-cert.pem} with {@code client-key.pem}. Keys are
 * PKCS#8, which {@code BEGIN PRIVATE KEY} and {@code BEGIN ENCRYPTED PRIVATE KEY} begin.
 */
public final class X509Credentials implements TlsCredentials {
  private final SslContext context;
  private final boolean server;
  private final boolean verifyPeer;

  private X509Credentials(SslContext context, boolean server, boolean verifyPeer) {
    this.context = context;
    this.server = server;
    this.verifyPeer = verifyPeer;
  }

  /**
   * Reads the files.
   *
   * @param server which side of a connection they are for
   * @param verifyPeer a server asks its clients for a certificate of the authority; a client looks whether its server
   *     has one, and for the name that it was reached by
   * @param password of the private key
   * @param priority what a peer may choose from
   * @throws SecurityObjectException naming the file that is missing or wrong
   */
  public static X509Credentials read(
      Path folder, boolean server, boolean verifyPeer, Optional<Secret> password, TlsPriority priority)
      throws SecurityObjectException {
    Path authority = folder.resolve("ca-cert.pem");
    Path certificate = folder.resolve(server ? "server-cert.pem" : "client-cert.pem");
    Path key = folder.resolve(server ? "server-key.pem" : "client-key.pem");
    if (server || Files.exists(certificate)) {
      require(certificate);
      require(key);
    }
    if (!server || verifyPeer) {
      require(authority);
    }
    try {
      SslContextBuilder builder;
      if (server) {
        Optional<Provider> asking = verifyPeer ? Optional.of(BouncyTls.provider()) : Optional.empty();
        builder = SslContextBuilder.forServer(identity(asking, certificate, key, password));
        builder.clientAuth(verifyPeer ? ClientAuth.REQUIRE : ClientAuth.NONE);
        asking.ifPresent(builder::sslContextProvider);
      } else {
        builder = SslContextBuilder.forClient();
        if (Files.exists(certificate)) {
          builder.keyManager(identity(Optional.empty(), certificate, key, password));
        }
      }
      if (!server && !verifyPeer) {
        builder.trustManager(InsecureTrustManagerFactory.INSTANCE);
      } else if (Files.exists(authority)) {
        builder.trustManager(authority.toFile());
      }
      builder.sslProvider(SslProvider.JDK)
          .protocols(Stream.of("TLSv1.3", "TLSv1.2").filter(priority::allowsVersion).toList());
      builder.ciphers(null, (suites, defaults, supported) -> allowed(defaults, priority));
      return new X509Credentials(builder.build(), server, verifyPeer);
    } catch (IOException | GeneralSecurityException | IllegalArgumentException e) {
      throw new SecurityObjectException("Unable to load certificates of " + folder + ": " + e.getMessage(), e);
    }
  }

  private static KeyManagerFactory identity(
      Optional<Provider> provider, Path certificate, Path key, Optional<Secret> password)
      throws IOException, GeneralSecurityException {
    KeyManagerFactory factory =
        provider.isPresent()
            ? KeyManagerFactory.getInstance("PKIX", provider.get())
            : KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    return PemIdentity.into(factory, certificate, key, password);
  }

  private static String[] allowed(List<String> suites, TlsPriority priority) {
    return suites.stream().filter(priority::allowsSuite).toArray(String[]::new);
  }

  private static void require(Path file) throws SecurityObjectException {
    if (!Files.isReadable(file)) {
      throw new SecurityObjectException("Unable to access credentials " + file + ": No such file or directory");
    }
  }

  @Override
  public boolean isServer() {
    return server;
  }

  @Override
  public Future<Channel> secure(Channel channel, String target) {
    int colon = target.lastIndexOf(':');
    SslHandler handler =
        server || colon < 0
            ? context.newHandler(channel.alloc())
            : context.newHandler(
                channel.alloc(), target.substring(0, colon), Integer.parseInt(target.substring(colon + 1)));
    if (!server && verifyPeer && colon >= 0) {
      SSLParameters parameters = handler.engine().getSSLParameters();
      // The rules for a name in a certificate are those of HTTPS (RFC 2818, section 3.1).
      parameters.setEndpointIdentificationAlgorithm("HTTPS");
      handler.engine().setSSLParameters(parameters);
    }
    channel.pipeline().addFirst(handler);
    return handler.handshakeFuture();
  }

  /** The distinguished name in the peer's certificate. */
  @Override
  public Optional<String> peerIdentity(Channel channel) {
    try {
      var session = channel.pipeline().get(SslHandler.class).engine().getSession();
      return Optional.of(session.getPeerPrincipal().getName());
    } catch (SSLPeerUnverifiedException e) {
      return Optional.empty();
    }
  }
}
