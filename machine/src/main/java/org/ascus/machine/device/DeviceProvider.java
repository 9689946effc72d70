package org.ascus.machine.device;

import java.util.List;
import java.util.Map;

/** Found by {@link java.util.ServiceLoader}: the device types of a module. */
public interface DeviceProvider {
  List<DeviceType> types();

  /** Other names of types, each with the name that it stands for. */
  default Map<String, String> aliases() {
    return Map.of();
  }
}
