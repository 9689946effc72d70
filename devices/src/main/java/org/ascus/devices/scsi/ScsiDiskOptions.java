package org.ascus.devices.scsi;

import org.ascus.devices.block.ErrorPolicy;
import org.ascus.machine.device.DeviceException;

/**
 * What a user can choose about a disk.
 *
 * @param cdrom a CD drive with blocks of 2048 bytes, which cannot be written
 * @param serial serial number; empty for none
 * @param vendor up to 8 characters
 * @param product up to 16 characters
 * @param revision up to 4 characters
 * @param blockSize bytes of a logical block, 512 to 4096
 * @param errors what becomes of commands that fail on the host
 */
public record ScsiDiskOptions(
    boolean cdrom,
    String serial,
    String vendor,
    String product,
    String revision,
    int blockSize,
    ErrorPolicy errors) {
  private static final int CD_BLOCK = 2048;

  public static final ScsiDiskOptions DISK =
      new ScsiDiskOptions(false, "", "QEMU", "QEMU HARDDISK", "2.5+", 512, ErrorPolicy.DEFAULT);
  public static final ScsiDiskOptions CD =
      new ScsiDiskOptions(true, "", "QEMU", "QEMU CD-ROM", "2.5+", CD_BLOCK, ErrorPolicy.DEFAULT);

  /**
   * Fails for values that there cannot be.
   *
   * @throws DeviceException naming the property
   */
  public ScsiDiskOptions check() throws DeviceException {
    if (blockSize < 512 || blockSize > 4096 || Integer.bitCount(blockSize) != 1) {
      throw new DeviceException("logical_block_size must be 512, 1024, 2048 or 4096, not " + blockSize);
    }
    return this;
  }
}
