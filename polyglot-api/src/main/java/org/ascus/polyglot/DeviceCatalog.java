package org.ascus.polyglot;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.ServiceLoader;
import org.ascus.machine.device.DeviceException;
import org.ascus.machine.device.DeviceProvider;
import org.ascus.machine.device.DeviceType;
import org.ascus.machine.device.PropertyValues;

/** The device types that a user can name, from every module that provides some. */
public final class DeviceCatalog {
  /** The board's virtio transports take their layout from this global. */
  static final String VIRTIO_MMIO = "virtio-mmio";

  static final String FORCE_LEGACY = "force-legacy";

  private final Map<String, DeviceType> types = new LinkedHashMap<>();
  private final Map<String, String> aliases = new LinkedHashMap<>();

  public DeviceCatalog() {
    for (DeviceProvider provider : providers()) {
      provider.types().forEach(t -> types.put(t.name(), t));
      aliases.putAll(provider.aliases());
    }
  }

  /** Those of modules, for which no jar needs to be opened; on a class path all. */
  private static Iterable<DeviceProvider> providers() {
    ModuleLayer layer = DeviceCatalog.class.getModule().getLayer();
    return layer != null
        ? ServiceLoader.load(layer, DeviceProvider.class)
        : ServiceLoader.load(DeviceProvider.class, DeviceCatalog.class.getClassLoader());
  }

  /** All types, in order of declaration. */
  public List<DeviceType> types() {
    return List.copyOf(types.values());
  }

  /** The type of that name or alias. */
  public Optional<DeviceType> find(String name) {
    return Optional.ofNullable(types.get(aliases.getOrDefault(name, name)));
  }

  /**
   * The values of a device's properties.
   *
   * @throws VmException naming the device type, property or value that is wrong
   */
  public PropertyValues values(DeviceOptions device, List<GlobalProperty> globals) throws VmException {
    DeviceType type =
        find(device.driver())
            .orElseThrow(
                () ->
                    new VmException(
                        device.option() + ": '" + device.driver() + "' is not a valid device model name"));
    Map<String, String> texts = new LinkedHashMap<>();
    for (GlobalProperty g : globals) {
      if (aliases.getOrDefault(g.driver(), g.driver()).equals(type.name())) {
        texts.put(g.property(), g.value());
      }
    }
    texts.putAll(device.properties());
    try {
      return new PropertyValues(type.name(), type.properties(), texts);
    } catch (DeviceException e) {
      throw new VmException(device.option() + ": " + e.getMessage(), e);
    }
  }

  /**
   * Checks that a global names a property that there is, and a value it takes.
   *
   * @throws VmException naming the part that is wrong
   */
  public void check(GlobalProperty global) throws VmException {
    String option = "-global " + global.driver() + "." + global.property() + "=" + global.value();
    if (global.driver().equals(VIRTIO_MMIO)) {
      if (!global.property().equals(FORCE_LEGACY)) {
        throw new VmException(option + ": Property 'virtio-mmio." + global.property() + "' not found");
      }
      if (!List.of("on", "off", "true", "false", "yes", "no").contains(global.value())) {
        throw new VmException(option + ": Parameter 'virtio-mmio.force-legacy' expects on or off");
      }
      return;
    }
    Map<String, String> texts = Map.of(global.property(), global.value());
    values(new DeviceOptions(option, global.driver(), "", texts), List.of());
  }

  /** Whether the board's virtio transports begin with the layout from before VIRTIO 1, which is QEMU's default. */
  static boolean legacyVirtio(List<GlobalProperty> globals) {
    boolean legacy = true;
    for (GlobalProperty g : globals) {
      if (g.driver().equals(VIRTIO_MMIO) && g.property().equals(FORCE_LEGACY)) {
        legacy = List.of("on", "true", "yes").contains(g.value());
      }
    }
    return legacy;
  }
}
