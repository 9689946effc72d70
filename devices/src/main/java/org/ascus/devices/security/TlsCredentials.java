package org.ascus.devices.security;

import io.netty.channel.Channel;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import io.netty.util.concurrent.Future;
import java.util.Optional;

/**
 * What one side of an encrypted stream has to show, {@code -object tls-creds-...}. One object serves any number of
 * streams.
 */
public sealed interface TlsCredentials permits X509Credentials, BouncyCredentials {
  /** Which side of a connection they are for. */
  boolean isServer();

  /**
   * Encrypts a stream: puts what does it first into the pipeline of {@code channel}, on the thread of which this is
   * called or before it has one. A {@link SslHandshakeCompletionEvent} comes through the pipeline when the handshake is
   * done or has failed.
   *
   * @param target whom a client means to talk to, {@code host:port}; the host's name is checked against the server's
   *     certificate, if there are certificates
   * @return done when the handshake is
   */
  Future<Channel> secure(Channel channel, String target);

  /** Who the other side of a secured stream has proved to be, if it had to prove anything. */
  Optional<String> peerIdentity(Channel channel);

  /** Whether the other side of a secured stream may come in; without {@code authorization} everybody may. */
  default boolean admits(Channel channel, Optional<Authorization> authorization) {
    return authorization.isEmpty() || peerIdentity(channel).filter(authorization.get()::allows).isPresent();
  }
}
