package org.ascus.devices.block.nbd;

import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.socket.nio.NioDomainSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.handler.codec.ByteToMessageDecoder;
import io.netty.util.concurrent.Future;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.chardev.socket.Loops;
import org.ascus.devices.host.Errno;

/**
 * A connection to an export. The handshake is done when {@link #open} returns; then any number of threads may have
 * requests on their way. A server that breaks the protocol loses the connection, and all requests fail.
 */
final class NbdConnection {
  private static final int CONNECT_MILLIS = 30_000;
  private static final long HANDSHAKE_SECONDS = 60;
  private static final int MOST_REPLY = 1 << 20;
  private static final int CONTEXT_ID_BYTES = 4;
  private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

  /** An answer to an option; the greeting is the one to option 0. A type of 0 is the end of the connection. */
  private record OptionReply(int option, int type, byte[] data) {
    boolean isError() {
      return (type & Wire.REP_ERROR) != 0;
    }

    String text() {
      return new String(data, StandardCharsets.UTF_8);
    }
  }

  private final NbdAddress address;
  private final EventLoopGroup loops = Loops.one();
  private final LinkedBlockingQueue<OptionReply> answers = new LinkedBlockingQueue<>();
  private final Map<Long, Pending> pending = new ConcurrentHashMap<>();
  private final AtomicLong cookies = new AtomicLong();
  private Channel channel;
  private long size = -1;
  private int flags;
  private int minimumBlock = 1;
  private int preferredBlock = 1;
  private int maximumBlock = Wire.MOST_DATA;
  private boolean structured;
  private long allocationContext = -1;
  private volatile String lost = "";

  private NbdConnection(NbdAddress address) {
    this.address = address;
  }

  /**
   * Connects and agrees on everything.
   *
   * @throws BlockException naming the address and what the server said
   */
  static NbdConnection open(NbdAddress address) throws BlockException {
    NbdConnection made = new NbdConnection(address);
    try {
      made.connect();
      made.handshake();
      return made;
    } catch (BlockException e) {
      made.close();
      throw e;
    }
  }

  long size() {
    return size;
  }

  boolean has(int flag) {
    return (flags & flag) != 0;
  }

  int minimumBlock() {
    return minimumBlock;
  }

  int maximumBlock() {
    return maximumBlock;
  }

  /** Whether the server tells holes and zeroes. */
  boolean knowsAllocation() {
    return allocationContext >= 0;
  }

  boolean isLost() {
    return !lost.isEmpty();
  }

  private BlockException failure(String what) {
    return new BlockException("Could not open '" + address.url() + "': " + what);
  }

  private void connect() throws BlockException {
    SocketAddress server = address.server();
    if (server instanceof InetSocketAddress inet && inet.isUnresolved()) {
      server = new InetSocketAddress(inet.getHostString(), inet.getPort());
      if (((InetSocketAddress) server).isUnresolved()) {
        throw failure("address resolution failed for " + inet.getHostString() + ": Name or service not known");
      }
    }
    boolean unix = server instanceof UnixDomainSocketAddress;
    Bootstrap bootstrap =
        new Bootstrap()
            .group(loops)
            .channel(unix ? NioDomainSocketChannel.class : NioSocketChannel.class)
            .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, CONNECT_MILLIS)
            .handler(
                new ChannelInitializer<Channel>() {
                  @Override
                  protected void initChannel(Channel made) {
                    made.pipeline().addLast(new Decoder());
                  }
                });
    if (!unix) {
      bootstrap.option(ChannelOption.TCP_NODELAY, true);
    }
    ChannelFuture connected = bootstrap.connect(server).awaitUninterruptibly();
    if (!connected.isSuccess()) {
      throw failure("Failed to connect: " + connected.cause().getMessage());
    }
    channel = connected.channel();
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

  /** Asks a server for its exports. */
  static List<Listed> list(NbdAddress address) throws BlockException {
    NbdConnection made = new NbdConnection(address);
    try {
      made.connect();
      made.greet();
      List<Listed> all = new ArrayList<>();
      List<OptionReply> answers = made.ask(Wire.OPT_LIST, Unpooled.EMPTY_BUFFER);
      if (answers.getLast().isError()) {
        throw made.failure("the server does not list its exports" + because(answers.getLast()));
      }
      boolean structured = !made.ask(Wire.OPT_STRUCTURED_REPLY, Unpooled.EMPTY_BUFFER).getLast().isError();
      for (OptionReply answer : answers) {
        if (answer.type() == Wire.REP_SERVER) {
          all.add(made.describe(answer, structured));
        }
      }
      return all;
    } finally {
      made.size = -1;
      made.close();
    }
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

  private void handshake() throws BlockException {
    greet();
    structured = !ask(Wire.OPT_STRUCTURED_REPLY, Unpooled.EMPTY_BUFFER).getLast().isError();
    if (structured) {
      negotiateContext();
    }
    go();
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
        throw failure("the server refuses TLS" + because(reply));
      }
      encrypt();
    }
  }

  private static String because(OptionReply reply) {
    return reply.data().length == 0 ? "" : ": " + reply.text();
  }

  private void encrypt() throws BlockException {
    Future<Channel> done =
        channel.eventLoop()
            .submit(
                () -> {
                  Future<Channel> handshake = address.tls().get().secure(channel, address.tlsTarget());
                  channel.pipeline().get(Decoder.class).encrypted();
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
              case Wire.REP_ERR_UNKNOWN -> "export '" + address.export() + "' is not there" + because(reply);
              case Wire.REP_ERR_TLS_REQD -> "the server requires TLS" + because(reply);
              case Wire.REP_ERR_UNSUP -> "the server is too old: it does not know NBD_OPT_GO";
              default -> "the server refuses export '" + address.export() + "'" + because(reply);
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

  /** A request on its way. The thread that sent it waits; the connection's thread fills it in. */
  private final class Pending {
    private final ByteBuffer target;
    private final long offset;
    private final int length;
    private final List<long[]> extents = new ArrayList<>();
    private Optional<String> error = Optional.empty();
    private boolean noSpace;
    private boolean done;

    Pending(ByteBuffer target, long offset, int length) {
      this.target = target;
      this.offset = offset;
      this.length = length;
    }

    /** The server failed to do it; more answers may come. */
    synchronized void fail(int number, String said) {
      noSpace |= number == Wire.ENOSPC;
      error = Optional.of(Errno.text(number) + (said.isEmpty() ? "" : " (" + said + ")"));
    }

    synchronized void finish(Optional<String> how) {
      error = error.isPresent() ? error : how;
      done = true;
      notifyAll();
    }

    synchronized Optional<String> await() {
      boolean interrupted = false;
      while (!done) {
        try {
          wait();
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
      return error;
    }
  }

  /** The connection is gone; requests may be made again on another one. */
  static final class LostException extends Exception {
    private static final long serialVersionUID = 1L;

    LostException(String message) {
      super(message);
    }
  }

  private Pending request(int command, int commandFlags, long offset, int length, ByteBuffer source, ByteBuffer target)
      throws BlockException, LostException {
    long cookie = cookies.incrementAndGet();
    Pending mine = new Pending(target, offset, length);
    pending.put(cookie, mine);
    ByteBuf head = Unpooled.buffer(28).writeInt(Wire.REQUEST_MAGIC).writeShort(commandFlags).writeShort(command);
    head.writeLong(cookie).writeLong(offset).writeInt(length);
    ByteBuf all = source.hasRemaining() ? Unpooled.wrappedBuffer(head, Unpooled.wrappedBuffer(source)) : head;
    channel.writeAndFlush(all);
    if (isLost()) {
      failAll();
    }
    Optional<String> error = mine.await();
    if (isLost() && error.isPresent()) {
      throw new LostException(error.get());
    }
    if (error.isPresent()) {
      String text = address.url() + ": " + error.get();
      throw mine.noSpace ? BlockException.noSpace(text, null) : new BlockException(text);
    }
    return mine;
  }

  void read(long offset, ByteBuffer target) throws BlockException, LostException {
    request(Wire.CMD_READ, 0, offset, target.remaining(), NOTHING, target);
  }

  void write(long offset, ByteBuffer source) throws BlockException, LostException {
    request(Wire.CMD_WRITE, 0, offset, source.remaining(), source, NOTHING);
  }

  void command(int command, int commandFlags, long offset, int length) throws BlockException, LostException {
    request(command, commandFlags, offset, length, NOTHING, NOTHING);
  }

  /** Length and flags of what begins at {@code offset}. */
  long[] status(long offset, int length) throws BlockException, LostException {
    List<long[]> extents =
        request(Wire.CMD_BLOCK_STATUS, Wire.FLAG_REQ_ONE, offset, length, NOTHING, NOTHING).extents;
    if (extents.isEmpty()) {
      throw new BlockException(address.url() + ": the server tells no block status");
    }
    return extents.getFirst();
  }

  private void failAll() {
    for (Long cookie : List.copyOf(pending.keySet())) {
      Pending request = pending.remove(cookie);
      if (request != null) {
        request.finish(Optional.of(lost));
      }
    }
  }

  void close() {
    if (channel != null) {
      if (!isLost() && size >= 0) {
        ByteBuf bye = Unpooled.buffer(28).writeInt(Wire.REQUEST_MAGIC).writeShort(0).writeShort(Wire.CMD_DISC);
        channel.writeAndFlush(bye.writeLong(0).writeLong(0).writeInt(0)).awaitUninterruptibly(1, TimeUnit.SECONDS);
      } else if (!isLost()) {
        ByteBuf bye = Unpooled.buffer(16).writeLong(Wire.OPTION_MAGIC).writeInt(Wire.OPT_ABORT).writeInt(0);
        channel.writeAndFlush(bye).awaitUninterruptibly(1, TimeUnit.SECONDS);
      }
      channel.close().awaitUninterruptibly();
    }
    Loops.end(loops);
  }

  private enum Phase { GREETING, OPTIONS, TLS, REPLIES, DATA, LOST }

  /** Takes apart what the server sends. */
  private final class Decoder extends ByteToMessageDecoder {
    private Phase phase = Phase.GREETING;
    private Pending filling;
    private ByteBuffer into = NOTHING;
    private int left;
    private boolean lastChunk;
    private long cookie;

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
      check(answers.size() < 1000, "too many replies to an option");
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
      Pending request = known(cookie);
      chunk(request, type, (int) length, in);
      if (phase == Phase.REPLIES && lastChunk) {
        finish(request, Optional.empty());
      }
    }

    private Pending known(long number) throws BlockException {
      Pending request = pending.get(number);
      check(request != null, "a reply to a request that was not made");
      return request;
    }

    private void finish(Pending request, Optional<String> how) {
      pending.remove(cookie);
      request.finish(how);
    }

    private void simple(int error, long number) throws BlockException {
      cookie = number;
      Pending request = known(number);
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

    private void fill(Pending request, long at, int bytes) throws BlockException {
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

    private void chunk(Pending request, int type, int length, ByteBuf in) throws BlockException {
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

    private void hole(Pending request, long at, long bytes) throws BlockException {
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
        lost = why;
        answers.add(new OptionReply(0, 0, why.getBytes(StandardCharsets.UTF_8)));
        failAll();
      }
    }
  }
}
