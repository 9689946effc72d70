package org.ascus.devices.chardev.socket;

import io.netty.channel.EventLoopGroup;
import io.netty.channel.nio.NioEventLoopGroup;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.util.concurrent.TimeUnit;

/** A thread for the sockets of a channel or a disk. */
public final class Loops {
  private Loops() {}

  public static EventLoopGroup one() {
    return new NioEventLoopGroup(1, new DefaultThreadFactory("ascus-socket", true));
  }

  public static void end(EventLoopGroup group) {
    group.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly(2, TimeUnit.SECONDS);
  }
}
