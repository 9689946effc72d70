package org.ascus.devices.security;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.channel.PendingWriteQueue;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import io.netty.util.concurrent.Future;
import io.netty.util.concurrent.Promise;
import io.netty.util.concurrent.ScheduledFuture;
import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLException;
import org.bouncycastle.tls.TlsClient;
import org.bouncycastle.tls.TlsClientProtocol;
import org.bouncycastle.tls.TlsFatalAlert;
import org.bouncycastle.tls.TlsFatalAlertReceived;
import org.bouncycastle.tls.TlsProtocol;
import org.bouncycastle.tls.TlsServer;
import org.bouncycastle.tls.TlsServerProtocol;

/**
 * Encrypts a stream with Bouncy Castle's TLS, in the place and with the events of netty's own handler: what is written
 * before the handshake is done waits, a peer that does not finish it in time is dropped, and one that breaks the
 * protocol gets an alert and is dropped.
 */
final class BouncyHandler extends ChannelDuplexHandler {
  private static final int HANDSHAKE_SECONDS = 10;

  /** Begins a handshake, as one side or the other. */
  private interface Start {
    void begin() throws IOException;
  }

  private final TlsProtocol protocol;
  private final Start start;
  private boolean started;
  private boolean closing;
  private PendingWriteQueue waiting;
  private Promise<Channel> handshake;
  private ScheduledFuture<?> timeout;

  BouncyHandler(TlsServer server) {
    TlsServerProtocol made = new TlsServerProtocol();
    protocol = made;
    start = () -> made.accept(server);
  }

  BouncyHandler(TlsClient client) {
    TlsClientProtocol made = new TlsClientProtocol();
    protocol = made;
    start = () -> made.connect(client);
  }

  /** Done when the handshake is. */
  Future<Channel> handshake() {
    return handshake;
  }

  @Override
  public void handlerAdded(ChannelHandlerContext context) {
    waiting = new PendingWriteQueue(context);
    handshake = context.executor().newPromise();
    if (context.channel().isActive()) {
      begin(context);
    }
  }

  @Override
  public void handlerRemoved(ChannelHandlerContext context) {
    failed(context, new ClosedChannelException());
  }

  @Override
  public void channelActive(ChannelHandlerContext context) {
    begin(context);
    context.fireChannelActive();
  }

  private void begin(ChannelHandlerContext context) {
    if (started) {
      return;
    }
    started = true;
    timeout =
        context.executor().schedule(
            () -> broken(context, new SSLException("handshake timed out")), HANDSHAKE_SECONDS, TimeUnit.SECONDS);
    attempt(context, start);
  }

  /** Does a step of the protocol, and sends and hands on what came of it. */
  private void attempt(ChannelHandlerContext context, Start step) {
    IOException problem = null;
    try {
      step.begin();
    } catch (IOException e) {
      problem = e;
    }
    send(context, context.newPromise());
    context.flush();
    if (problem != null) {
      broken(context, problem);
      return;
    }
    if (protocol.isConnected() && !handshake.isDone()) {
      timeout.cancel(false);
      handshake.trySuccess(context.channel());
      context.fireUserEventTriggered(SslHandshakeCompletionEvent.SUCCESS);
      sendWaiting(context);
    }
    int ready = protocol.getAvailableInputBytes();
    if (ready > 0) {
      byte[] data = new byte[ready];
      protocol.readInput(data, 0, ready);
      context.fireChannelRead(Unpooled.wrappedBuffer(data));
    }
    if (protocol.isClosed()) {
      failed(context, new ClosedChannelException());
      context.close();
    }
  }

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) {
    ByteBuf in = (ByteBuf) message;
    byte[] data = new byte[in.readableBytes()];
    in.readBytes(data);
    in.release();
    if (!protocol.isClosed()) {
      attempt(context, () -> protocol.offerInput(data));
    }
  }

  private void sendWaiting(ChannelHandlerContext context) {
    while (!waiting.isEmpty()) {
      ByteBuf data = ((ByteBuf) waiting.current()).retain();
      write(context, data, waiting.remove());
    }
    context.flush();
  }

  @Override
  public void write(ChannelHandlerContext context, Object message, ChannelPromise promise) {
    if (!handshake.isDone()) {
      waiting.add(message, promise);
      return;
    }
    ByteBuf out = (ByteBuf) message;
    byte[] data = new byte[out.readableBytes()];
    out.readBytes(data);
    out.release();
    try {
      protocol.writeApplicationData(data, 0, data.length);
      send(context, promise);
    } catch (IOException e) {
      promise.tryFailure(e);
      broken(context, e);
    }
  }

  /** Passes on what the protocol wants sent. */
  private void send(ChannelHandlerContext context, ChannelPromise promise) {
    int length = protocol.getAvailableOutputBytes();
    byte[] data = new byte[length];
    protocol.readOutput(data, 0, length);
    context.write(Unpooled.wrappedBuffer(data), promise);
  }

  @Override
  public void close(ChannelHandlerContext context, ChannelPromise promise) {
    if (closing || !context.channel().isActive()) {
      context.close(promise);
      return;
    }
    closing = true;
    failed(context, new ClosedChannelException());
    try {
      protocol.close();
    } catch (IOException e) {
      // The peer is left without a farewell, that is all.
    }
    ChannelPromise sent = context.newPromise();
    sent.addListener(_ -> context.close(promise));
    send(context, sent);
    context.flush();
  }

  @Override
  public void channelInactive(ChannelHandlerContext context) {
    failed(context, new ClosedChannelException());
    context.fireChannelInactive();
  }

  private void broken(ChannelHandlerContext context, Exception problem) {
    failed(context, reason(problem));
    context.close();
  }

  private static Exception reason(Exception problem) {
    return switch (problem) {
      case TlsFatalAlertReceived alert -> new SSLException("Received fatal alert: " + name(alert.getMessage()), alert);
      case TlsFatalAlert alert -> new SSLException(name(alert.getMessage()), alert);
      default -> problem;
    };
  }

  /** Without the number that Bouncy Castle puts behind an alert's name. */
  private static String name(String alert) {
    int at = alert.indexOf('(');
    return at < 0 ? alert : alert.substring(0, at);
  }

  private void failed(ChannelHandlerContext context, Exception problem) {
    if (timeout != null) {
      timeout.cancel(false);
    }
    waiting.removeAndFailAll(problem);
    if (handshake.tryFailure(problem)) {
      context.fireUserEventTriggered(new SslHandshakeCompletionEvent(problem));
    }
  }
}
