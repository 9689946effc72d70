package org.ascus.devices.net.socket;

import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOption;
import io.netty.channel.FixedRecvByteBufAllocator;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.socket.DatagramPacket;
import io.netty.channel.socket.InternetProtocolFamily;
import io.netty.channel.socket.nio.NioDatagramChannel;
import java.io.IOException;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.util.Optional;
import org.ascus.devices.net.Frame;
import org.ascus.machine.device.DeviceException;

/**
 * Frames as UDP datagrams: with one other machine, or with all in a multicast group. Datagrams of others than the
 * remote side are not let in. What goes to a group is sent from a port of its own, by which its echo is told from what
 * machines on the same host send.
 */
public final class DatagramNet extends FrameSocket {
  private static final int MOST_BYTES = 65535;
  private static final int MOST_WAITING = 256;

  private final String kind;
  private final InetSocketAddress remote;
  private final NioDatagramChannel channel;
  private NioDatagramChannel sender;
  private final boolean multicast;

  /**
   * Opens the socket.
   *
   * @param kind of back end, for people: {@code socket} or {@code dgram}
   * @param local where to listen; for a multicast group, an address of the interface to use
   * @param remote where to send
   * @throws DeviceException naming the address that does not work
   */
  public DatagramNet(String id, String kind, Optional<InetSocketAddress> local, InetSocketAddress remote)
      throws DeviceException {
    super(id);
    this.kind = kind;
    this.remote = remote;
    this.multicast = remote.getAddress().isMulticastAddress();
    ChannelFuture bound = bind(multicast ? new InetSocketAddress(remote.getPort()) : local.orElseThrow());
    channel = (NioDatagramChannel) bound.channel();
    sender = channel;
    try {
      await(bound);
      if (multicast) {
        NetworkInterface card = card(local);
        ChannelFuture source = bind(new InetSocketAddress(0));
        sender = (NioDatagramChannel) source.channel();
        await(source);
        sender.config().setNetworkInterface(card);
        await(channel.joinGroup(remote, card));
      }
    } catch (IOException e) {
      close();
      String where = multicast ? "can't join " + text(remote) : "can't bind " + text(local.orElseThrow());
      throw new DeviceException(where + ": " + e.getMessage(), e);
    }
  }

  private ChannelFuture bind(InetSocketAddress address) {
    return new Bootstrap()
        .group(loop())
        .channelFactory(() -> new NioDatagramChannel(family(remote.getAddress())))
        .option(ChannelOption.RCVBUF_ALLOCATOR, new FixedRecvByteBufAllocator(MOST_BYTES))
        .option(ChannelOption.SO_REUSEADDR, multicast)
        .handler(new Receiver())
        .bind(address);
  }

  private static InternetProtocolFamily family(InetAddress address) {
    return address instanceof Inet4Address ? InternetProtocolFamily.IPv4 : InternetProtocolFamily.IPv6;
  }

  private static NetworkInterface card(Optional<InetSocketAddress> local) throws IOException {
    if (local.isPresent()) {
      NetworkInterface named = NetworkInterface.getByInetAddress(local.get().getAddress());
      if (named == null) {
        throw new IOException("no interface has " + local.get().getAddress().getHostAddress());
      }
      return named;
    }
    return NetworkInterface.networkInterfaces()
        .filter(DatagramNet::canMulticast)
        .findFirst()
        .orElseThrow(() -> new IOException("no interface with multicast"));
  }

  private static boolean canMulticast(NetworkInterface card) {
    try {
      return card.isUp() && card.supportsMulticast() && card.getInetAddresses().hasMoreElements();
    } catch (IOException e) {
      return false;
    }
  }

  private static String text(InetSocketAddress address) {
    return address.getAddress().getHostAddress() + ":" + address.getPort();
  }

  private final class Receiver extends SimpleChannelInboundHandler<DatagramPacket> {
    @Override
    protected void channelRead0(ChannelHandlerContext context, DatagramPacket packet) throws IOException {
      if (multicast ? !isEcho(packet.sender()) : packet.sender().equals(remote)) {
        deliver(ByteBufUtil.getBytes(packet.content()));
      }
    }

    private boolean isEcho(InetSocketAddress from) throws IOException {
      return from.getPort() == sender.localAddress().getPort()
          && NetworkInterface.getByInetAddress(from.getAddress()) != null;
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
      // Nobody listens at the other side yet, for instance: datagrams may be lost.
    }
  }

  @Override
  boolean canSend() {
    return sender.isWritable() || !sender.isActive();
  }

  @Override
  void send(Frame frame) {
    byte[] bytes = frame.finished().bytes();
    sender.write(new DatagramPacket(Unpooled.wrappedBuffer(bytes), remote));
  }

  @Override
  void flush() {
    sender.flush();
  }

  @Override
  void read(boolean wanted) {
    channel.config().setAutoRead(wanted);
  }

  @Override
  int mostWaiting() {
    return MOST_WAITING;
  }

  @Override
  void closeSockets() {
    channel.close();
    sender.close();
  }

  @Override
  public String describe() {
    boolean dgram = kind.equals("dgram");
    String from = multicast || !dgram ? "" : text(channel.localAddress()) + "/";
    return "type=" + kind + "," + (dgram ? "" : "socket: ") + (multicast ? "mcast=" : "udp=") + from + text(remote);
  }
}
