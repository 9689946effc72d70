package org.ascus.devices.block.nbd;

import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.socket.nio.NioDomainSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.chardev.socket.Loops;

/**
 * A connection to an export. The handshake is done when {@link #open} returns; then any number of threads may have
 * requests on their way. A server that breaks the protocol loses the connection, and all requests fail.
 */
final class NbdConnection {
  private static final int CONNECT_MILLIS = 30_000;
  private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

  private final NbdAddress address;
  private final EventLoopGroup loops = Loops.one();
  private final LinkedBlockingQueue<OptionReply> answers = new LinkedBlockingQueue<>();
  private final Map<Long, PendingRequest> pending = new ConcurrentHashMap<>();
  private final AtomicLong cookies = new AtomicLong();
  private Channel channel;
  private Optional<NbdHandshake.Agreed> agreed = Optional.empty();
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
      made.agreed = Optional.of(made.connect().agree());
      return made;
    } catch (BlockException e) {
      made.close();
      throw e;
    }
  }

  /** Asks a server for its exports. */
  static List<NbdHandshake.Listed> list(NbdAddress address) throws BlockException {
    NbdConnection made = new NbdConnection(address);
    try {
      return made.connect().list();
    } finally {
      made.close();
    }
  }

  /** What was agreed on. */
  NbdHandshake.Agreed agreed() {
    return agreed.orElseThrow();
  }

  boolean isLost() {
    return !lost.isEmpty();
  }

  private NbdHandshake connect() throws BlockException {
    SocketAddress server = address.server();
    if (server instanceof InetSocketAddress inet && inet.isUnresolved()) {
      server = new InetSocketAddress(inet.getHostString(), inet.getPort());
      if (((InetSocketAddress) server).isUnresolved()) {
        throw address.failure("address resolution failed for " + inet.getHostString() + ": Name or service not known");
      }
    }
    ReplyDecoder decoder = new ReplyDecoder(answers, pending, this::lose);
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
                    made.pipeline().addLast(decoder);
                  }
                });
    if (!unix) {
      bootstrap.option(ChannelOption.TCP_NODELAY, true);
    }
    ChannelFuture connected = bootstrap.connect(server).awaitUninterruptibly();
    if (!connected.isSuccess()) {
      throw address.failure("Failed to connect: " + connected.cause().getMessage());
    }
    channel = connected.channel();
    return new NbdHandshake(address, channel, answers);
  }

  /** The connection is gone; requests may be made again on another one. */
  static final class LostException extends Exception {
    private static final long serialVersionUID = 1L;

    LostException(String message) {
      super(message);
    }
  }

  private PendingRequest request(
      int command, int commandFlags, long offset, int length, ByteBuffer source, ByteBuffer target)
      throws BlockException, LostException {
    long cookie = cookies.incrementAndGet();
    PendingRequest mine = new PendingRequest(target, offset, length);
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
      throw mine.noSpace() ? BlockException.noSpace(text, null) : new BlockException(text);
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

  private void lose(String why) {
    lost = why;
    failAll();
  }

  private void failAll() {
    for (Long cookie : List.copyOf(pending.keySet())) {
      PendingRequest request = pending.remove(cookie);
      if (request != null) {
        request.finish(Optional.of(lost));
      }
    }
  }

  void close() {
    if (channel != null) {
      if (!isLost() && agreed.isPresent()) {
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
}
