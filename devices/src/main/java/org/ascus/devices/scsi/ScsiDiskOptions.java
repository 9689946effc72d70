package org.ascus.devices.scsi;

import java.util.ArrayList;
import java.util.List;
import org.ascus.devices.block.BlockSizes;
import org.ascus.devices.block.ErrorPolicy;
import org.ascus.machine.device.DeviceException;
import org.ascus.machine.device.Property;
import org.ascus.machine.device.Property.Kind;
import org.ascus.machine.device.PropertyValues;

/**
 * What a user can choose about a disk.
 *
 * @param cdrom a CD drive with blocks of 2048 bytes, which cannot be written
 * @param removable whether its medium can be taken out; a CD drive's always can
 * @param names who the disk says that it is
 * @param sizes sizes of blocks, 512 to 4096 bytes, and of requests; space is not given back if the unit of that is 0
 * @param version of the SCSI standard that it says to follow
 * @param rotationRate revolutions in a minute; 1 for a disk that does not turn, 0 for not known
 * @param maxUnmap most bytes of a request to give back space
 * @param maxIo most bytes of a request
 * @param dpofua whether it tells the guest that writes can be made to reach the disk one by one
 * @param errors what becomes of commands that fail on the host
 */
public record ScsiDiskOptions(
    boolean cdrom,
    boolean removable,
    Names names,
    BlockSizes sizes,
    int version,
    int rotationRate,
    long maxUnmap,
    long maxIo,
    boolean dpofua,
    ErrorPolicy errors) {
  /**
   * Who a disk says that it is.
   *
   * @param serial serial number; empty for none
   * @param vendor up to 8 characters
   * @param product up to 16 characters
   * @param revision up to 4 characters
   * @param device a name that no other disk has; empty for none
   * @param wwn world wide name, 0 for none
   * @param portWwn of its port, 0 for none
   * @param portIndex number of its port, 0 for none
   */
  public record Names(
      String serial, String vendor, String product, String revision, String device, long wwn, long portWwn,
      int portIndex) {}

  private static final int CD_BLOCK = 2048;
  private static final int MOST_BLOCK = 4096;
  private static final int MOST_NUMBER = 0xffff;
  private static final int SPC_3 = 5;
  private static final long MAX_UNMAP = 1 << 30;
  private static final long MAX_IO = Integer.MAX_VALUE;

  /** Of a serial number, in the name of a disk that has no other. */
  private static final int MOST_SERIAL = 20;

  public static final ScsiDiskOptions DISK = of(false, "QEMU HARDDISK", BlockSizes.of(512, 4096));
  public static final ScsiDiskOptions CD = of(true, "QEMU CD-ROM", BlockSizes.of(CD_BLOCK, 0));

  private static ScsiDiskOptions of(boolean cdrom, String product, BlockSizes sizes) {
    Names names = new Names("", "QEMU", product, "2.5+", "", 0, 0, 0);
    return new ScsiDiskOptions(cdrom, cdrom, names, sizes, SPC_3, 0, MAX_UNMAP, MAX_IO, false, ErrorPolicy.DEFAULT);
  }

  /** The properties that say these, of a disk like this. */
  public List<Property> properties() {
    List<Property> all =
        new ArrayList<>(
            List.of(
                new Property("serial", Kind.STRING, "", "Serial number that the guest can read"),
                new Property("vendor", Kind.STRING, names.vendor(), "Up to 8 characters"),
                new Property("product", Kind.STRING, names.product(), "Up to 16 characters"),
                new Property("ver", Kind.STRING, names.revision(), "Up to 4 characters"),
                new Property("device_id", Kind.STRING, "", "Name of the disk; otherwise its serial or the drive's id"),
                new Property("wwn", Kind.UINT64, "0", "World wide name, 0 for none"),
                new Property("port_wwn", Kind.UINT64, "0", "World wide name of the port, 0 for none"),
                new Property("port_index", Kind.UINT32, "0", "Number of the port, 0 for none"),
                new Property("scsi_version", Kind.UINT32, Integer.toString(version), "Of the standard; 5 is SPC-3"),
                new Property("max_io_size", Kind.UINT64, Long.toString(maxIo), "Most bytes of a request")));
    if (!cdrom) {
      all.addAll(BlockSizes.properties(sizes.discard(), "none"));
      all.add(new Property("removable", Kind.BOOL, "off", "The guest can eject the medium"));
      all.add(new Property("rotation_rate", Kind.UINT32, "0", "Revolutions in a minute; 1 for an SSD"));
      all.add(new Property("max_unmap_size", Kind.UINT64, Long.toString(maxUnmap), "Most bytes of an unmap request"));
      all.add(new Property("dpofua", Kind.BOOL, "off", "Tell the guest that writes can be forced to the disk"));
    }
    all.addAll(ErrorPolicy.properties());
    return all;
  }

  /**
   * What the {@link #properties} say.
   *
   * @param drive id of the drive
   * @param policy what becomes of commands that fail, unless a property says otherwise
   * @throws DeviceException naming the property whose value there cannot be
   */
  public ScsiDiskOptions with(PropertyValues v, String drive, ErrorPolicy policy) throws DeviceException {
    String serial = v.getString("serial");
    String device = v.isSet("device_id") ? v.getString("device_id")
        : serial.isEmpty() ? drive : serial.substring(0, Math.min(serial.length(), MOST_SERIAL));
    Names given = new Names(serial, v.getString("vendor"), v.getString("product"), v.getString("ver"), device,
        v.getLong("wwn"), v.getLong("port_wwn"), number(v, "port_index"));
    BlockSizes blocks = cdrom ? sizes : BlockSizes.of(v).check();
    if (blocks.logical() > MOST_BLOCK) {
      throw new DeviceException("logical_block_size must be 512, 1024, 2048 or 4096, not " + blocks.logical());
    }
    return new ScsiDiskOptions(cdrom, cdrom || v.getBool("removable"), given, blocks, number(v, "scsi_version"),
        cdrom ? 0 : number(v, "rotation_rate"), cdrom ? maxUnmap : v.getLong("max_unmap_size"),
        v.getLong("max_io_size"), !cdrom && v.getBool("dpofua"), policy.with(v));
  }

  private static int number(PropertyValues v, String property) throws DeviceException {
    long value = v.getLong(property);
    if (value < 0 || value > MOST_NUMBER) {
      throw new DeviceException("Parameter '" + property + "' expects a number up to " + MOST_NUMBER);
    }
    return (int) value;
  }
}
