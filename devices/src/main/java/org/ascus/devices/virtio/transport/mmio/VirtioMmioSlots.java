package org.ascus.devices.virtio.transport.mmio;

import java.util.List;
import org.ascus.devices.virtio.VirtioBus;
import org.ascus.devices.virtio.VirtioDevice;
import org.ascus.machine.device.DeviceException;

/** The slots of a board, for devices that do not say which one they want: each takes the first free one. */
public final class VirtioMmioSlots implements VirtioBus {
  private final List<VirtioMmio> slots;

  /**
   * @param slots in the order in which they fill; QEMU's boards begin with the last one of the memory map
   */
  public VirtioMmioSlots(List<VirtioMmio> slots) {
    this.slots = List.copyOf(slots);
  }

  @Override
  public void plug(VirtioDevice device) throws DeviceException {
    for (VirtioMmio slot : slots) {
      if (slot.plugged().isEmpty()) {
        slot.plug(device);
        return;
      }
    }
    throw new DeviceException("No 'virtio-bus' bus found for device '" + device.type() + "'");
  }
}
