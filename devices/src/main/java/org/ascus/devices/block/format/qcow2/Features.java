package org.ascus.devices.block.format.qcow2;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** Feature bits of the header, and their names as the feature name table gives them. */
final class Features {
  /** Incompatible: refcounts may be wrong. */
  static final long DIRTY = 1;

  /** Incompatible: structures may be wrong, no writes. */
  static final long CORRUPT = 1L << 1;

  /** Incompatible: guest data is in another file. */
  static final long EXTERNAL_DATA = 1L << 2;

  /** Incompatible: compression_type is not 0. */
  static final long COMPRESSION = 1L << 3;

  /** Incompatible: 128-bit L2 entries with subclusters. */
  static final long EXTENDED_L2 = 1L << 4;

  static final long KNOWN_INCOMPATIBLE = DIRTY | CORRUPT | EXTERNAL_DATA | COMPRESSION | EXTENDED_L2;

  /** Compatible: refcounts may be written late, under the dirty bit. */
  static final long LAZY_REFCOUNTS = 1;

  /** Auto-clear: the bitmaps extension is consistent. */
  static final long BITMAPS = 1;

  /** Auto-clear: the external data file is a raw image. */
  static final long RAW_DATA = 1L << 1;

  private static final int NAME_BYTES = 46;
  private static final int ENTRY_BYTES = 2 + NAME_BYTES;

  private record Name(int kind, int bit, String text) {}

  private static final List<Name> NAMES =
      List.of(
          new Name(0, 0, "dirty bit"),
          new Name(0, 1, "corrupt bit"),
          new Name(0, 2, "external data file"),
          new Name(0, 3, "compression type"),
          new Name(0, 4, "extended L2 entries"),
          new Name(1, 0, "lazy refcounts"),
          new Name(2, 0, "bitmaps"),
          new Name(2, 1, "raw external data"));

  private Features() {}

  /** The feature name table that goes into images written here. */
  static Extension table() {
    ByteBuffer table = ByteBuffer.allocate(NAMES.size() * ENTRY_BYTES);
    for (int i = 0; i < NAMES.size(); i++) {
      Name name = NAMES.get(i);
      table.position(i * ENTRY_BYTES).put((byte) name.kind()).put((byte) name.bit());
      table.put(name.text().getBytes(StandardCharsets.US_ASCII));
    }
    return new Extension(Extension.FEATURE_NAMES, table.array());
  }

  /** Names of the incompatible features in {@code bits}, by an image's own table where it has them. */
  static String describe(long bits, List<Extension> extensions) {
    StringBuilder text = new StringBuilder();
    for (long left = bits; left != 0; left &= left - 1) {
      int bit = Long.numberOfTrailingZeros(left);
      text.append(text.isEmpty() ? "" : ", ").append(name(bit, extensions));
    }
    return text.toString();
  }

  private static String name(int bit, List<Extension> extensions) {
    for (Extension extension : extensions) {
      if (extension.type() == Extension.FEATURE_NAMES) {
        byte[] data = extension.data();
        for (int at = 0; at + ENTRY_BYTES <= data.length; at += ENTRY_BYTES) {
          if (data[at] == 0 && data[at + 1] == bit) {
            String name = new String(data, at + 2, NAME_BYTES, StandardCharsets.ISO_8859_1);
            return name.replaceAll("[^ -~]", "");
          }
        }
      }
    }
    return "unknown incompatible feature: bit " + bit;
  }
}
