package org.ascus.devices.net;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.ascus.machine.device.DeviceException;

/**
 * A hub: what comes in at one port goes out at all others. It has a thread of its own, since a port must not call
 * another while it holds its lock. Finished frames only, because the ports differ in what they take.
 */
public final class NetHub {
  private static final int MOST_FRAMES = 512;
  private static final int MOST_BYTES = 1 << 20;
  private static final int MOST_WAITING = 256;

  private final int number;
  private final List<Port> ports = new CopyOnWriteArrayList<>();
  private final ExecutorService thread;

  /**
   * @param number its id
   */
  public NetHub(int number) {
    this.number = number;
    this.thread =
        Executors.newSingleThreadExecutor(r -> Thread.ofPlatform().daemon().name("ascus-hub-" + number).unstarted(r));
  }

  public int number() {
    return number;
  }

  /** A new port. */
  public NetBackend port() {
    Port port = new Port();
    ports.add(port);
    return port;
  }

  private void run(Runnable what) {
    if (!thread.isShutdown()) {
      thread.execute(what);
    }
  }

  private final class Port implements NetBackend {
    private final FrameQueue in = new FrameQueue(MOST_FRAMES, MOST_BYTES);
    private final Deque<Frame> waiting = new ArrayDeque<>();
    private NetPeer peer;

    NetHub hub() {
      return NetHub.this;
    }

    @Override
    public Offloads offloads() {
      return Offloads.NONE;
    }

    @Override
    public boolean receive(Frame frame) {
      boolean taken = in.add(frame);
      if (in.claimWork()) {
        run(this::spread);
      }
      return taken;
    }

    private void spread() {
      in.beginWork();
      for (Frame f = in.poll(); f != null; f = in.poll()) {
        Frame frame = f;
        ports.stream().filter(p -> p != this).forEach(p -> p.send(frame));
      }
      if (in.wasRefused()) {
        peer.roomAgain();
      }
    }

    /** What a port has no room for waits, and is lost when that is too much: as on a busy network. */
    private void send(Frame frame) {
      if (waiting.isEmpty() && peer.receive(frame)) {
        return;
      }
      if (waiting.size() < MOST_WAITING) {
        waiting.add(frame);
      }
    }

    @Override
    public void roomAgain() {
      run(
          () -> {
            while (!waiting.isEmpty() && peer.receive(waiting.getFirst())) {
              waiting.removeFirst();
            }
          });
    }

    @Override
    public String describe() {
      return "type=hubport,hub=" + number;
    }

    @Override
    public void connect(NetPeer guest) {
      peer = guest;
    }

    @Override
    public void close() {
      ports.remove(this);
      if (ports.isEmpty()) {
        thread.shutdownNow();
      }
    }
  }

  /**
   * Connects another network to the hub: a cable from the back end of {@code link} to a port.
   *
   * @return the port, which no card can use any more
   * @throws DeviceException when that network is in use
   */
  public static NetBackend join(NetLink link, NetBackend port) throws DeviceException {
    link.plug(port);
    port.connect(
        new NetPeer() {
          @Override
          public Offloads offloads() {
            return Offloads.NONE;
          }

          @Override
          public boolean receive(Frame frame) {
            return link.send(frame);
          }

          @Override
          public void roomAgain() {
            link.cardHasRoom();
          }
        });
    return new Joined(port, link);
  }

  /**
   * What a back end is to a hub.
   *
   * @param hub its number
   * @param network what the port is connected to, if that is not a card
   */
  public record Membership(int hub, Optional<NetLink> network) {}

  /** What {@code backend} is to a hub; nothing if it is no port of any. */
  public static Optional<Membership> membership(NetBackend backend) {
    return switch (backend) {
      case Port port -> Optional.of(new Membership(port.hub().number, Optional.empty()));
      case Joined(Port port, NetLink network) -> Optional.of(new Membership(port.hub().number, Optional.of(network)));
      default -> Optional.empty();
    };
  }

  /** A port that is taken: it stands for its id, and closes with it. */
  private record Joined(NetBackend port, NetLink network) implements NetBackend {
    @Override
    public Offloads offloads() {
      return Offloads.NONE;
    }

    @Override
    public boolean receive(Frame frame) {
      return true;
    }

    @Override
    public void roomAgain() {}

    @Override
    public String describe() {
      return port.describe();
    }

    @Override
    public void connect(NetPeer guest) {}

    @Override
    public void close() {
      port.close();
    }
  }
}
