package org.ascus.polyglot;

import org.ascus.devices.chardev.CharBackend;
import org.ascus.machine.device.DeviceException;

/** Where devices get the host's end of a byte channel. */
@FunctionalInterface
public interface ChardevSource {
  /**
   * The channel for one more user.
   *
   * @param user what it is called
   * @throws DeviceException when there can be no more users
   */
  CharBackend open(String user) throws DeviceException;
}
