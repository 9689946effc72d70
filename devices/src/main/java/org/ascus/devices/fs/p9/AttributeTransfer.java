package org.ascus.devices.fs.p9;

import java.util.Optional;

/** The value of an extended attribute on its way to the driver, or from it to be set when all of it has come. */
final class AttributeTransfer {
  final byte[] value;
  final Optional<byte[]> name;
  final int flags;
  int filled;

  private AttributeTransfer(byte[] value, Optional<byte[]> name, int flags) {
    this.value = value;
    this.name = name;
    this.flags = flags;
  }

  static AttributeTransfer toDriver(byte[] value) {
    return new AttributeTransfer(value, Optional.empty(), 0);
  }

  /**
   * @param flags 1 for an attribute that must be new, 2 for one that must be there
   */
  static AttributeTransfer fromDriver(byte[] name, int size, int flags) {
    return new AttributeTransfer(new byte[size], Optional.of(name), flags);
  }
}
