package org.ascus.devices.chardev.socket;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;

/**
 * Telnet (RFC 854): asks the other side for a terminal without local echo that sends each key at once and all eight
 * bits, takes commands out of what comes in, and doubles bytes of 255 on the way out.
 */
final class TelnetCodec extends ChannelDuplexHandler {
  private static final int IAC = 255;
  private static final int DONT = 254;
  private static final int DO = 253;
  private static final int WILL = 251;
  private static final int SUBNEGOTIATION = 250;
  private static final int BREAK = 243;
  private static final int END = 240;
  private static final int BINARY = 0;
  private static final int ECHO = 1;
  private static final int NO_GO_AHEAD = 3;

  private enum State {
    DATA,
    COMMAND,
    OPTION,
    INSIDE,
    INSIDE_COMMAND
  }

  private final Runnable breakListener;
  private State state = State.DATA;

  /**
   * @param breakListener called for each break
   */
  TelnetCodec(Runnable breakListener) {
    this.breakListener = breakListener;
  }

  @Override
  public void channelActive(ChannelHandlerContext context) {
    int[] hello = {IAC, WILL, ECHO, IAC, WILL, NO_GO_AHEAD, IAC, WILL, BINARY, IAC, DO, BINARY};
    ByteBuf bytes = Unpooled.buffer(hello.length);
    for (int value : hello) {
      bytes.writeByte(value);
    }
    context.writeAndFlush(bytes);
    context.fireChannelActive();
  }

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) {
    ByteBuf in = (ByteBuf) message;
    ByteBuf data = Unpooled.buffer(in.readableBytes());
    while (in.isReadable()) {
      int value = in.readUnsignedByte();
      if (state == State.COMMAND && value == BREAK) {
        context.fireChannelRead(data);
        data = Unpooled.buffer(in.readableBytes());
        breakListener.run();
      }
      state =
          switch (state) {
            case DATA -> value == IAC ? State.COMMAND : data(data, value);
            case COMMAND -> command(data, value);
            case OPTION -> State.DATA;
            case INSIDE -> value == IAC ? State.INSIDE_COMMAND : State.INSIDE;
            case INSIDE_COMMAND -> value == END ? State.DATA : State.INSIDE;
          };
    }
    in.release();
    context.fireChannelRead(data);
  }

  private static State data(ByteBuf data, int value) {
    data.writeByte(value);
    return State.DATA;
  }

  private static State command(ByteBuf data, int value) {
    if (value == IAC) {
      return data(data, IAC);
    }
    return value == SUBNEGOTIATION ? State.INSIDE : value >= WILL && value <= DONT ? State.OPTION : State.DATA;
  }

  @Override
  public void write(ChannelHandlerContext context, Object message, ChannelPromise promise) {
    ByteBuf in = (ByteBuf) message;
    ByteBuf out = Unpooled.buffer(in.readableBytes() + 16);
    while (in.isReadable()) {
      int value = in.readUnsignedByte();
      out.writeByte(value);
      if (value == IAC) {
        out.writeByte(IAC);
      }
    }
    in.release();
    context.write(out, promise);
  }
}
