package org.ascus.devices.net.filter;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.ascus.devices.chardev.CharBackend;
import org.ascus.devices.chardev.CharReceiver;
import org.ascus.devices.net.Frame;
import org.ascus.devices.net.NetFilter;
import org.ascus.devices.net.NetLink;

/**
 * {@code filter-redirector}: frames go to a byte channel instead of on, and frames from another channel go on from
 * here, to those for whom the filter's direction has frames.
 */
public final class RedirectorFilter implements NetFilter {
  private static final int READ = 1 << 16;

  private final Optional<Outlet> out;
  private final List<Injector> injectors;

  /**
   * @param link where what comes in goes on
   * @param in where frames come from
   * @param out where frames go; if empty they go on
   */
  @SuppressWarnings("this-escape")
  public RedirectorFilter(
      NetLink link, Direction direction, Optional<CharBackend> in, Optional<CharBackend> out, boolean virtioHeaders) {
    this.out = out.map(o -> new Outlet(o, virtioHeaders));
    injectors =
        Stream.of(Direction.RX, Direction.TX)
            .filter(way -> in.isPresent() && direction.covers(way))
            .map(way -> new Injector(this, link, way))
            .toList();
    in.ifPresent(i -> i.connect(new Inlet(new FrameWire(virtioHeaders, this::inject))));
  }

  /** What does not fit is lost, as on a busy network. */
  private void inject(Frame frame) {
    if (frame.length() >= Frame.HEADER) {
      injectors.forEach(i -> i.send(frame));
    }
  }

  /** Takes what comes in; after nonsense it takes everything and does nothing with it, until somebody else sends. */
  private static final class Inlet implements CharReceiver {
    private final FrameWire wire;
    private boolean broken;
    private volatile boolean newPeer;

    Inlet(FrameWire wire) {
      this.wire = wire;
    }

    @Override
    public int canReceive() {
      return READ;
    }

    @Override
    public void peerChanged(boolean there) {
      newPeer = true;
    }

    @Override
    public void receive(byte[] data, int offset, int length) {
      if (newPeer) {
        newPeer = false;
        broken = false;
        wire.restart();
      }
      broken = broken || !wire.decode(ByteBuffer.wrap(data, offset, length));
    }
  }

  @Override
  public boolean diverts() {
    return out.isPresent();
  }

  @Override
  public void seen(Frame frame, Direction way) {
    out.ifPresent(o -> o.send(frame));
  }

  @Override
  public void roomAgain() {
    injectors.forEach(Injector::wake);
  }

  @Override
  public void close() {
    injectors.forEach(Injector::close);
  }
}
