package org.ascus.devices.virtio;

import java.util.ArrayList;
import java.util.List;
import org.ascus.devices.pci.PciDevices;
import org.ascus.devices.pci.PciPlug;
import org.ascus.devices.virtio.transport.pci.VirtioPci;
import org.ascus.devices.virtio.transport.pci.VirtioPciOptions;
import org.ascus.machine.device.Device;
import org.ascus.machine.device.DeviceContext;
import org.ascus.machine.device.DeviceException;
import org.ascus.machine.device.DeviceType;
import org.ascus.machine.device.Property;
import org.ascus.machine.device.Property.Kind;
import org.ascus.machine.device.PropertyValues;
import org.ascus.machine.run.RunState;

/**
 * A kind of virtio device, from which come its types on all transports: {@code -device} for a virtio bus, {@code -pci},
 * and the latter with the interfaces fixed, {@code -pci-transitional} and {@code -pci-non-transitional}.
 *
 * @param stem such as {@code virtio-blk}
 * @param description one line of help
 * @param transitional whether there is a legacy interface, for drivers from before VIRTIO 1
 * @param properties those of the device, whatever its transport
 * @param maker makes one that is not plugged in yet
 */
record VirtioKind(String stem, String description, boolean transitional, List<Property> properties, Maker maker) {
  private static final String VIRTIO_BUS = "virtio-bus";
  private static final String AUTO = "auto";
  private static final int CONSOLE = 3;
  private static final int CONSOLE_VECTORS = 2;

  private static final List<Property> RING_PROPERTIES =
      List.of(
          new Property("indirect_desc", Kind.BOOL, "on", "Offer indirect descriptors"),
          new Property("event_idx", Kind.BOOL, "on", "Offer notification suppression by index"),
          new Property("packed", Kind.BOOL, "off", "Offer packed rings"));

  private static final Property BUS = new Property("bus", Kind.STRING, "", "Bus to plug into");
  private static final Property VECTORS =
      new Property("vectors", Kind.UINT32, "", "Message vectors; one for each queue and one more if not set");
  private static final List<Property> INTERFACES =
      List.of(
          new Property("disable-legacy", Kind.STRING, AUTO, "on/off/auto: auto is on behind a port"),
          new Property("disable-modern", Kind.BOOL, "off", "Offer the legacy interface only"));

  /** Makes a device. */
  @FunctionalInterface
  interface Maker {
    VirtioDevice make(DeviceContext context, String id, PropertyValues values) throws DeviceException;
  }

  /** Which interfaces a PCI function offers. */
  @FunctionalInterface
  private interface Interfaces {
    VirtioPciOptions of(PropertyValues values, boolean express, int vectors) throws DeviceException;
  }

  /** One that drivers from before VIRTIO 1 know. */
  VirtioKind(String stem, String description, List<Property> properties, Maker maker) {
    this(stem, description, true, properties, maker);
  }

  List<DeviceType> types() {
    DeviceType plain = new DeviceType(stem + "-device", VIRTIO_BUS, description, all(List.of(BUS)), this::create);
    if (!transitional) {
      return List.of(
          plain, pci("-pci", List.of(), (v, express, n) -> new VirtioPciOptions(false, true, express, n)));
    }
    return List.of(
        plain,
        pci("-pci", INTERFACES, this::asAsked),
        pci("-pci-transitional", List.of(), (v, express, n) -> new VirtioPciOptions(true, true, express, n)),
        pci("-pci-non-transitional", List.of(), (v, express, n) -> new VirtioPciOptions(false, true, express, n)));
  }

  private List<Property> all(List<Property> ofTransport) {
    List<Property> all = new ArrayList<>(ofTransport);
    all.addAll(properties);
    all.addAll(RING_PROPERTIES);
    return all;
  }

  private DeviceType pci(String suffix, List<Property> more, Interfaces interfaces) {
    List<Property> ofTransport = new ArrayList<>(PciPlug.PROPERTIES);
    ofTransport.addAll(more);
    ofTransport.add(VECTORS);
    String name = stem + suffix;
    return new DeviceType(
        name,
        PciDevices.BUS,
        description,
        all(ofTransport),
        (context, id, v) -> {
          VirtioDevice device = make(context, id, v);
          int most = device.deviceId() == CONSOLE ? CONSOLE_VECTORS : device.queueCount() + 1;
          int vectors = v.isSet("vectors") ? (int) Math.min(v.getLong("vectors"), Integer.MAX_VALUE) : most;
          boolean express = PciPlug.bus(context, v).isLink();
          VirtioPciOptions options = interfaces.of(v, express, vectors);
          VirtioPci function = new VirtioPci(name, id, device, context.machine().log(), options);
          PciPlug.plug(context, v, function);
          // Before the device: a saved state tells the interface before what was negotiated by it.
          context.machine().addDevice(function);
          return device;
        });
  }

  private VirtioPciOptions asAsked(PropertyValues v, boolean express, int vectors) throws DeviceException {
    boolean withoutLegacy =
        switch (v.getString("disable-legacy")) {
          case AUTO -> express;
          case "on", "true", "yes" -> true;
          case "off", "false", "no" -> false;
          default ->
              throw new DeviceException(
                  "Parameter 'disable-legacy' expects on, off or auto, not '" + v.getString("disable-legacy") + "'");
        };
    return new VirtioPciOptions(!withoutLegacy, !v.getBool("disable-modern"), express, vectors);
  }

  private Device create(DeviceContext context, String id, PropertyValues v) throws DeviceException {
    VirtioDevice device = make(context, id, v);
    context.lookup(VirtioBus.class, v.getString("bus")).plug(device);
    return device;
  }

  private VirtioDevice make(DeviceContext context, String id, PropertyValues v) throws DeviceException {
    VirtioDevice device = maker.make(context, id, v);
    device.setRingFeatures(v.getBool("indirect_desc"), v.getBool("event_idx"), v.getBool("packed"));
    context
        .machine()
        .addStateListener(
            state -> {
              if (state == RunState.RUNNING) {
                device.resumed();
              }
            });
    return device;
  }
}
