package org.ascus.devices.pci;

import java.util.List;
import org.ascus.machine.device.DeviceContext;
import org.ascus.machine.device.DeviceException;
import org.ascus.machine.device.Property;
import org.ascus.machine.device.Property.Kind;
import org.ascus.machine.device.PropertyValues;

/** A device with a bus behind it, which {@code -device X,bus=} names by the device's id. */
public interface PciPlug {
  /** What every PCI function that a user can name has. */
  List<Property> PROPERTIES =
      List.of(
          new Property("addr", Kind.STRING, "", "Slot and optional function number, example: 06.0 or 06"),
          new Property("bus", Kind.STRING, "", "Bus to plug into"),
          new Property("multifunction", Kind.BOOL, "off", "More functions may share the slot"),
          new Property("rombar", Kind.UINT32, "1", "There are no option ROMs, so 0 changes nothing"),
          new Property("romfile", Kind.STRING, "", "There are no option ROMs: empty"));

  /** The bus behind the device. */
  PciBus childBus();

  /** The bus that {@code bus=} names, or the root bus. */
  static PciBus bus(DeviceContext context, PropertyValues values) throws DeviceException {
    return context.lookup(PciPlug.class, values.getString("bus")).childBus();
  }

  /** Plugs {@code function} in where {@link #PROPERTIES} say. */
  static void plug(DeviceContext context, PropertyValues values, PciFunction function) throws DeviceException {
    if (values.getBool("multifunction")) {
      function.setMultifunction();
    }
    if (!values.getString("romfile").isEmpty()) {
      throw new DeviceException("romfile '" + values.getString("romfile") + "': there are no option ROMs here");
    }
    bus(context, values).plug(function, values.getString("addr"));
  }
}
