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
  private record Placed(NetFilter.Direction direction, NetFilter filter) {}

  private final String id;
  private final NetBackend backend;
  private final List<Placed> filters = new CopyOnWriteArrayList<>();
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

  /**
   * Puts a filter on the cable, next to the card: what goes to the guest comes to the first that was put there first,
   * and what comes from the guest to the last. It is closed with this.
   */
  public void add(NetFilter filter, NetFilter.Direction direction) {
    filters.add(new Placed(direction, filter));
  }

  /**
   * Lets a frame go on from a filter. Called by the filter's own thread, which holds no lock.
   *
   * @param frame a finished one, or one that the filter has seen
   * @param way {@link NetFilter.Direction#RX} or {@link NetFilter.Direction#TX}
   * @return false if there is no room, see {@link NetFilter#roomAgain}
   */
  public boolean inject(NetFilter from, Frame frame, NetFilter.Direction way) {
    List<NetFilter> chain = chain(way);
    return pass(frame, way, chain.subList(chain.indexOf(from) + 1, chain.size()));
  }

  /** The filters in the order in which a frame meets them. */
  private List<NetFilter> chain(NetFilter.Direction way) {
    if (filters.isEmpty()) {
      return List.of();
    }
    List<NetFilter> chain =
        filters.stream().filter(f -> f.direction().covers(way)).map(Placed::filter).toList();
    return way == NetFilter.Direction.RX ? chain : chain.reversed();
  }

  /** Filters see a frame only once it is taken, since who has no room for it gets it again. */
  private boolean pass(Frame frame, NetFilter.Direction way, List<NetFilter> chain) {
    if (!up) {
      return true;
    }
    int end = 0;
    while (end < chain.size() && !chain.get(end).diverts()) {
      end++;
    }
    boolean diverted = end < chain.size();
    if (!diverted && !(way == NetFilter.Direction.TX ? backend.receive(frame) : receive(frame))) {
      return false;
    }
    for (NetFilter filter : diverted ? chain.subList(0, end + 1) : chain) {
      filter.seen(frame, way);
    }
    return true;
  }

  private boolean receive(Frame frame) {
    Optional<NetPeer> now = card;
    return now.isEmpty() || now.get().receive(frame);
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
    return pass(frame, NetFilter.Direction.TX, chain(NetFilter.Direction.TX));
  }

  /** The card has room again. */
  public void cardHasRoom() {
    filters.forEach(f -> f.filter().roomAgain());
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
    filters.forEach(f -> f.filter().close());
  }

  private final class GuestEnd implements NetPeer {
    @Override
    public Offloads offloads() {
      return card.map(NetPeer::offloads).orElse(Offloads.NONE);
    }

    @Override
    public boolean receive(Frame frame) {
      return pass(frame, NetFilter.Direction.RX, chain(NetFilter.Direction.RX));
    }

    @Override
    public void roomAgain() {
      filters.forEach(f -> f.filter().roomAgain());
      card.ifPresent(NetPeer::roomAgain);
    }
  }
}
