package org.ascus.devices.virtio;

/** What carries a device's interrupts to the driver. Called with the device's lock held; takes no other lock. */
public interface VirtioTransport {
  /** The transport of a device that is not plugged in. */
  VirtioTransport NONE =
      new VirtioTransport() {
        @Override
        public boolean modern() {
          return true;
        }

        @Override
        public void queueInterrupt(int queue) {}

        @Override
        public void configInterrupt() {}
      };

  /** True for the VIRTIO 1 interface; false for the legacy one, which knows 32 feature bits and no FEATURES_OK. */
  boolean modern();

  /** Whether the device may reach memory now; a PCI function must be a bus master. */
  default boolean reachesMemory() {
    return true;
  }

  /** The device used buffers of {@code queue}. */
  void queueInterrupt(int queue);

  /** The configuration space or DEVICE_NEEDS_RESET changed. */
  void configInterrupt();
}
