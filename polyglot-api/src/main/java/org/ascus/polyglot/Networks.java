package org.ascus.polyglot;

import java.io.IOException;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import org.ascus.devices.chardev.CharBackend;
import org.ascus.devices.host.HostErrors;
import org.ascus.devices.net.NetBackend;
import org.ascus.devices.net.NetFilter;
import org.ascus.devices.net.NetHub;
import org.ascus.devices.net.NetLink;
import org.ascus.devices.net.filter.BufferFilter;
import org.ascus.devices.net.filter.MirrorFilter;
import org.ascus.devices.net.filter.PcapDump;
import org.ascus.devices.net.filter.RedirectorFilter;
import org.ascus.devices.net.socket.DatagramNet;
import org.ascus.devices.net.socket.StreamNet;
import org.ascus.devices.net.socket.UnixDatagramNet;
import org.ascus.devices.net.tap.TapNet;
import org.ascus.devices.net.user.GuestForward;
import org.ascus.devices.net.user.UserNet;
import org.ascus.machine.clock.VirtualClock;
import org.ascus.machine.device.DeviceException;
import org.ascus.machine.trace.Log;
import org.ascus.polyglot.HostObject.FilterKind;

/** The networks of a machine: opened in order, all of them closed when that fails. */
final class Networks implements AutoCloseable {
  private final Log log;
  private final Map<String, ChardevSource> chardevs;
  private final Map<String, NetLink> links = new LinkedHashMap<>();
  private final Map<Integer, NetHub> hubs = new HashMap<>();
  private final List<HostObject.Filter> filters = new CopyOnWriteArrayList<>();

  /**
   * @param chardevs by their ids
   */
  Networks(Map<String, ChardevSource> chardevs, Log log) {
    this.chardevs = chardevs;
    this.log = log;
  }

  void open(List<NetdevOptions> all) throws VmException {
    for (NetdevOptions one : all) {
      add(one);
    }
  }

  synchronized void add(NetdevOptions one) throws VmException {
    if (links.containsKey(one.id())) {
      throw new VmException(one.option() + ": Duplicate ID '" + one.id() + "' for netdev");
    }
    try {
      links.put(one.id(), new NetLink(one.id(), backend(one)));
    } catch (DeviceException e) {
      throw new VmException(one.option() + ": " + e.getMessage(), e);
    }
  }

  synchronized void remove(String id) throws VmException {
    NetLink link = links.remove(id);
    if (link == null) {
      throw new VmException("Device '" + id + "' not found");
    }
    link.remove();
  }

  private NetBackend backend(NetdevOptions options) throws DeviceException, VmException {
    return switch (options) {
      case NetdevOptions.User user -> new UserNet(user.id(), user.network(), channels(user), log);
      case NetdevOptions.Stream s ->
          new StreamNet(s.id(), s.kind(), s.address(), s.server(), s.reconnectSeconds());
      case NetdevOptions.Datagram d -> new DatagramNet(d.id(), d.kind(), d.local(), d.remote());
      case NetdevOptions.UnixDatagram u -> new UnixDatagramNet(u.id(), u.local(), u.remote());
      case NetdevOptions.Tap t -> new TapNet(t.id(), t.name(), t.scripts());
      case NetdevOptions.Bridge b -> new TapNet(b.id(), b.helper());
      case NetdevOptions.HubPort h -> hubPort(h);
    };
  }

  private Map<String, CharBackend> channels(NetdevOptions.User user) throws VmException {
    Map<String, CharBackend> found = new HashMap<>();
    for (GuestForward forward : user.network().guestForwards()) {
      if (forward.target() instanceof GuestForward.Channel(String id) && !found.containsKey(id)) {
        found.put(id, chardev(user.option(), id));
      }
    }
    return found;
  }

  private NetBackend hubPort(NetdevOptions.HubPort options) throws DeviceException {
    NetBackend port = hubs.computeIfAbsent(options.hub(), NetHub::new).port();
    if (options.netdev().isEmpty()) {
      return port;
    }
    NetLink other = find(options.netdev()).orElseThrow(
        () -> new DeviceException("Parameter 'netdev': no netdev '" + options.netdev() + "' before this one"));
    return NetHub.join(other, port);
  }

  /**
   * Puts filters on the cables.
   *
   * @param clock guest time
   */
  void filter(List<HostObject> objects, VirtualClock clock) throws VmException {
    for (HostObject object : objects) {
      if (object instanceof HostObject.Filter f) {
        NetLink link = find(f.netdev()).orElseThrow(
            () -> new VmException(f.option() + ": Parameter 'netdev' expects a network backend id, not '" + f.netdev()
                + "'"));
        NetFilter filter = filter(f, link, clock);
        if (f.on()) {
          link.add(filter, f.direction());
        } else {
          filter.close();
        }
        filters.add(f);
      }
    }
  }

  private NetFilter filter(HostObject.Filter f, NetLink link, VirtualClock clock) throws VmException {
    return switch (f.kind()) {
      case FilterKind.Dump(var file, int most) -> {
        try {
          yield new PcapDump(file, most, log);
        } catch (IOException e) {
          throw new VmException(f.option() + ": Could not open '" + file + "': " + HostErrors.reason(e), e);
        }
      }
      case FilterKind.Mirror(String out, boolean headers) ->
          new MirrorFilter(chardev(f.option(), out), headers);
      case FilterKind.Redirector(Optional<String> in, Optional<String> out, boolean headers) -> {
        Optional<CharBackend> from = Optional.empty();
        Optional<CharBackend> to = Optional.empty();
        if (in.isPresent()) {
          from = Optional.of(chardev(f.option(), in.get()));
        }
        if (out.isPresent()) {
          to = Optional.of(chardev(f.option(), out.get()));
        }
        yield new RedirectorFilter(link, f.direction(), from, to, headers);
      }
      case FilterKind.Buffer(long micros) -> new BufferFilter(link, clock, micros);
    };
  }

  private CharBackend chardev(String option, String id) throws VmException {
    ChardevSource found = chardevs.get(id);
    if (found == null) {
      throw new VmException(option + ": Device '" + id + "' not found");
    }
    try {
      return found.open(id);
    } catch (DeviceException e) {
      throw new VmException(option + ": " + e.getMessage(), e);
    }
  }

  /** The filters on the cable of a network, in the order in which they were asked for. */
  List<HostObject.Filter> filters(String netdev) {
    return filters.stream().filter(f -> f.netdev().equals(netdev)).toList();
  }

  synchronized Optional<NetLink> find(String id) {
    return Optional.ofNullable(links.get(id));
  }

  synchronized Map<String, NetLink> links() {
    return new LinkedHashMap<>(links);
  }

  @Override
  public void close() {
    links().values().forEach(NetLink::close);
  }
}
