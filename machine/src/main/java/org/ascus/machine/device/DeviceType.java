package org.ascus.machine.device;

import java.util.List;

/**
 * A kind of device that a user can name.
 *
 * @param name as in {@code -device name}
 * @param bus the kind of bus it plugs into, such as {@code virtio-bus}; {@code none} for a device with no bus
 * @param description one line of help
 * @param properties in the order of help
 * @param factory makes one; called with checked values
 */
public record DeviceType(
    String name, String bus, String description, List<Property> properties, Factory factory) {
  /** Makes a device and plugs it in. */
  @FunctionalInterface
  public interface Factory {
    Device create(DeviceContext context, String id, PropertyValues values) throws DeviceException;
  }
}
