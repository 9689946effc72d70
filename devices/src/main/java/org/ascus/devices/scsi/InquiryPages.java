package org.ascus.devices.scsi;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** What a unit tells about itself (SPC-4, sections 6.6 and 7.8; SBC-3, section 6.6). Immutable. */
final class InquiryPages {
  private static final int STANDARD_LENGTH = 36;
  private static final int MOST_ID = 20;

  private final String id;
  private final ScsiDiskOptions options;
  private final boolean thin;
  private final int maxUnmapBlocks;
  private final int maxUnmapDescriptors;

  InquiryPages(String id, ScsiDiskOptions options, boolean readOnly, int maxUnmapBlocks, int maxUnmapDescriptors) {
    this.id = id;
    this.options = options;
    this.thin = !readOnly && !options.cdrom();
    this.maxUnmapBlocks = maxUnmapBlocks;
    this.maxUnmapDescriptors = maxUnmapDescriptors;
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
          case 0xb1 -> new byte[60];
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
        .put((byte) (options.cdrom() ? 0x80 : 0))
        .put((byte) 5)
        .put((byte) 0x12)
        .put((byte) (STANDARD_LENGTH - 5))
        .put((byte) 0)
        .put((byte) 0)
        .put((byte) 2)
        .put(ScsiDisk.padded(options.vendor(), 8))
        .put(ScsiDisk.padded(options.product(), 16))
        .put(ScsiDisk.padded(options.revision(), 4))
        .array();
  }

  private byte[] supported() {
    byte[] all = {0x00, (byte) 0x80, (byte) 0x83, (byte) 0xb0, (byte) 0xb1, (byte) 0xb2};
    byte[] pages = options.cdrom() ? Arrays.copyOf(all, 3) : all;
    // Without a serial number there is no page for one.
    return options.serial().isEmpty() ? without(pages, (byte) 0x80) : pages;
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
    if (options.serial().isEmpty()) {
      throw SenseException.INVALID_FIELD;
    }
    return options.serial().getBytes(StandardCharsets.US_ASCII);
  }

  private byte[] identification() {
    String name = options.serial().isEmpty() ? id : options.serial();
    byte[] text = name.getBytes(StandardCharsets.US_ASCII);
    int length = Math.min(text.length, MOST_ID);
    return ByteBuffer.allocate(4 + length)
        .put((byte) 2)
        .put((byte) 0)
        .put((byte) 0)
        .put((byte) length)
        .put(text, 0, length)
        .array();
  }

  private byte[] limits() {
    ByteBuffer b = ByteBuffer.allocate(60);
    if (thin) {
      b.putInt(16, maxUnmapBlocks).putInt(20, maxUnmapDescriptors).putInt(24, 1);
      b.putLong(32, maxUnmapBlocks);
    }
    return b.array();
  }
}
