package org.ascus.devices.security;

import io.netty.channel.Channel;
import io.netty.util.AttributeKey;
import io.netty.util.concurrent.Future;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.bouncycastle.asn1.pkcs.DHParameter;
import org.bouncycastle.tls.ProtocolVersion;
import org.bouncycastle.tls.TlsClient;
import org.bouncycastle.tls.TlsServer;
import org.bouncycastle.tls.crypto.DHGroup;
import org.bouncycastle.tls.crypto.TlsCrypto;
import org.bouncycastle.tls.crypto.TlsDHConfig;
import org.bouncycastle.tls.crypto.impl.jcajce.JcaTlsCryptoProvider;

/**
 * Credentials without certificates, which the JDK's TLS does not have. The protocol is Bouncy Castle's, ciphers and key
 * agreement below it are the JDK's.
 */
abstract sealed class BouncyCredentials implements TlsCredentials permits PskCredentials, AnonymousCredentials {
  /** Groups smaller than this are broken. */
  static final int LEAST_PRIME_BITS = 2048;

  private static final AttributeKey<String> IDENTITY = AttributeKey.valueOf(BouncyCredentials.class, "identity");
  private static final String DH_FILE = "dh-params.pem";

  /** A cipher suite by its name in IANA's register, and its number there. */
  record Suite(String name, int number) {}

  private final boolean server;
  private final TlsPriority priority;
  private final Optional<DHGroup> group;

  /**
   * @param folder where {@code dh-params.pem} may lie, for servers
   */
  BouncyCredentials(Optional<Path> folder, boolean server, TlsPriority priority) throws SecurityObjectException {
    this.server = server;
    this.priority = priority;
    Optional<Path> file = folder.map(f -> f.resolve(DH_FILE)).filter(f -> server && Files.exists(f));
    this.group = file.isEmpty() ? Optional.empty() : Optional.of(readGroup(file.get()));
  }

  /** A Diffie-Hellman group as PKCS#3 has it, in PEM. */
  private static DHGroup readGroup(Path file) throws SecurityObjectException {
    String begin = "-----BEGIN DH PARAMETERS-----";
    try {
      String text = Files.readString(file, StandardCharsets.US_ASCII);
      int from = text.indexOf(begin);
      int to = text.indexOf("-----END DH PARAMETERS-----");
      if (from < 0 || to < from) {
        throw new SecurityObjectException("Unable to load DH parameters from " + file + ": no DH PARAMETERS in it");
      }
      byte[] der = Base64.getMimeDecoder().decode(text.substring(from + begin.length(), to));
      DHParameter read = DHParameter.getInstance(der);
      BigInteger prime = read.getP();
      if (prime.bitLength() < LEAST_PRIME_BITS) {
        throw new SecurityObjectException(
            "Unable to load DH parameters from " + file + ": a prime of " + prime.bitLength() + " bits, less than "
                + LEAST_PRIME_BITS);
      }
      return new DHGroup(prime, null, read.getG(), read.getL() == null ? 0 : read.getL().intValueExact());
    } catch (IOException | IllegalArgumentException | ArithmeticException e) {
      throw new SecurityObjectException("Unable to load DH parameters from " + file + ": " + e.getMessage(), e);
    }
  }

  @Override
  public final boolean isServer() {
    return server;
  }

  @Override
  public final Future<Channel> secure(Channel channel, String target) {
    TlsCrypto crypto = new JcaTlsCryptoProvider().create(new SecureRandom());
    BouncyHandler handler =
        server
            ? new BouncyHandler(serverPeer(crypto, channel.attr(IDENTITY)::set))
            : new BouncyHandler(clientPeer(crypto));
    channel.pipeline().addFirst(handler);
    return handler.handshake();
  }

  @Override
  public final Optional<String> peerIdentity(Channel channel) {
    return Optional.ofNullable(channel.attr(IDENTITY).get());
  }

  /**
   * What a server decides in one handshake.
   *
   * @param identity is told who the client says that it is
   */
  abstract TlsServer serverPeer(TlsCrypto crypto, Consumer<String> identity);

  /** What a client decides in one handshake. */
  abstract TlsClient clientPeer(TlsCrypto crypto);

  /** The Diffie-Hellman group of a server, unless one that both sides know will do. */
  final Optional<TlsDHConfig> dhConfig() {
    return group.map(TlsDHConfig::new);
  }

  /** A client takes any group that is large enough, as the server may have made its own. */
  static boolean isLargeEnough(DHGroup offered) {
    BigInteger prime = offered.getP();
    BigInteger generator = offered.getG();
    return prime.bitLength() >= LEAST_PRIME_BITS && prime.testBit(0)
        && generator.compareTo(BigInteger.ONE) > 0 && generator.compareTo(prime.subtract(BigInteger.ONE)) < 0;
  }

  /** Versions from the newest, of {@code from} and those that the priority leaves. */
  final ProtocolVersion[] versions(ProtocolVersion... from) {
    List<ProtocolVersion> left = new ArrayList<>(List.of(from));
    left.removeIf(v -> !priority.allowsVersion(v.equals(ProtocolVersion.TLSv13) ? "TLSv1.3" : "TLSv1.2"));
    return left.toArray(ProtocolVersion[]::new);
  }

  /** The numbers of those of {@code suites} that the priority leaves. */
  final int[] allowed(List<Suite> suites) {
    return suites.stream().filter(s -> priority.allowsSuite(s.name())).mapToInt(Suite::number).toArray();
  }
}
