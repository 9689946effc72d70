package org.ascus.devices.virtio.scsi;

import org.ascus.devices.scsi.ScsiDisk;
import org.ascus.machine.device.DeviceException;

/** Where SCSI units plug in. */
public interface ScsiBus {
  /** Asks for the lowest free target. */
  int ANY = -1;

  /** Id of the device that the bus is behind. */
  String id();

  /**
   * Plugs a unit in; a guest that runs is told.
   *
   * @param target 0 to 255, or {@link #ANY}
   * @param lun 0 to 16383
   * @throws DeviceException when the place is taken or there is none
   */
  void plug(ScsiDisk unit, int target, int lun) throws DeviceException;

  /** Takes a unit out when the commands that it has begun are done, and tells the guest. */
  void unplug(ScsiDisk unit);
}
