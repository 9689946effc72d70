package org.ascus.devices.virtio.scsi;

import java.util.ArrayList;
import java.util.List;
import org.ascus.devices.block.Drive;
import org.ascus.devices.scsi.ScsiDisk;
import org.ascus.devices.scsi.ScsiDiskOptions;
import org.ascus.devices.virtio.VirtioDevices;
import org.ascus.machine.device.Device;
import org.ascus.machine.device.DeviceContext;
import org.ascus.machine.device.DeviceException;
import org.ascus.machine.device.DeviceProvider;
import org.ascus.machine.device.DeviceType;
import org.ascus.machine.device.Property;
import org.ascus.machine.device.Property.Kind;
import org.ascus.machine.device.PropertyValues;

/** The SCSI units that a user can name. */
public final class ScsiDevices implements DeviceProvider {
  /** The kind of bus that they plug into. */
  public static final String BUS = "SCSI";

  /** For {@link java.util.ServiceLoader}. */
  public ScsiDevices() {}

  @Override
  public List<DeviceType> types() {
    return List.of(
        type("scsi-hd", "virtual SCSI disk", ScsiDiskOptions.DISK),
        type("scsi-cd", "virtual SCSI CD-ROM", ScsiDiskOptions.CD));
  }

  private static DeviceType type(String name, String description, ScsiDiskOptions d) {
    List<Property> properties =
        new ArrayList<>(
            List.of(
                new Property("bus", Kind.STRING, "", "Bus to plug into"),
                new Property("drive", Kind.DRIVE, "", "Node name or ID of a block device to use as a backend"),
                new Property("channel", Kind.UINT32, "0", "There is channel 0 only"),
                new Property("scsi-id", Kind.UINT32, "", "Target, 0 to 255; the lowest free one if not set"),
                new Property("lun", Kind.UINT32, "0", "Logical unit, 0 to 16383"),
                new Property("bootindex", Kind.UINT32, "", "Place in the firmware's boot order"),
                new Property("write-cache", Kind.STRING, "auto", "A write cache: on, off, or auto as the drive says"),
                new Property("share-rw", Kind.BOOL, "off", "Other devices may have the disk, too")));
    properties.addAll(d.properties());
    return new DeviceType(name, BUS, description, properties, (context, id, v) -> make(context, id, v, name, d));
  }

  private static Device make(DeviceContext context, String id, PropertyValues v, String name, ScsiDiskOptions d)
      throws DeviceException {
    boolean named = !v.getString("drive").isEmpty();
    if (!named && !d.cdrom()) {
      throw new DeviceException("drive property not set");
    }
    if (v.getLong("channel") != 0) {
      throw new DeviceException("bad scsi channel id: " + v.getLong("channel"));
    }
    Drive drive = named ? context.lookup(Drive.class, v.getString("drive")) : new Drive(id);
    if (!d.cdrom() && drive.medium().isEmpty()) {
      throw new DeviceException("Device needs media, but drive is empty");
    }
    ScsiDiskOptions options = d.with(v, named ? drive.id() : "", drive.errors());
    VirtioDevices.setCache(drive, v);
    ScsiDisk unit = new ScsiDisk(id, drive, options);
    int target = v.isSet("scsi-id") ? (int) Math.min(v.getLong("scsi-id"), Integer.MAX_VALUE) : ScsiBus.ANY;
    int lun = (int) Math.min(v.getLong("lun"), Integer.MAX_VALUE);
    ScsiBus bus = context.lookup(ScsiBus.class, v.getString("bus"));
    bus.plug(unit, target, lun);
    drive.attach(unit);
    return new ScsiUnitDevice(name, id, unit, bus);
  }
}
