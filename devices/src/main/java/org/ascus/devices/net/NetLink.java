package org.ascus.devices.net;

import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import org.ascus.machine.device.DeviceException;

/**
 * The cable between a network card and a back end. A frame on a cable that is pulled is lost.
 *
 * <p>The back end's end of it is what {@link NetBackend#connect} gets; the card's end are the methods here.
 */
public final class NetLink implements AutoCloseable {
  private record Tap(NetTap.Direction direction, NetTap tap) {}

  private final String id;
  private final NetBackend backend;
  private final List<Tap> taps = new CopyOnWriteArrayList<>();
  private volatile Optional<NetPeer> card = Optional.empty();
  private volatile boolean up = true;
  private volatile boolean removed;

  /**
   * @param id of the back end
   */
  public NetLink(String id, NetBackend backend) {
    this.id = id;
    this.backend = backend;
    backend.connect(new GuestEnd());
  }

  /** A cable that leads nowhere. */
  public static NetLink none() {
    return new NetLink("", new NoBackend());
  }

  public String id() {
    return id;
  }

  public NetBackend backend() {
    return backend;
  }

  /** Whether a card is plugged in. */
  public boolean inUse() {
    return card.isPresent();
  }

  /**
   * Plugs a card in, once.
   *
   * @throws DeviceException when there is one already
   */
  public void plug(NetPeer card) throws DeviceException {
    if (inUse()) {
      throw new DeviceException("Property 'netdev' can't take value '" + id + "', it's in use");
    }
    this.card = Optional.of(card);
  }

  /** Pulls a card out for good, so that another one may come; nothing if it is not this one's. */
  public void unplug(NetPeer card) {
    if (this.card.equals(Optional.of(card))) {
      this.card = Optional.empty();
    }
  }

  /** Lets someone see the frames; they are closed with this. */
  public void add(NetTap tap, NetTap.Direction direction) {
    taps.add(new Tap(direction, tap));
  }

  private void show(Frame frame, NetTap.Direction direction) {
    for (Tap t : taps) {
      if (t.direction() == NetTap.Direction.ALL || t.direction() == direction) {
        t.tap().seen(frame);
      }
    }
  }

  public boolean isUp() {
    return up;
  }

  /** Pulls the cable, or plugs it in again. */
  public void setUp(boolean up) {
    if (removed) {
      return;
    }
    this.up = up;
    card.ifPresent(c -> c.linkChanged(up));
    backend.linkChanged(up);
  }

  /** What may be sent to the back end. */
  public Offloads offloads() {
    return backend.offloads();
  }

  /** As {@link NetPeer#receive} of the back end. */
  public boolean send(Frame frame) {
    boolean taken = !up || backend.receive(frame);
    if (taken && up) {
      show(frame, NetTap.Direction.TX);
    }
    return taken;
  }

  /** The card has room again. */
  public void cardHasRoom() {
    backend.roomAgain();
  }

  /** Takes the back end away from a card that stays: its cable is pulled for good. */
  public void remove() {
    setUp(false);
    removed = true;
    close();
  }

  /** Closes the back end. */
  @Override
  public void close() {
    backend.close();
    taps.forEach(t -> t.tap().close());
  }

  private final class GuestEnd implements NetPeer {
    @Override
    public Offloads offloads() {
      return card.map(NetPeer::offloads).orElse(Offloads.NONE);
    }

    @Override
    public boolean receive(Frame frame) {
      boolean taken = !up || card.isEmpty() || card.get().receive(frame);
      if (taken && up) {
        show(frame, NetTap.Direction.RX);
      }
      return taken;
    }

    @Override
    public void roomAgain() {
      card.ifPresent(NetPeer::roomAgain);
    }
  }
}
