package org.ascus.machine.device;

import java.util.List;

/** Found by {@link java.util.ServiceLoader}: the device types of a module. */
public interface DeviceProvider {
  List<DeviceType> types();
}
