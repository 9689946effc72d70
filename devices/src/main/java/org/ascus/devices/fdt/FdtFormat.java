package org.ascus.devices.fdt;

/** Numbers of the blob format, version 17: all big-endian, offsets in bytes from the start of the blob. */
final class FdtFormat {
  static final int MAGIC = 0xd00dfeed;
  static final int VERSION = 17;
  static final int LAST_COMPATIBLE = 16;
  static final int HEADER_SIZE = 40;

  static final int BEGIN_NODE = 1;
  static final int END_NODE = 2;
  static final int PROPERTY = 3;
  static final int NOP = 4;
  static final int END = 9;

  /** Trees deeper than this are refused, so that a hostile blob cannot overflow the stack. */
  static final int MAX_DEPTH = 64;

  private FdtFormat() {}
}
