package org.ascus.launcher.monitor;

import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import org.ascus.devices.pci.PciPlug;
import org.ascus.devices.virtio.scsi.ScsiUnitDevice;
import org.ascus.devices.virtio.transport.mmio.VirtioMmio;
import org.ascus.devices.virtio.transport.pci.VirtioPci;
import org.ascus.machine.device.Device;

/** {@code info qtree}: the devices, each on its bus and with the buses behind it. */
final class DeviceTree {
  private static final String STEP = "  ";

  private final List<Device> devices;
  private final StringBuilder text = new StringBuilder();

  private record Bus(String name, String type, List<? extends Device> devices) {}

  private DeviceTree(List<Device> devices) {
    this.devices = devices;
  }

  /** The text, with the machine's own bus at the root. */
  static String of(List<Device> devices) {
    DeviceTree tree = new DeviceTree(devices);
    Set<Device> behind = Collections.newSetFromMap(new IdentityHashMap<>());
    devices.forEach(device -> tree.buses(device).forEach(bus -> behind.addAll(bus.devices())));
    List<Device> roots = devices.stream().filter(device -> !behind.contains(device)).toList();
    tree.show(new Bus("main-system-bus", "System", roots), "");
    return tree.text.toString();
  }

  private void show(Bus bus, String indent) {
    text.append(indent).append("bus: ").append(bus.name()).append('\n');
    String inner = indent + STEP;
    text.append(inner).append("type ").append(bus.type()).append('\n');
    for (Device device : bus.devices()) {
      text.append(String.format("%sdev: %s, id \"%s\"%n", inner, device.type(), device.id()));
      device.properties().forEach((k, v) -> text.append(String.format("%s%s = %s%n", inner + STEP, k, v)));
      buses(device).forEach(behind -> show(behind, inner + STEP));
    }
  }

  private List<Bus> buses(Device device) {
    List<Bus> result = new ArrayList<>();
    switch (device) {
      case PciPlug plug -> result.add(new Bus(plug.childBus().name(), "PCIE", plug.childBus().functions()));
      // A virtio device behind a function has the function's id, and what is plugged into it names that.
      case VirtioPci function -> result.add(new Bus("virtio-bus", "virtio-pci-bus", List.of(function.device())));
      case VirtioMmio slot -> result.add(new Bus(slot.id(), "virtio-mmio-bus", slot.plugged().stream().toList()));
      default -> {
        List<Device> children =
            devices.stream().filter(d -> d.parent().filter(device.id()::equals).isPresent()).toList();
        if (!children.isEmpty()) {
          String type = children.getFirst() instanceof ScsiUnitDevice ? "SCSI" : "virtio-serial-bus";
          result.add(new Bus(device.id() + ".0", type, children));
        }
      }
    }
    return result;
  }
}
