package org.ascus.devices.net;

import java.util.Optional;
import org.ascus.machine.device.DeviceException;

/**
 * The cable between a network card and a back end. A frame on a cable that is pulled is lost.
 *
 * <p>The back end's end of it is what {@link NetBackend#connect} gets; the card's end are the methods here.
 */
public final class NetLink {
  private final String id;
  private final NetBackend backend;
  private volatile Optional<NetPeer> card = Optional.empty();
  private volatile boolean up = true;

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

  public boolean isUp() {
    return up;
  }

  /** Pulls the cable, or plugs it in again. */
  public void setUp(boolean up) {
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
    return !up || backend.receive(frame);
  }

  /** The card has room again. */
  public void cardHasRoom() {
    backend.roomAgain();
  }

  private final class GuestEnd implements NetPeer {
    @Override
    public Offloads offloads() {
      return card.map(NetPeer::offloads).orElse(Offloads.NONE);
    }

    @Override
    public boolean receive(Frame frame) {
      return !up || card.isEmpty() || card.get().receive(frame);
    }

    @Override
    public void roomAgain() {
      card.ifPresent(NetPeer::roomAgain);
    }
  }
}
