package org.ascus.devices.security;

import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.ChannelHandler;
import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslProvider;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import javax.net.ssl.SSLException;

/**
 * {@code -object tls-creds-x509}: certificates and keys in a folder, under QEMU's names: {@code ca-cert.pem}, and
 * {@code server-cert.pem} with {@code server-key.pem} or {@code client-cert.pem} with {@code client-key.pem}. Keys are
 * PKCS#8, which {@code BEGIN PRIVATE KEY} and {@code BEGIN ENCRYPTED PRIVATE KEY} begin.
 */
public final class TlsCredentials {
  private final SslContext context;
  private final boolean server;

  private TlsCredentials(SslContext context, boolean server) {
    this.context = context;
    this.server = server;
  }

  /**
   * Reads the files.
   *
   * @param server which side of a connection they are for
   * @param verifyPeer a server asks its clients for a certificate of the authority
   * @param password of the private key
   * @throws SecurityObjectException naming the file that is missing or wrong
   */
  public static TlsCredentials x509(Path folder, boolean server, boolean verifyPeer, Optional<Secret> password)
      throws SecurityObjectException {
    Path authority = folder.resolve("ca-cert.pem");
    Path certificate = folder.resolve(server ? "server-cert.pem" : "client-cert.pem");
    Path key = folder.resolve(server ? "server-key.pem" : "client-key.pem");
    String pass = password.map(Secret::text).orElse(null);
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
        builder = SslContextBuilder.forServer(certificate.toFile(), key.toFile(), pass);
        builder.clientAuth(verifyPeer ? ClientAuth.REQUIRE : ClientAuth.NONE);
      } else {
        builder = SslContextBuilder.forClient();
        if (Files.exists(certificate)) {
          builder.keyManager(certificate.toFile(), key.toFile(), pass);
        }
      }
      if (Files.exists(authority)) {
        builder.trustManager(authority.toFile());
      }
      return new TlsCredentials(
          builder.sslProvider(SslProvider.JDK).protocols("TLSv1.3", "TLSv1.2").build(), server);
    } catch (SSLException | IllegalArgumentException e) {
      throw new SecurityObjectException("Unable to load certificates of " + folder + ": " + e.getMessage(), e);
    }
  }

  private static void require(Path file) throws SecurityObjectException {
    if (!Files.isReadable(file)) {
      throw new SecurityObjectException("Unable to access credentials " + file + ": No such file or directory");
    }
  }

  /** Which side of a connection they are for. */
  public boolean isServer() {
    return server;
  }

  /**
   * What encrypts a stream.
   *
   * @param target whom a client means to talk to; the host's name is checked against the certificate
   */
  public ChannelHandler handler(ByteBufAllocator allocator, String target) {
    int colon = target.lastIndexOf(':');
    SslHandler handler =
        server || colon < 0
            ? context.newHandler(allocator)
            : context.newHandler(
                allocator, target.substring(0, colon), Integer.parseInt(target.substring(colon + 1)));
    return handler;
  }
}
