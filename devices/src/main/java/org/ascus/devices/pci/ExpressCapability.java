package org.ascus.devices.pci;

/**
 * The PCI Express capability (PCI Express Base 4.0, section 7.5.3), version 2, {@value #LENGTH} bytes: 0x02
 * capabilities, 0x04 device, 0x0c link, 0x14 slot and 0x1c root registers, 0x24 on the second set of the same.
 */
public final class ExpressCapability {
  /** Values of the device/port type field. */
  public static final int ENDPOINT = 0;

  /** An endpoint on the root bus, which has no link. */
  public static final int INTEGRATED_ENDPOINT = 9;

  static final int ROOT_PORT = 4;

  static final int LENGTH = 0x3c;
  static final int DEVICE_CONTROL = 0x08;
  static final int LINK_CAPABILITIES = 0x0c;
  static final int SLOT_CAPABILITIES = 0x14;
  static final int SLOT_CONTROL = 0x18;
  static final int SLOT_STATUS = 0x1a;
  static final int LINK_STATUS = 0x12;
  static final int LINK_ACTIVE = 1 << 13;
  static final int FUNCTION_RESET = 1 << 15;

  private static final int ID = 0x10;
  private static final int VERSION = 2;
  private static final int SLOT_IMPLEMENTED = 1 << 8;
  private static final int ROLE_BASED_ERRORS = 1 << 15;
  private static final int FUNCTION_RESET_CAPABLE = 1 << 28;

  private ExpressCapability() {}

  /** Adds the capability; returns its offset. {@code speed} and {@code width} are in the link register's codes. */
  public static int add(PciConfig config, int type, int speed, int width) {
    int at = config.addCapability(ID, LENGTH);
    boolean port = type == ROOT_PORT;
    config.init(at + 2, 2, VERSION | type << 4 | (port ? SLOT_IMPLEMENTED : 0));
    config.init(at + 4, 4, ROLE_BASED_ERRORS | (port ? 0 : FUNCTION_RESET_CAPABLE));
    config.setWritable(at + DEVICE_CONTROL, 2, port ? 0x78ef : 0x78ef | FUNCTION_RESET);
    config.setClearable(at + 0x0a, 2, 0x000f);
    config.init(at + LINK_CAPABILITIES, 4, speed | width << 4 | 1 << 10 | (port ? 1 << 20 : 0));
    config.setWritable(at + 0x10, 2, 0x0fc3);
    config.init(at + LINK_STATUS, 2, speed | width << 4);
    config.init(at + 0x2c, 4, (2 << speed) - 2);
    config.init(at + 0x30, 2, speed);
    return at;
  }

  /** True if the driver just asked the endpoint to reset itself. */
  public static boolean takeFunctionReset(PciConfig config, int at) {
    int control = (int) config.get(at + DEVICE_CONTROL, 2);
    config.set(at + DEVICE_CONTROL, 2, control & ~FUNCTION_RESET);
    return (control & FUNCTION_RESET) != 0;
  }
}
