package org.ascus.devices.block.format.qcow2;

/**
 * A header extension.
 *
 * @param type what it is
 * @param data its bytes without padding; not to be changed
 */
record Extension(int type, byte[] data) {
  static final int END = 0;
  static final int BACKING_FORMAT = 0xe2792aca;
  static final int FEATURE_NAMES = 0x6803f857;
  static final int BITMAPS = 0x23852875;
  static final int ENCRYPTION = 0x0537be77;
  static final int DATA_FILE = 0x44415441;

  static final int FIXED_BYTES = 8;

  /** Bytes in the file, padded to a multiple of 8. */
  int paddedBytes() {
    return FIXED_BYTES + (data.length + 7 & ~7);
  }
}
