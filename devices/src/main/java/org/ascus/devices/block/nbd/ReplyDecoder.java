package org.ascus.devices.block.nbd;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.ByteToMessageDecoder;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.function.Consumer;
import org.ascus.devices.block.BlockException;

/** Takes apart what a server sends. A server that breaks the protocol loses the connection. */
final class ReplyDecoder extends ByteToMessageDecoder {
  private static final int MOST_REPLY = 1 << 20;
  private static final int MOST_ANSWERS = 1000;
  private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

  private enum Phase { GREETING, OPTIONS, TLS, REPLIES, DATA, LOST }

  private final Queue<OptionReply> answers;
  private final Map<Long, PendingRequest> pending;
  private final Consumer<String> lost;
  private volatile boolean structured;
  private volatile long allocationContext = -1;
  private Phase phase = Phase.GREETING;
  private PendingRequest filling;
  private ByteBuffer into = NOTHING;
  private int left;
  private boolean lastChunk;
  private long cookie;

  /**
   * @param answers where answers to options go
   * @param pending requests on their way by their cookies; those that are done are taken out
   * @param lost told why the connection is at its end
   */
  ReplyDecoder(Queue<OptionReply> answers, Map<Long, PendingRequest> pending, Consumer<String> lost) {
    this.answers = answers;
    this.pending = pending;
    this.lost = lost;
  }

  /**
   * The handshake went so.
   *
   * @param withChunks whether replies may be structured
   * @param allocation number of the context that tells holes, -1 for none
   */
  void agreed(boolean withChunks, long allocation) {
    structured = withChunks;
    allocationContext = allocation;
  }

  @Override
  protected void decode(ChannelHandlerContext context, ByteBuf in, List<Object> out) throws BlockException {
    switch (phase) {
      case GREETING -> greeting(in);
      case OPTIONS -> option(in);
      // What comes in the clear now is from somebody in between.
      case TLS -> check(false, "data before TLS");
      case REPLIES -> reply(in);
      case DATA -> data(in);
      case LOST -> in.skipBytes(in.readableBytes());
    }
  }

  void encrypted() {
    phase = phase == Phase.TLS ? Phase.OPTIONS : phase;
  }

  private void check(boolean good, String what) throws BlockException {
    if (!good) {
      throw new BlockException("the server breaks the protocol: " + what);
    }
  }

  private void greeting(ByteBuf in) throws BlockException {
    if (in.readableBytes() >= 18) {
      check(in.readLong() == Wire.MAGIC, "not an NBD server");
      check(in.readLong() == Wire.OPTION_MAGIC, "not newstyle negotiation");
      phase = Phase.OPTIONS;
      answers.add(new OptionReply(0, in.readUnsignedShort() | 1 << 20, new byte[0]));
    }
  }

  private void option(ByteBuf in) throws BlockException {
    if (in.readableBytes() < 20) {
      return;
    }
    long length = in.getUnsignedInt(in.readerIndex() + 16);
    check(in.getLong(in.readerIndex()) == Wire.OPTION_REPLY_MAGIC, "bad magic in an option's reply");
    check(length <= MOST_REPLY, "an option's reply of " + length + " bytes");
    check(answers.size() < MOST_ANSWERS, "too many replies to an option");
    if (in.readableBytes() < 20 + length) {
      return;
    }
    in.skipBytes(8);
    int option = in.readInt();
    int type = in.readInt();
    in.skipBytes(4);
    byte[] data = new byte[(int) length];
    in.readBytes(data);
    check(option != 0, "a reply to option 0");
    if (option == Wire.OPT_GO && type == Wire.REP_ACK) {
      phase = Phase.REPLIES;
    } else if (option == Wire.OPT_STARTTLS && type == Wire.REP_ACK) {
      phase = Phase.TLS;
      check(!in.isReadable(), "data before TLS");
    }
    answers.add(new OptionReply(option, type, data));
  }

  private void reply(ByteBuf in) throws BlockException {
    if (in.readableBytes() < 16) {
      return;
    }
    int magic = in.getInt(in.readerIndex());
    if (magic == Wire.SIMPLE_REPLY_MAGIC) {
      in.skipBytes(4);
      simple(in.readInt(), in.readLong());
      return;
    }
    check(magic == Wire.STRUCTURED_REPLY_MAGIC && structured, "bad magic in a reply");
    if (in.readableBytes() < 20) {
      return;
    }
    int type = in.getUnsignedShort(in.readerIndex() + 6);
    long length = in.getUnsignedInt(in.readerIndex() + 16);
    boolean streamed = type == Wire.REPLY_OFFSET_DATA;
    check(length <= (streamed ? Wire.MOST_DATA + 8 : MOST_REPLY), "a chunk of " + length + " bytes");
    if (in.readableBytes() < 20 + (streamed ? 8 : length)) {
      return;
    }
    in.skipBytes(4);
    lastChunk = (in.readUnsignedShort() & Wire.REPLY_DONE) != 0;
    in.skipBytes(2);
    cookie = in.readLong();
    in.skipBytes(4);
    PendingRequest request = known(cookie);
    chunk(request, type, (int) length, in);
    if (phase == Phase.REPLIES && lastChunk) {
      finish(request, Optional.empty());
    }
  }

  private PendingRequest known(long number) throws BlockException {
    PendingRequest request = pending.get(number);
    check(request != null, "a reply to a request that was not made");
    return request;
  }

  private void finish(PendingRequest request, Optional<String> how) {
    pending.remove(cookie);
    request.finish(how);
  }

  private void simple(int error, long number) throws BlockException {
    cookie = number;
    PendingRequest request = known(number);
    lastChunk = true;
    if (error != 0) {
      request.fail(error, "");
      finish(request, Optional.empty());
    } else if (request.target.hasRemaining()) {
      fill(request, 0, request.length);
    } else {
      finish(request, Optional.empty());
    }
  }

  private void fill(PendingRequest request, long at, int bytes) throws BlockException {
    check(at >= 0 && bytes >= 0 && at <= request.length - bytes && request.target.remaining() == request.length,
        "data that was not asked for");
    filling = request;
    left = bytes;
    into = request.target.duplicate();
    into.position(request.target.position() + (int) at);
    phase = left == 0 ? Phase.REPLIES : Phase.DATA;
  }

  private void data(ByteBuf in) {
    int count = Math.min(left, in.readableBytes());
    into.limit(into.position() + count);
    in.readBytes(into);
    left -= count;
    if (left == 0) {
      phase = Phase.REPLIES;
      if (lastChunk) {
        finish(filling, Optional.empty());
      }
    }
  }

  private void chunk(PendingRequest request, int type, int length, ByteBuf in) throws BlockException {
    switch (type) {
      case Wire.REPLY_NONE -> check(length == 0 && lastChunk, "an empty chunk that is not the last");
      case Wire.REPLY_OFFSET_DATA -> {
        check(length > 8, "a chunk without data");
        fill(request, in.readLong() - request.offset, length - 8);
      }
      case Wire.REPLY_OFFSET_HOLE -> {
        check(length == 12, "a hole of " + length + " bytes");
        hole(request, in.readLong() - request.offset, in.readUnsignedInt());
      }
      case Wire.REPLY_BLOCK_STATUS -> {
        check(length >= 12 && length % 8 == 4, "block status of " + length + " bytes");
        boolean mine = in.readUnsignedInt() == allocationContext;
        for (int i = 4; i < length; i += 8) {
          long bytes = in.readUnsignedInt();
          long state = in.readUnsignedInt();
          check(bytes > 0, "an empty extent");
          if (mine) {
            request.extents.add(new long[] {bytes, state});
          }
        }
      }
      default -> {
        check((type & 1 << 15) != 0 && length >= 6, "a chunk of type " + type);
        int number = in.readInt();
        int text = in.readUnsignedShort();
        check(text <= length - 6, "an error's text of " + text + " bytes");
        String said = in.readCharSequence(text, StandardCharsets.UTF_8).toString();
        in.skipBytes(length - 6 - text);
        request.fail(number, said);
      }
    }
  }

  private void hole(PendingRequest request, long at, long bytes) throws BlockException {
    check(at >= 0 && at <= request.length - bytes && request.target.remaining() == request.length,
        "a hole that was not asked for");
    for (long i = at; i < at + bytes; i++) {
      request.target.put(request.target.position() + (int) i, (byte) 0);
    }
  }

  @Override
  public void channelInactive(ChannelHandlerContext context) {
    end("the server closed the connection");
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext context, Throwable e) {
    Throwable cause = e.getCause() instanceof BlockException inner ? inner : e;
    end(String.valueOf(cause.getMessage()));
    context.close();
  }

  private void end(String why) {
    if (phase != Phase.LOST) {
      phase = Phase.LOST;
      lost.accept(why);
      answers.add(new OptionReply(0, 0, why.getBytes(StandardCharsets.UTF_8)));
    }
  }
}
