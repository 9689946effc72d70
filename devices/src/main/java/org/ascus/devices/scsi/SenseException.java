package org.ascus.devices.scsi;

/** A command that ends with CHECK CONDITION (SPC-4, section 4.5). Preallocated: guests can cause it at will. */
public final class SenseException extends Exception {
  public static final SenseException UNIT_RESET = new SenseException(6, 0x29, 0);
  public static final SenseException INVALID_COMMAND = new SenseException(5, 0x20, 0);
  public static final SenseException OUT_OF_RANGE = new SenseException(5, 0x21, 0);
  public static final SenseException INVALID_FIELD = new SenseException(5, 0x24, 0);
  public static final SenseException INVALID_PARAMETER = new SenseException(5, 0x26, 0);
  public static final SenseException NO_SUCH_UNIT = new SenseException(5, 0x25, 0);
  public static final SenseException MEDIUM_CHANGED = new SenseException(6, 0x28, 0);
  public static final SenseException CAPACITY_CHANGED = new SenseException(6, 0x2a, 9);
  public static final SenseException REMOVAL_PREVENTED = new SenseException(5, 0x53, 2);
  public static final SenseException NO_MEDIUM = new SenseException(2, 0x3a, 0);
  public static final SenseException WRITE_PROTECTED = new SenseException(7, 0x27, 0);
  public static final SenseException READ_ERROR = new SenseException(3, 0x11, 0);
  public static final SenseException WRITE_ERROR = new SenseException(3, 0x0c, 0);

  /** As {@link #READ_ERROR}, of a command that is to be run again when the machine, which stops for it, goes on. */
  public static final SenseException READ_AGAIN = new SenseException(3, 0x11, 0);

  /** As {@link #READ_AGAIN}, for {@link #WRITE_ERROR}. */
  public static final SenseException WRITE_AGAIN = new SenseException(3, 0x0c, 0);

  private static final long serialVersionUID = 1L;
  private static final int LENGTH = 18;
  private static final int FIXED_CURRENT = 0x70;

  private final int key;
  private final int code;
  private final int qualifier;

  private SenseException(int key, int code, int qualifier) {
    super("sense %x/%02x/%02x".formatted(key, code, qualifier), null, false, false);
    this.key = key;
    this.code = code;
    this.qualifier = qualifier;
  }

  /** Additional sense code, with its qualifier in bits 8 to 15, as a virtio event has them. */
  public int reason() {
    return code | qualifier << 8;
  }

  /** Whether the command is to be run again, and this is what it ends with only if that cannot be. */
  public boolean again() {
    return this == READ_AGAIN || this == WRITE_AGAIN;
  }

  /** The sense data in fixed format (SPC-4, section 4.5.3). */
  public byte[] toBytes() {
    return fixed(key, code, qualifier);
  }

  /** Sense data that says that there is nothing to say. */
  static byte[] none() {
    return fixed(0, 0, 0);
  }

  private static byte[] fixed(int key, int code, int qualifier) {
    byte[] sense = new byte[LENGTH];
    sense[0] = FIXED_CURRENT;
    sense[2] = (byte) key;
    sense[7] = LENGTH - 8;
    sense[12] = (byte) code;
    sense[13] = (byte) qualifier;
    return sense;
  }
}
