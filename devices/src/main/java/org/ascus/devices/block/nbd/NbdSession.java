package org.ascus.devices.block.nbd;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.ByteToMessageDecoder;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * A client of a server: handshake, then requests, which run on the server's threads while more are read. A client that
 * breaks the protocol is dropped; one that sends faster than its requests are done is not read from meanwhile.
 */
final class NbdSession extends ByteToMessageDecoder {
  private static final int MOST_OPTION = 64 << 10;
  private static final int HANDSHAKE_SECONDS = 30;

  /** Requests, and their bytes, that are on their way at the same time. */
  private static final int MOST_REQUESTS = 16;

  private static final long MOST_BYTES = 64L << 20;
  private static final int REQUEST = 28;

  private enum Phase { FLAGS, OPTIONS, REQUESTS, PAYLOAD, GONE }

  private final NbdServer server;
  private Phase phase = Phase.FLAGS;
  private boolean noZeroes;
  private boolean encrypted;
  private boolean structured;
  private Contexts contexts = Contexts.NONE;
  private Optional<NbdExport> export = Optional.empty();
  private volatile boolean served;
  private NbdRequest waiting = NbdRequest.NONE;
  private ByteBuffer payload = ByteBuffer.allocate(0);
  private int requests;
  private long bytes;
  private boolean leaving;

  NbdSession(NbdServer server) {
    this.server = server;
  }

  /** Whether it got as far as an export. */
  boolean wasServed() {
    return served;
  }

  @Override
  public void channelActive(ChannelHandlerContext context) {
    ByteBuf greeting = Unpooled.buffer(18).writeLong(Wire.MAGIC).writeLong(Wire.OPTION_MAGIC);
    context.writeAndFlush(greeting.writeShort(Wire.FIXED_NEWSTYLE | Wire.NO_ZEROES));
    context.executor()
        .schedule(
            () -> {
              if (phase == Phase.FLAGS || phase == Phase.OPTIONS) {
                context.close();
              }
            },
            HANDSHAKE_SECONDS,
            TimeUnit.SECONDS);
  }

  @Override
  protected void decode(ChannelHandlerContext context, ByteBuf in, List<Object> out) {
    switch (phase) {
      case FLAGS -> flags(context, in);
      case OPTIONS -> option(context, in);
      case REQUESTS -> request(context, in);
      case PAYLOAD -> payload(context, in);
      case GONE -> in.skipBytes(in.readableBytes());
    }
  }

  private void drop(ChannelHandlerContext context) {
    phase = Phase.GONE;
    context.close();
  }

  private void flags(ChannelHandlerContext context, ByteBuf in) {
    if (in.readableBytes() < 4) {
      return;
    }
    int flags = in.readInt();
    noZeroes = (flags & Wire.NO_ZEROES) != 0;
    phase = Phase.OPTIONS;
    if ((flags & ~(Wire.FIXED_NEWSTYLE | Wire.NO_ZEROES)) != 0) {
      drop(context);
    }
  }

  private void option(ChannelHandlerContext context, ByteBuf in) {
    if (in.readableBytes() < 16) {
      return;
    }
    long length = in.getUnsignedInt(in.readerIndex() + 12);
    if (in.getLong(in.readerIndex()) != Wire.OPTION_MAGIC || length > MOST_OPTION) {
      drop(context);
      return;
    }
    if (in.readableBytes() < 16 + length) {
      return;
    }
    in.skipBytes(8);
    int option = in.readInt();
    in.skipBytes(4);
    ByteBuf data = in.readSlice((int) length);
    boolean open = encrypted || server.options().tls().isEmpty();
    if (!open && option != Wire.OPT_STARTTLS && option != Wire.OPT_ABORT) {
      if (option == Wire.OPT_EXPORT_NAME) {
        drop(context);
      } else {
        refuse(context, option, Wire.REP_ERR_TLS_REQD, "Option 0x" + Integer.toHexString(option)
            + " not permitted before TLS");
      }
      return;
    }
    try {
      answer(context, option, data);
      if (option == Wire.OPT_STARTTLS && in.isReadable()) {
        // Who speaks before the encryption begins may be somebody in between.
        drop(context);
      }
    } catch (IndexOutOfBoundsException e) {
      refuse(context, option, Wire.REP_ERR_INVALID, "malformed option");
    }
  }

  private void answer(ChannelHandlerContext context, int option, ByteBuf data) {
    switch (option) {
      case Wire.OPT_EXPORT_NAME -> exportName(context, data.toString(StandardCharsets.UTF_8));
      case Wire.OPT_ABORT -> {
        reply(context, option, Wire.REP_ACK, Unpooled.EMPTY_BUFFER);
        drop(context);
      }
      case Wire.OPT_LIST -> {
        if (data.isReadable()) {
          refuse(context, option, Wire.REP_ERR_INVALID, "LIST takes no data");
          return;
        }
        for (NbdExport e : server.exports()) {
          byte[] name = e.name().getBytes(StandardCharsets.UTF_8);
          ByteBuf entry = Unpooled.buffer().writeInt(name.length).writeBytes(name);
          entry.writeCharSequence(e.description(), StandardCharsets.UTF_8);
          reply(context, option, Wire.REP_SERVER, entry);
        }
        reply(context, option, Wire.REP_ACK, Unpooled.EMPTY_BUFFER);
      }
      case Wire.OPT_STARTTLS -> startTls(context, option, data);
      case Wire.OPT_INFO, Wire.OPT_GO -> go(context, option, data);
      case Wire.OPT_STRUCTURED_REPLY -> {
        structured = true;
        reply(context, option, Wire.REP_ACK, Unpooled.EMPTY_BUFFER);
      }
      case Wire.OPT_LIST_META_CONTEXT, Wire.OPT_SET_META_CONTEXT -> metaContext(context, option, data);
      default -> refuse(context, option, Wire.REP_ERR_UNSUP, "Unsupported option " + option);
    }
  }

  private void reply(ChannelHandlerContext context, int option, int type, ByteBuf data) {
    ByteBuf head = Unpooled.buffer(20).writeLong(Wire.OPTION_REPLY_MAGIC).writeInt(option).writeInt(type);
    context.writeAndFlush(Unpooled.wrappedBuffer(head.writeInt(data.readableBytes()), data));
  }

  private void refuse(ChannelHandlerContext context, int option, int type, String why) {
    reply(context, option, type, Unpooled.copiedBuffer(why, StandardCharsets.UTF_8));
  }

  private void startTls(ChannelHandlerContext context, int option, ByteBuf data) {
    if (data.isReadable() || encrypted) {
      refuse(context, option, Wire.REP_ERR_INVALID, encrypted ? "TLS already enabled" : "STARTTLS takes no data");
    } else if (server.options().tls().isEmpty()) {
      refuse(context, option, Wire.REP_ERR_POLICY, "TLS not configured");
    } else {
      // The acknowledgement goes out as it is, all that follows is encrypted.
      reply(context, option, Wire.REP_ACK, Unpooled.EMPTY_BUFFER);
      server.options().tls().get().secure(context.channel(), "");
      structured = false;
      contexts = Contexts.NONE;
    }
  }

  @Override
  public void userEventTriggered(ChannelHandlerContext context, Object event) throws Exception {
    if (event instanceof SslHandshakeCompletionEvent tls) {
      encrypted = tls.isSuccess()
          && server.options().tls().get().admits(context.channel(), server.options().authorization());
      if (!encrypted) {
        drop(context);
      }
    } else {
      super.userEventTriggered(context, event);
    }
  }

  private int transmissionFlags(NbdExport chosen) {
    int flags = Wire.HAS_FLAGS | Wire.SEND_FLUSH | Wire.SEND_FUA | (structured ? Wire.SEND_DF : 0);
    flags |= server.options().mostClients() == 1 ? 0 : Wire.CAN_MULTI_CONN;
    return flags | (chosen.isReadOnly() ? Wire.READ_ONLY : Wire.SEND_TRIM | Wire.SEND_WRITE_ZEROES);
  }

  private void exportName(ChannelHandlerContext context, String name) {
    Optional<NbdExport> chosen = server.find(name);
    if (chosen.isEmpty()) {
      drop(context);
      return;
    }
    ByteBuf answer = Unpooled.buffer().writeLong(chosen.get().node().size());
    answer.writeShort(transmissionFlags(chosen.get())).writeZero(noZeroes ? 0 : 124);
    context.writeAndFlush(answer);
    begin(chosen.get());
  }

  private void begin(NbdExport chosen) {
    if (contexts.export() != chosen) {
      contexts = Contexts.NONE;
    }
    export = Optional.of(chosen);
    served = true;
    phase = Phase.REQUESTS;
  }

  private static String string(ByteBuf data) {
    int length = data.readInt();
    if (length < 0 || length > data.readableBytes()) {
      throw new IndexOutOfBoundsException();
    }
    return data.readCharSequence(length, StandardCharsets.UTF_8).toString();
  }

  private Optional<NbdExport> named(ChannelHandlerContext context, int option, ByteBuf data) {
    String name = string(data);
    Optional<NbdExport> chosen = server.find(name);
    if (chosen.isEmpty()) {
      refuse(context, option, Wire.REP_ERR_UNKNOWN, "export '" + name + "' not present");
    }
    return chosen;
  }

  private void go(ChannelHandlerContext context, int option, ByteBuf data) {
    Optional<NbdExport> found = named(context, option, data);
    if (found.isEmpty()) {
      return;
    }
    NbdExport chosen = found.get();
    int count = data.readUnsignedShort();
    boolean described = false;
    boolean named = false;
    for (int i = 0; i < count; i++) {
      int info = data.readUnsignedShort();
      described |= info == Wire.INFO_DESCRIPTION;
      named |= info == Wire.INFO_NAME;
    }
    if (named) {
      ByteBuf info = Unpooled.buffer().writeShort(Wire.INFO_NAME);
      info.writeCharSequence(chosen.name(), StandardCharsets.UTF_8);
      reply(context, option, Wire.REP_INFO, info);
    }
    if (described && !chosen.description().isEmpty()) {
      ByteBuf info = Unpooled.buffer().writeShort(Wire.INFO_DESCRIPTION);
      info.writeCharSequence(chosen.description(), StandardCharsets.UTF_8);
      reply(context, option, Wire.REP_INFO, info);
    }
    ByteBuf sizes = Unpooled.buffer().writeShort(Wire.INFO_BLOCK_SIZE).writeInt(1).writeInt(4096);
    reply(context, option, Wire.REP_INFO, sizes.writeInt(Wire.MOST_DATA));
    ByteBuf size = Unpooled.buffer().writeShort(Wire.INFO_EXPORT).writeLong(chosen.node().size());
    reply(context, option, Wire.REP_INFO, size.writeShort(transmissionFlags(chosen)));
    reply(context, option, Wire.REP_ACK, Unpooled.EMPTY_BUFFER);
    if (option == Wire.OPT_GO) {
      begin(chosen);
    }
  }

  private void metaContext(ChannelHandlerContext context, int option, ByteBuf data) {
    if (!structured && option == Wire.OPT_SET_META_CONTEXT) {
      refuse(context, option, Wire.REP_ERR_INVALID, "request option structured reply first");
      return;
    }
    Optional<NbdExport> chosen = named(context, option, data);
    if (chosen.isEmpty()) {
      return;
    }
    boolean list = option == Wire.OPT_LIST_META_CONTEXT;
    Contexts wanted = new Contexts(chosen.get(), List.of());
    int queries = data.readInt();
    if (list && queries == 0) {
      wanted = wanted.plus("base:", true).plus("qemu:", true);
    }
    for (int i = 0; i < queries; i++) {
      wanted = wanted.plus(string(data), list);
    }
    for (int id : wanted.ids()) {
      ByteBuf entry = Unpooled.buffer().writeInt(list ? 0 : id);
      entry.writeCharSequence(wanted.name(id), StandardCharsets.UTF_8);
      reply(context, option, Wire.REP_META_CONTEXT, entry);
    }
    contexts = list ? contexts : wanted;
    reply(context, option, Wire.REP_ACK, Unpooled.EMPTY_BUFFER);
  }

  private void request(ChannelHandlerContext context, ByteBuf in) {
    if (leaving) {
      in.skipBytes(in.readableBytes());
      return;
    }
    if (in.readableBytes() < REQUEST || requests >= MOST_REQUESTS || bytes >= MOST_BYTES) {
      return;
    }
    if (in.readInt() != Wire.REQUEST_MAGIC) {
      drop(context);
      return;
    }
    NbdRequest request = new NbdRequest(in.readUnsignedShort(), in.readUnsignedShort(), in.readLong(), in.readLong(),
        in.readInt() & 0xffffffffL);
    boolean data = request.command() == Wire.CMD_READ || request.command() == Wire.CMD_WRITE;
    if (data && request.length() > Wire.MOST_DATA) {
      // There is no way to skip what a client sends without reading it all.
      drop(context);
      return;
    }
    if (request.command() == Wire.CMD_DISC) {
      leaving = true;
      leave(context);
    } else if (request.command() == Wire.CMD_WRITE) {
      waiting = request;
      payload = ByteBuffer.allocateDirect((int) request.length());
      phase = Phase.PAYLOAD;
      bytes += request.length();
      payload(context, in);
    } else {
      bytes += data ? request.length() : 0;
      start(context, request, ByteBuffer.allocate(0));
    }
  }

  private void payload(ChannelHandlerContext context, ByteBuf in) {
    int limit = payload.limit();
    payload.limit(payload.position() + Math.min(payload.remaining(), in.readableBytes()));
    in.readBytes(payload);
    payload.limit(limit);
    if (!payload.hasRemaining()) {
      phase = Phase.REQUESTS;
      start(context, waiting, payload.flip());
    }
  }

  private void start(ChannelHandlerContext context, NbdRequest request, ByteBuffer data) {
    requests++;
    if (requests >= MOST_REQUESTS || bytes >= MOST_BYTES) {
      context.channel().config().setAutoRead(false);
    }
    NbdRequest.Reply reply = new NbdRequest.Reply(request, structured, contexts);
    server.threads()
        .execute(
            () -> {
              ByteBuf answer = reply.to(export.get(), data);
              context.writeAndFlush(answer).addListener(_ -> done(context, request));
            });
  }

  private void done(ChannelHandlerContext context, NbdRequest request) {
    requests--;
    boolean data = request.command() == Wire.CMD_READ || request.command() == Wire.CMD_WRITE;
    bytes -= data ? request.length() : 0;
    leave(context);
    if (requests < MOST_REQUESTS && bytes < MOST_BYTES && phase != Phase.GONE) {
      context.channel().config().setAutoRead(true);
      try {
        // Requests that were read already are looked at without new bytes.
        channelRead(context, Unpooled.EMPTY_BUFFER);
      } catch (Exception e) {
        exceptionCaught(context, e);
      }
    }
  }

  private void leave(ChannelHandlerContext context) {
    if (leaving && requests == 0) {
      context.close();
    }
  }

  @Override
  public void channelInactive(ChannelHandlerContext context) throws Exception {
    phase = Phase.GONE;
    super.channelInactive(context);
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext context, Throwable e) {
    drop(context);
  }
}
