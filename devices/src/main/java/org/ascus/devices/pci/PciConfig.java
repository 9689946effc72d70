package org.ascus.devices.pci;

import org.ascus.machine.state.StateException;

/**
 * A configuration space (PCI Local Bus 3.0, chapter 6): little-endian bytes, and which of their bits a guest may write
 * or clear. Guarded by the lock of the topology, see {@link PciBus#lock}.
 */
public final class PciConfig {
  public static final int CONVENTIONAL_SIZE = 256;
  public static final int EXPRESS_SIZE = 4096;

  public static final int COMMAND = 0x04;
  public static final int COMMAND_IO = 1;
  public static final int COMMAND_MEMORY = 2;
  public static final int COMMAND_MASTER = 4;
  public static final int COMMAND_INTX_DISABLE = 1 << 10;
  static final int STATUS = 0x06;
  static final int STATUS_INTERRUPT = 1 << 3;
  static final int BAR0 = 0x10;
  static final int INTERRUPT_LINE = 0x3c;
  static final int INTERRUPT_PIN = 0x3d;

  private static final int REVISION = 0x08;
  private static final int HEADER_TYPE = 0x0e;
  private static final int SUBSYSTEM = 0x2c;
  private static final int CAPABILITIES = 0x34;
  private static final int STATUS_CAPABILITIES = 1 << 4;
  private static final int COMMAND_WRITABLE = 0x547;
  private static final int FIRST_CAPABILITY = 0x40;
  private static final int FIRST_EXTENDED = 0x100;

  private final byte[] bytes;
  private final byte[] initial;
  private final byte[] writable;
  private final byte[] clearable;
  private final byte[] changing;
  private int nextCapability = FIRST_CAPABILITY;
  private int lastExtended;
  private int nextExtended = FIRST_EXTENDED;

  /**
   * A space with the fields that all headers share.
   *
   * @param size {@link #CONVENTIONAL_SIZE} or {@link #EXPRESS_SIZE} bytes
   * @param headerType 0, or 1 for a bridge
   */
  public PciConfig(int size, int headerType, PciIdentity identity) {
    bytes = new byte[size];
    initial = new byte[size];
    writable = new byte[size];
    clearable = new byte[size];
    changing = new byte[size];
    init(0, 2, identity.vendor());
    init(2, 2, identity.device());
    init(REVISION, 4, identity.revision() & 0xff | (long) identity.classCode() << 8);
    init(HEADER_TYPE, 1, headerType);
    if (headerType == 0) {
      init(SUBSYSTEM, 2, identity.subsystemVendor());
      init(SUBSYSTEM + 2, 2, identity.subsystem());
    }
    setWritable(COMMAND, 2, COMMAND_WRITABLE);
    setWritable(0x0c, 1, 0xff);
    setWritable(INTERRUPT_LINE, 1, 0xff);
  }

  public int size() {
    return bytes.length;
  }

  /** Sets what the low {@code width} bytes at {@code offset} are after a reset. */
  public void init(int offset, int width, long value) {
    set(offset, width, value);
    for (int i = 0; i < width; i++) {
      initial[offset + i] = bytes[offset + i];
    }
  }

  /** Lets a guest write the bits of {@code mask}. */
  public void setWritable(int offset, int width, long mask) {
    store(writable, offset, width, mask);
    addChanging(offset, width, mask);
  }

  /** Lets a guest clear the bits of {@code mask} by writing ones to them. */
  public void setClearable(int offset, int width, long mask) {
    store(clearable, offset, width, mask);
    addChanging(offset, width, mask);
  }

  /** Bits that the device itself changes: part of a saved state. */
  public void addChanging(int offset, int width, long mask) {
    for (int i = 0; i < width; i++) {
      changing[offset + i] |= (byte) (mask >>> (8 * i));
    }
  }

  /** Several functions in this slot. */
  void setMultifunction() {
    init(HEADER_TYPE, 1, get(HEADER_TYPE, 1) | 0x80);
  }

  /**
   * Adds a capability to the list; returns its offset.
   *
   * @param id 8 bits
   * @param length in bytes with the two of its header
   */
  public int addCapability(int id, int length) {
    int at = nextCapability;
    if (at + length > CONVENTIONAL_SIZE) {
      throw new IllegalStateException("capability " + id + " does not fit");
    }
    init(at, 1, id);
    init(at + 1, 1, get(CAPABILITIES, 1));
    init(CAPABILITIES, 1, at);
    init(STATUS, 2, get(STATUS, 2) | STATUS_CAPABILITIES);
    nextCapability = (at + length + 3) & -4;
    return at;
  }

  /** Adds a PCI Express extended capability; returns its offset. */
  public int addExtendedCapability(int id, int version, int length) {
    int at = nextExtended;
    init(at, 4, id | (long) version << 16);
    if (lastExtended != 0) {
      init(lastExtended, 4, get(lastExtended, 4) & 0xfffff | (long) at << 20);
    }
    lastExtended = at;
    nextExtended = (at + length + 3) & -4;
    return at;
  }

  /** The {@code width} bytes at {@code offset}, all inside of the space. */
  public long get(int offset, int width) {
    long value = 0;
    for (int i = 0; i < width; i++) {
      value |= (bytes[offset + i] & 0xffL) << (8 * i);
    }
    return value;
  }

  /** Changes bytes as the device itself. */
  public void set(int offset, int width, long value) {
    store(bytes, offset, width, value);
  }

  private static void store(byte[] array, int offset, int width, long value) {
    for (int i = 0; i < width; i++) {
      array[offset + i] = (byte) (value >>> (8 * i));
    }
  }

  /** A guest's write; bytes outside of the space and bits that it may not write stay. */
  void write(int offset, int width, long value) {
    for (int i = 0; i < width && offset + i < bytes.length; i++) {
      int at = offset + i;
      int b = (int) (value >>> (8 * i));
      bytes[at] = (byte) ((bytes[at] & ~writable[at] | b & writable[at]) & ~(b & clearable[at]));
    }
  }

  void reset() {
    System.arraycopy(initial, 0, bytes, 0, bytes.length);
  }

  byte[] toByteArray() {
    return bytes.clone();
  }

  /** Takes over what can change from a saved space of the same function. */
  void load(String id, byte[] saved) throws StateException {
    if (saved.length != bytes.length) {
      throw new StateException("function " + id + ": configuration space of " + saved.length + " bytes");
    }
    for (int i = 0; i < saved.length; i++) {
      if (((saved[i] ^ initial[i]) & ~changing[i]) != 0) {
        throw new StateException("function " + id + ": another device's byte at 0x" + Integer.toHexString(i));
      }
    }
    System.arraycopy(saved, 0, bytes, 0, saved.length);
  }
}
