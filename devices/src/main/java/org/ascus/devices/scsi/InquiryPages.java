package org.ascus.devices.scsi;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** What a unit tells about itself (SPC-4, sections 6.6 and 7.8; SBC-3, section 6.6). Immutable. */
final class InquiryPages {
  private static final int STANDARD_LENGTH = 36;
  private static final int MAX_UNMAP_DESCRIPTORS = 255;

  /** Most characters of a device's name and of a serial number. */
  private static final int MOST_NAME = 247;

  private static final int MOST_SERIAL = 36;

  /** Who names (a unit or a port), and in what way, of the designators of page 0x83 (SPC-4, section 7.8.6). */
  private static final int UNIT_TEXT = 0x02_00;

  private static final int UNIT_NAA = 0x01_03;
  private static final int SAS_PORT_NAA = 0x61_93;
  private static final int SAS_PORT_NUMBER = 0x61_94;

  private final ScsiDiskOptions options;
  private final ScsiDiskOptions.Names names;
  private final boolean thin;

  InquiryPages(ScsiDiskOptions options, boolean thin) {
    this.options = options;
    this.names = options.names();
    this.thin = thin;
  }

  private byte type() {
    return (byte) (options.cdrom() ? 5 : 0);
  }

  /** The standard data, or the page of vital product data {@code code}. */
  byte[] page(boolean vital, int code) throws SenseException {
    if (!vital) {
      if (code != 0) {
        throw SenseException.INVALID_FIELD;
      }
      return standard();
    }
    byte[] content =
        switch (code) {
          case 0x00 -> supported();
          case 0x80 -> serial();
          case 0x83 -> identification();
          case 0xb0 -> limits();
          case 0xb1 -> ByteBuffer.allocate(60).putShort(0, (short) options.rotationRate()).array();
          case 0xb2 -> new byte[] {0, (byte) (thin ? 0xe0 : 0), (byte) (thin ? 2 : 0), 0};
          default -> throw SenseException.INVALID_FIELD;
        };
    if (options.cdrom() && code >= 0xb0) {
      throw SenseException.INVALID_FIELD;
    }
    return ByteBuffer.allocate(4 + content.length)
        .put(type())
        .put((byte) code)
        .putShort((short) content.length)
        .put(content)
        .array();
  }

  private byte[] standard() {
    return ByteBuffer.allocate(STANDARD_LENGTH)
        .put(type())
        .put((byte) (options.removable() ? 0x80 : 0))
        .put((byte) options.version())
        .put((byte) 0x12)
        .put((byte) (STANDARD_LENGTH - 5))
        .put((byte) 0)
        .put((byte) 0)
        .put((byte) 2)
        .put(ScsiDisk.padded(names.vendor(), 8))
        .put(ScsiDisk.padded(names.product(), 16))
        .put(ScsiDisk.padded(names.revision(), 4))
        .array();
  }

  private byte[] supported() {
    byte[] all = {0x00, (byte) 0x80, (byte) 0x83, (byte) 0xb0, (byte) 0xb1, (byte) 0xb2};
    byte[] pages = options.cdrom() ? Arrays.copyOf(all, 3) : all;
    // Without a serial number there is no page for one.
    return names.serial().isEmpty() ? without(pages, (byte) 0x80) : pages;
  }

  private static byte[] without(byte[] pages, byte page) {
    byte[] result = new byte[pages.length - 1];
    int at = 0;
    for (byte p : pages) {
      if (p != page) {
        result[at++] = p;
      }
    }
    return result;
  }

  private byte[] serial() throws SenseException {
    if (names.serial().isEmpty()) {
      throw SenseException.INVALID_FIELD;
    }
    return text(names.serial(), MOST_SERIAL);
  }

  private static byte[] text(String text, int most) {
    byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
    return Arrays.copyOf(bytes, Math.min(bytes.length, most));
  }

  private byte[] identification() {
    ByteBuffer b = ByteBuffer.allocate(4 + MOST_NAME + 2 * (4 + Long.BYTES) + 4 + Integer.BYTES);
    if (!names.device().isEmpty()) {
      byte[] device = text(names.device(), MOST_NAME);
      designator(b, UNIT_TEXT, device.length).put(device);
    }
    if (names.wwn() != 0) {
      designator(b, UNIT_NAA, Long.BYTES).putLong(names.wwn());
    }
    if (names.portWwn() != 0) {
      designator(b, SAS_PORT_NAA, Long.BYTES).putLong(names.portWwn());
    }
    if (names.portIndex() != 0) {
      designator(b, SAS_PORT_NUMBER, Integer.BYTES).putInt(names.portIndex());
    }
    return Arrays.copyOf(b.array(), b.position());
  }

  private static ByteBuffer designator(ByteBuffer to, int kind, int length) {
    return to.putShort((short) kind).put((byte) 0).put((byte) length);
  }

  /** Block limits (SBC-3, section 6.6.4); requests to write the same need a length. */
  private byte[] limits() {
    ByteBuffer b = ByteBuffer.allocate(60);
    b.put(0, (byte) 1);
    b.putShort(2, (short) options.sizes().blocks(options.sizes().least()));
    b.putInt(4, blocks(options.maxIo()));
    b.putInt(8, blocks(options.sizes().best()));
    if (thin) {
      b.putInt(16, blocks(options.maxUnmap())).putInt(20, MAX_UNMAP_DESCRIPTORS);
      b.putInt(24, blocks(options.sizes().discard()));
    }
    b.putLong(32, Integer.toUnsignedLong(blocks(options.maxIo())));
    return b.array();
  }

  private int blocks(long bytes) {
    return (int) Math.min(Long.divideUnsigned(bytes, options.sizes().logical()), 0xffff_ffffL);
  }
}
