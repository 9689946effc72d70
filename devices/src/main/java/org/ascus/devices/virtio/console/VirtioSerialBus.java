package org.ascus.devices.virtio.console;

import org.ascus.machine.device.DeviceException;

/** Where a port plugs in. */
public interface VirtioSerialBus {
  /** Asks for the lowest free port number. */
  int ANY = -1;

  /**
   * @param number port number, or {@link #ANY}; number 0 is for consoles only
   * @throws DeviceException naming the number when it is taken or there is none
   */
  void plug(VirtioPort port, int number) throws DeviceException;
}
