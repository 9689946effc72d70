package org.ascus.devices.net.user;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.SocketChannel;

/** A socket of the host as the other end of a connection of the guest. */
final class HostSocket extends ChannelInboundHandlerAdapter implements TcpConnection.App {
  private final TcpNat nat;
  private TcpConnection connection;
  private SocketChannel channel;
  private boolean inputEnded;
  private boolean outputEnded;
  private boolean unflushed;
  private boolean announcing;

  HostSocket(TcpNat nat) {
    this.nat = nat;
  }

  void setConnection(TcpConnection connection) {
    this.connection = connection;
  }

  @Override
  public void handlerAdded(ChannelHandlerContext context) {
    channel = (SocketChannel) context.channel();
    int limit = nat.limit();
    channel.config().setWriteBufferWaterMark(new WriteBufferWaterMark(limit / 2, limit));
  }

  // From the guest.

  @Override
  public void opened() {
    channel.config().setAutoRead(true);
  }

  @Override
  public int room() {
    return channel == null ? nat.limit() : (int) Math.min(nat.limit(), channel.bytesBeforeUnwritable());
  }

  @Override
  public void data(byte[] bytes, int start, int length) {
    channel.write(Unpooled.wrappedBuffer(bytes, start, length), channel.voidPromise());
    unflushed = true;
  }

  @Override
  public void endOfBatch() {
    if (unflushed) {
      unflushed = false;
      channel.flush();
      announceRoom();
    }
  }

  /** A guest that was left little room must not find out by itself that there is more. */
  private void announceRoom() {
    int most = channel.config().getWriteBufferHighWaterMark();
    if (!announcing && channel.isActive() && channel.bytesBeforeUnwritable() < most / 2) {
      announcing = true;
      channel
          .writeAndFlush(Unpooled.EMPTY_BUFFER)
          .addListener(
              _ -> {
                announcing = false;
                connection.roomChanged();
                announceRoom();
              });
    }
  }

  @Override
  public void ended() {
    unflushed = false;
    channel
        .writeAndFlush(Unpooled.EMPTY_BUFFER)
        .addListener(
            _ -> {
              outputEnded = true;
              if (inputEnded) {
                channel.close();
              } else {
                channel.shutdownOutput();
              }
            });
  }

  @Override
  public void broken() {
    if (channel != null && channel.isOpen()) {
      inputEnded = true;
      if (channel.isActive()) {
        channel.config().setSoLinger(0);
      }
      channel.close();
    }
  }

  @Override
  public void sent() {
    if (!channel.config().isAutoRead() && connection.waiting() < nat.limit() / 2 && !inputEnded) {
      channel.config().setAutoRead(true);
    }
  }

  // From the host.

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) {
    ByteBuf data = (ByteBuf) message;
    try {
      connection.send(data);
    } finally {
      data.release();
    }
    if (connection.waiting() >= nat.limit()) {
      channel.config().setAutoRead(false);
    }
  }

  @Override
  public void channelReadComplete(ChannelHandlerContext context) {
    connection.output();
  }

  @Override
  public void userEventTriggered(ChannelHandlerContext context, Object event) {
    if (event instanceof ChannelInputShutdownEvent && !inputEnded) {
      inputEnded = true;
      connection.finish();
      connection.output();
      if (outputEnded) {
        channel.close();
      }
    }
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
    inputEnded = true;
    connection.reset();
    channel.close();
  }

  @Override
  public void channelInactive(ChannelHandlerContext context) {
    if (!inputEnded) {
      inputEnded = true;
      connection.reset();
    }
  }
}
