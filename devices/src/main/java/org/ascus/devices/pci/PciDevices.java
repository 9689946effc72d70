package org.ascus.devices.pci;

import java.util.ArrayList;
import java.util.List;
import org.ascus.machine.device.DeviceException;
import org.ascus.machine.device.DeviceProvider;
import org.ascus.machine.device.DeviceType;
import org.ascus.machine.device.Property;
import org.ascus.machine.device.Property.Kind;

/** The bridges that a user can name. */
public final class PciDevices implements DeviceProvider {
  /** The kind of bus, as in {@code -device help}. */
  public static final String BUS = "PCI";

  private static final int MOST_CHASSIS = 0xff;
  private static final int MOST_SLOT = 0x1fff;

  /** For {@link java.util.ServiceLoader}. */
  public PciDevices() {}

  @Override
  public List<DeviceType> types() {
    List<Property> properties = new ArrayList<>(PciPlug.PROPERTIES);
    properties.add(new Property("chassis", Kind.UINT32, "0", "Number of the chassis, up to 255"));
    properties.add(new Property("port", Kind.UINT32, "0", "Number of the port, up to 255"));
    properties.add(new Property("slot", Kind.UINT32, "0", "Number of the slot as its label says, up to 8191"));
    return List.of(
        new DeviceType(
            "pcie-root-port",
            BUS,
            "PCI Express Root Port",
            properties,
            (context, id, v) -> {
              PcieRootPort port =
                  new PcieRootPort(
                      id,
                      number("chassis", v.getLong("chassis"), MOST_CHASSIS),
                      number("port", v.getLong("port"), MOST_CHASSIS),
                      number("slot", v.getLong("slot"), MOST_SLOT));
              // The guest knows slots by these numbers.
              if (PciPlug.bus(context, v).functions().stream()
                  .anyMatch(f -> f instanceof PcieRootPort other && other.isSameSlot(port))) {
                throw new DeviceException("Can't add chassis slot, error -16");
              }
              PciPlug.plug(context, v, port);
              return port;
            }));
  }

  private static int number(String name, long value, int most) throws DeviceException {
    if (value > most) {
      throw new DeviceException("Property 'pcie-root-port." + name + "' doesn't take value " + value);
    }
    return (int) value;
  }
}
