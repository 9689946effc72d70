package org.ascus.launcher.monitor;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.ascus.devices.net.NetCard;
import org.ascus.devices.net.NetHub;
import org.ascus.devices.net.NetLink;
import org.ascus.devices.net.user.HostForward;
import org.ascus.devices.net.user.UserNet;
import org.ascus.launcher.options.NetArguments;
import org.ascus.launcher.options.OptionException;
import org.ascus.machine.device.Device;
import org.ascus.machine.device.DeviceException;
import org.ascus.polyglot.HostObject;
import org.ascus.polyglot.HostObject.FilterKind;
import org.ascus.polyglot.Vm;
import org.ascus.polyglot.VmException;

/** Commands about networks. */
final class NetCommands {
  private final Vm vm;

  NetCommands(Vm vm) {
    this.vm = vm;
  }

  private List<Device> cards() {
    return vm.machine().devices().stream().filter(NetCard.class::isInstance).toList();
  }

  /** {@code info network}: hubs with their ports, back ends without a card, then each card with its back end. */
  String network() {
    List<NetLink> links = new ArrayList<>(vm.networks().values());
    StringBuilder text = new StringBuilder(hubs(links));
    links.removeIf(link -> NetHub.membership(link.backend()).isPresent());
    Set<NetLink> onHubs =
        vm.networks().values().stream()
            .flatMap(link -> NetHub.membership(link.backend()).flatMap(NetHub.Membership::network).stream())
            .collect(Collectors.toSet());
    List<Device> cards = cards();
    links.stream()
        .filter(link -> !onHubs.contains(link) && cards.stream().noneMatch(c -> ((NetCard) c).link() == link))
        .forEach(link -> text.append(line(link)));
    for (Device device : cards) {
      NetLink link = ((NetCard) device).link();
      if (NetHub.membership(link.backend()).isEmpty()) {
        text.append(line(device));
        if (!link.id().isEmpty()) {
          text.append(" \\ ").append(line(link));
        }
      }
    }
    return text.toString();
  }

  /** The newest hub and port first, each port with what it is connected to. */
  private String hubs(List<NetLink> links) {
    Map<Integer, List<String>> hubs = new LinkedHashMap<>();
    for (NetLink port : links.reversed()) {
      NetHub.membership(port.backend())
          .ifPresent(
              membership ->
                  hubs.computeIfAbsent(membership.hub(), n -> new ArrayList<>())
                      .add(" \\ " + port.id() + other(port, membership)));
    }
    StringBuilder text = new StringBuilder();
    hubs.forEach((number, ports) -> text.append("hub ").append(number).append('\n').append(String.join("", ports)));
    return text.toString();
  }

  private String other(NetLink port, NetHub.Membership membership) {
    return membership
        .network()
        .map(this::line)
        .or(() -> cards().stream().filter(c -> ((NetCard) c).link() == port).findFirst().map(this::line))
        .map(line -> ": " + line)
        .orElse("\n");
  }

  private String line(Device device) {
    NetCard card = (NetCard) device;
    String up = card.link().isUp() ? "" : ",link=off";
    return String.format("%s: index=0,type=nic,model=%s,macaddr=%s%s%n", device.id(), model(device), card.mac(), up);
  }

  /** What the user asked for: the function that a virtio card is plugged into has its id, and comes first. */
  private String model(Device card) {
    return vm.machine().devices().stream().filter(d -> d.id().equals(card.id())).findFirst().orElse(card).type();
  }

  private String line(NetLink link) {
    StringBuilder text = new StringBuilder(link.id() + ": index=0," + link.backend().describe() + "\n");
    List<HostObject.Filter> filters = vm.filters(link.id());
    if (!filters.isEmpty()) {
      text.append("filters:\n");
      filters.forEach(filter -> text.append(line(filter)));
    }
    return text.toString();
  }

  /** A filter with its properties, those of its kind first. It always stands behind the ones before it. */
  private static String line(HostObject.Filter filter) {
    String kind =
        switch (filter.kind()) {
          case FilterKind.Dump(var file, int most) -> "filter-dump,file=" + file + ",maxlen=" + most;
          case FilterKind.Mirror(String out, boolean headers) ->
              "filter-mirror,vnet_hdr_support=" + headers + ",outdev=" + out;
          case FilterKind.Redirector(var in, var out, boolean headers) ->
              "filter-redirector,vnet_hdr_support=" + headers + ",indev=" + in.orElse("") + ",outdev="
                  + out.orElse("");
          case FilterKind.Buffer(long micros) -> "filter-buffer,interval=" + micros;
        };
    // The queues are named after the back end's side of the cable.
    String queue =
        switch (filter.direction()) {
          case RX -> "tx";
          case TX -> "rx";
          case ALL -> "all";
        };
    return String.format("  - %s: type=%s,position=tail,status=%s,insert=behind,netdev=%s,queue=%s%n",
        filter.id(), kind, filter.on() ? "on" : "off", filter.netdev(), queue);
  }

  /** {@code info usernet}. */
  String usernet() {
    StringBuilder text = new StringBuilder();
    for (NetLink link : vm.networks().values()) {
      if (link.backend() instanceof UserNet net) {
        text.append("Hub ").append(hub(link)).append(" (").append(link.id()).append("):\n");
        text.append("  Protocol[State]    FD  Source Address  Port   Dest. Address  Port RecvQ SendQ\n");
        net.connections().forEach(row -> text.append(row).append('\n'));
      }
    }
    return text.toString();
  }

  /** The number of the hub that a network is on, or -1. */
  private int hub(NetLink network) {
    return vm.networks().values().stream()
        .flatMap(port -> NetHub.membership(port.backend()).stream())
        .filter(membership -> membership.network().filter(n -> n == network).isPresent())
        .mapToInt(NetHub.Membership::hub)
        .findFirst()
        .orElse(-1);
  }

  String setLink(List<String> arguments) {
    if (arguments.size() != 2 || !List.of("on", "off").contains(arguments.get(1))) {
      throw new IllegalArgumentException("set_link takes a name and on or off");
    }
    String name = arguments.getFirst();
    NetLink link =
        cards().stream()
            .filter(c -> c.id().equals(name))
            .map(c -> ((NetCard) c).link())
            .findFirst()
            .or(() -> java.util.Optional.ofNullable(vm.networks().get(name)))
            .orElseThrow(() -> new IllegalArgumentException("Device '" + name + "' not found"));
    link.setUp(arguments.get(1).equals("on"));
    return "";
  }

  String addNetwork(List<String> arguments) throws VmException {
    try {
      vm.addNetwork(NetArguments.parse(String.join(" ", arguments)));
      return "";
    } catch (OptionException e) {
      throw new IllegalArgumentException(e.getMessage(), e);
    }
  }

  String removeNetwork(List<String> arguments) throws VmException {
    if (arguments.size() != 1) {
      throw new IllegalArgumentException("netdev_del takes the id of a network");
    }
    vm.removeNetwork(arguments.getFirst());
    return "";
  }

  String addForward(List<String> arguments) {
    try {
      user(arguments).addForward(HostForward.parse(rule(arguments)));
    } catch (DeviceException e) {
      throw new IllegalArgumentException(e.getMessage(), e);
    }
    return "";
  }

  String removeForward(List<String> arguments) {
    String rule = rule(arguments);
    boolean removed = user(arguments).removeForward(HostForward.parseHostPart(rule));
    return "host forwarding rule for " + rule + (removed ? " removed" : " not found") + "\n";
  }

  private static String rule(List<String> arguments) {
    if (arguments.isEmpty() || arguments.size() > 2) {
      throw new IllegalArgumentException("expected [netdev_id] and a forwarding rule");
    }
    return arguments.getLast();
  }

  /** The network that is named, or the only one of its kind. */
  private UserNet user(List<String> arguments) {
    if (arguments.size() == 2) {
      NetLink link = vm.networks().get(arguments.getFirst());
      if (link == null || !(link.backend() instanceof UserNet net)) {
        throw new IllegalArgumentException("no user network '" + arguments.getFirst() + "'");
      }
      return net;
    }
    return vm.networks().values().stream()
        .map(NetLink::backend)
        .filter(UserNet.class::isInstance)
        .map(UserNet.class::cast)
        .findFirst()
        .orElseThrow(() -> new IllegalArgumentException("user mode network stack not in use"));
  }
}
