package org.ascus.devices.virtio;

import org.ascus.machine.device.DeviceException;

/** Where a virtio device plugs in. */
public interface VirtioBus {
  /**
   * Gives {@code device} a transport.
   *
   * @throws DeviceException when no slot is free
   */
  void plug(VirtioDevice device) throws DeviceException;
}
