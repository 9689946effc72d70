package org.ascus.devices.block.nbd;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.util.concurrent.Future;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import org.ascus.devices.block.BlockException;

/** What a client and a server agree on before the first request (fixed newstyle negotiation). For one thread. */
final class NbdHandshake {
  private static final long HANDSHAKE_SECONDS = 60;
  private static final int CONTEXT_ID_BYTES = 4;

  /**
   * What was agreed on.
   *
   * @param size bytes of the export
   * @param flags transmission flags
   * @param minimumBlock bytes of which offsets and lengths are multiples
   * @param maximumBlock most bytes of a request
   * @param allocation whether the server tells holes and zeroes
   */
  record Agreed(long size, int flags, int minimumBlock, int maximumBlock, boolean allocation) {
    boolean has(int flag) {
      return (flags & flag) != 0;
    }
  }

  private final NbdAddress address;
  private final Channel channel;
  private final BlockingQueue<OptionReply> answers;
  private long size = -1;
  private int flags;
  private int minimumBlock = 1;
  private int preferredBlock = 1;
  private int maximumBlock = Wire.MOST_DATA;
  private boolean structured;
  private long allocationContext = -1;

  /** @param answers what the server says, from the channel's {@link ReplyDecoder} */
  NbdHandshake(NbdAddress address, Channel channel, BlockingQueue<OptionReply> answers) {
    this.address = address;
    this.channel = channel;
    this.answers = answers;
  }

  private BlockException failure(String what) {
    return address.failure(what);
  }

  private OptionReply next() throws BlockException {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(HANDSHAKE_SECONDS);
    boolean interrupted = false;
    try {
      while (true) {
        try {
          OptionReply reply = answers.poll(end - System.nanoTime(), TimeUnit.NANOSECONDS);
          if (reply == null) {
            throw failure("the server does not answer");
          }
          if (reply.option() == 0 && reply.type() == 0) {
            throw failure(reply.text());
          }
          return reply;
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /** Sends an option and collects its answers, of which the last is an acknowledgement or an error. */
  private List<OptionReply> ask(int option, ByteBuf data) throws BlockException {
    ByteBuf head = Unpooled.buffer(16).writeLong(Wire.OPTION_MAGIC).writeInt(option).writeInt(data.readableBytes());
    channel.writeAndFlush(Unpooled.wrappedBuffer(head, data));
    List<OptionReply> all = new ArrayList<>();
    while (true) {
      OptionReply reply = next();
      if (reply.option() != option || all.size() > 1000) {
        throw failure("the server answers option " + reply.option() + " instead of " + option);
      }
      all.add(reply);
      if (reply.type() == Wire.REP_ACK || reply.isError()) {
        return all;
      }
    }
  }

  /**
   * What a server says about one of its exports.
   *
   * @param flags transmission flags
   * @param preferredBlock bytes, as the other two
   * @param contexts names of what can be asked for by block status
   */
  record Listed(
      String name, String description, long size, int flags, int minimumBlock, int preferredBlock, int maximumBlock,
      List<String> contexts) {}

  /** Asks the server for its exports. */
  List<Listed> list() throws BlockException {
    greet();
    List<Listed> all = new ArrayList<>();
    List<OptionReply> given = ask(Wire.OPT_LIST, Unpooled.EMPTY_BUFFER);
    if (given.getLast().isError()) {
      throw failure("the server does not list its exports" + given.getLast().because());
    }
    structured = !ask(Wire.OPT_STRUCTURED_REPLY, Unpooled.EMPTY_BUFFER).getLast().isError();
    for (OptionReply answer : given) {
      if (answer.type() == Wire.REP_SERVER) {
        all.add(describe(answer, structured));
      }
    }
    return all;
  }

  private Listed describe(OptionReply answer, boolean withContexts) throws BlockException {
    ByteBuf data = Unpooled.wrappedBuffer(answer.data());
    int length = data.readableBytes() < 4 ? -1 : data.readInt();
    if (length < 0 || length > data.readableBytes()) {
      throw failure("the server lists an export without a name");
    }
    String export = data.readCharSequence(length, StandardCharsets.UTF_8).toString();
    String description = data.toString(StandardCharsets.UTF_8);
    byte[] raw = export.getBytes(StandardCharsets.UTF_8);
    ByteBuf request = Unpooled.buffer().writeInt(raw.length).writeBytes(raw).writeShort(1);
    for (OptionReply reply : ask(Wire.OPT_INFO, request.writeShort(Wire.INFO_BLOCK_SIZE))) {
      if (reply.type() == Wire.REP_INFO) {
        info(Unpooled.wrappedBuffer(reply.data()));
      }
    }
    List<String> contexts = new ArrayList<>();
    if (withContexts) {
      ByteBuf query = Unpooled.buffer().writeInt(raw.length).writeBytes(raw).writeInt(0);
      for (OptionReply reply : ask(Wire.OPT_LIST_META_CONTEXT, query)) {
        if (reply.type() == Wire.REP_META_CONTEXT && reply.data().length > CONTEXT_ID_BYTES) {
          contexts.add(new String(reply.data(), CONTEXT_ID_BYTES, reply.data().length - CONTEXT_ID_BYTES,
              StandardCharsets.UTF_8));
        }
      }
    }
    return new Listed(export, description, size, flags, minimumBlock, preferredBlock, maximumBlock, contexts);
  }

  /** Agrees on everything and on the export that the address names. */
  Agreed agree() throws BlockException {
    greet();
    structured = !ask(Wire.OPT_STRUCTURED_REPLY, Unpooled.EMPTY_BUFFER).getLast().isError();
    if (structured) {
      negotiateContext();
    }
    channel.pipeline().get(ReplyDecoder.class).agreed(structured, allocationContext);
    go();
    return new Agreed(size, flags, minimumBlock, maximumBlock, allocationContext >= 0);
  }

  private void greet() throws BlockException {
    OptionReply greeting = next();
    int handshakeFlags = greeting.type();
    if ((handshakeFlags & Wire.FIXED_NEWSTYLE) == 0) {
      throw failure("the server does not support fixed newstyle negotiation");
    }
    int mine = Wire.FIXED_NEWSTYLE | handshakeFlags & Wire.NO_ZEROES;
    channel.writeAndFlush(Unpooled.buffer(4).writeInt(mine));
    if (address.tls().isPresent()) {
      OptionReply reply = ask(Wire.OPT_STARTTLS, Unpooled.EMPTY_BUFFER).getLast();
      if (reply.isError()) {
        throw failure("the server refuses TLS" + reply.because());
      }
      encrypt();
    }
  }

  private void encrypt() throws BlockException {
    Future<Channel> done =
        channel.eventLoop()
            .submit(
                () -> {
                  Future<Channel> handshake = address.tls().get().secure(channel, address.tlsTarget());
                  channel.pipeline().get(ReplyDecoder.class).encrypted();
                  return handshake;
                })
            .awaitUninterruptibly()
            .getNow()
            .awaitUninterruptibly();
    if (!done.isSuccess()) {
      throw failure("TLS handshake failed: " + done.cause().getMessage());
    }
  }

  private ByteBuf name() {
    byte[] name = address.export().getBytes(StandardCharsets.UTF_8);
    return Unpooled.buffer().writeInt(name.length).writeBytes(name);
  }

  private void negotiateContext() throws BlockException {
    byte[] wanted = Wire.BASE_ALLOCATION.getBytes(StandardCharsets.UTF_8);
    ByteBuf query = name().writeInt(1).writeInt(wanted.length).writeBytes(wanted);
    for (OptionReply reply : ask(Wire.OPT_SET_META_CONTEXT, query)) {
      if (reply.type() == Wire.REP_META_CONTEXT && reply.data().length > CONTEXT_ID_BYTES) {
        ByteBuf data = Unpooled.wrappedBuffer(reply.data());
        long id = data.readUnsignedInt();
        if (data.toString(StandardCharsets.UTF_8).equals(Wire.BASE_ALLOCATION)) {
          allocationContext = id;
        }
      }
    }
  }

  private void go() throws BlockException {
    ByteBuf request = name().writeShort(1).writeShort(Wire.INFO_BLOCK_SIZE);
    for (OptionReply reply : ask(Wire.OPT_GO, request)) {
      if (reply.isError()) {
        throw failure(
            switch (reply.type()) {
              case Wire.REP_ERR_UNKNOWN -> "export '" + address.export() + "' is not there" + reply.because();
              case Wire.REP_ERR_TLS_REQD -> "the server requires TLS" + reply.because();
              case Wire.REP_ERR_UNSUP -> "the server is too old: it does not know NBD_OPT_GO";
              default -> "the server refuses export '" + address.export() + "'" + reply.because();
            });
      }
      if (reply.type() == Wire.REP_INFO) {
        info(Unpooled.wrappedBuffer(reply.data()));
      }
    }
    if (size < 0) {
      throw failure("the server does not tell the size of the export");
    }
  }

  private void info(ByteBuf data) throws BlockException {
    int type = data.readableBytes() < 2 ? -1 : data.readUnsignedShort();
    if (type == Wire.INFO_EXPORT && data.readableBytes() == 10) {
      size = data.readLong();
      flags = data.readUnsignedShort();
      if (size < 0) {
        throw failure("the server tells an impossible size");
      }
    } else if (type == Wire.INFO_BLOCK_SIZE && data.readableBytes() == 12) {
      minimumBlock = data.readInt();
      preferredBlock = data.readInt();
      int most = data.readInt();
      maximumBlock = most <= 0 ? Wire.MOST_DATA : Math.min(most, Wire.MOST_DATA);
      boolean power = minimumBlock > 0 && Integer.bitCount(minimumBlock) == 1;
      if (!power || minimumBlock > 1 << 16 || maximumBlock < minimumBlock || maximumBlock % minimumBlock != 0) {
        throw failure("the server tells impossible block sizes");
      }
    }
  }
}
