package org.ascus.polyglot;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.ascus.devices.net.NetBackend;
import org.ascus.devices.net.NetLink;
import org.ascus.devices.net.user.UserNet;
import org.ascus.machine.device.DeviceException;
import org.ascus.machine.trace.Log;

/** The networks of a machine while it is made: opened in order, all of them closed when that fails. */
final class Networks implements AutoCloseable {
  private final Log log;
  private final Map<String, NetLink> links = new LinkedHashMap<>();

  Networks(Log log) {
    this.log = log;
  }

  void open(List<NetdevOptions> all) throws VmException {
    for (NetdevOptions one : all) {
      if (links.containsKey(one.id())) {
        throw new VmException(one.option() + ": Duplicate ID '" + one.id() + "' for netdev");
      }
      try {
        links.put(one.id(), new NetLink(one.id(), backend(one)));
      } catch (DeviceException e) {
        throw new VmException(one.option() + ": " + e.getMessage(), e);
      }
    }
  }

  private NetBackend backend(NetdevOptions options) throws DeviceException {
    return switch (options) {
      case NetdevOptions.User user -> new UserNet(user.id(), user.network(), log);
    };
  }

  Optional<NetLink> find(String id) {
    return Optional.ofNullable(links.get(id));
  }

  Map<String, NetLink> links() {
    return links;
  }

  @Override
  public void close() {
    links.values().forEach(l -> l.backend().close());
  }
}
