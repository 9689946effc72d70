package org.ascus.devices.virtio.transport.pci;

import java.util.OptionalInt;
import org.ascus.devices.pci.PciIdentity;

/**
 * What a kind of virtio device is on PCI (VIRTIO 1.2, section 4.1.2).
 *
 * @param deviceId as in VIRTIO 1.2, section 5
 * @param transitionalId PCI device id with a legacy interface, if there is one
 * @param classCode base class, sub-class and programming interface
 */
record VirtioPciKind(int deviceId, OptionalInt transitionalId, int classCode) {
  private static final int VENDOR = 0x1af4;
  private static final int MODERN_BASE = 0x1040;
  private static final int MODERN_SUBSYSTEM = 0x1100;

  static VirtioPciKind of(int deviceId) {
    return switch (deviceId) {
      case 1 -> new VirtioPciKind(deviceId, OptionalInt.of(0x1000), 0x020000);
      case 2 -> new VirtioPciKind(deviceId, OptionalInt.of(0x1001), 0x010000);
      case 3 -> new VirtioPciKind(deviceId, OptionalInt.of(0x1003), 0x078000);
      case 4 -> new VirtioPciKind(deviceId, OptionalInt.of(0x1005), 0x00ff00);
      case 5 -> new VirtioPciKind(deviceId, OptionalInt.of(0x1002), 0x00ff00);
      case 8 -> new VirtioPciKind(deviceId, OptionalInt.of(0x1004), 0x010000);
      case 9 -> new VirtioPciKind(deviceId, OptionalInt.of(0x1009), 0x000200);
      default -> new VirtioPciKind(deviceId, OptionalInt.empty(), 0x00ff00);
    };
  }

  /** A transitional function tells the virtio device id as its subsystem, a modern one in its own id. */
  PciIdentity identity(boolean transitional) {
    return transitional
        ? new PciIdentity(VENDOR, transitionalId.getAsInt(), 0, classCode, VENDOR, deviceId)
        : new PciIdentity(VENDOR, MODERN_BASE + deviceId, 1, classCode, VENDOR, MODERN_SUBSYSTEM);
  }
}
