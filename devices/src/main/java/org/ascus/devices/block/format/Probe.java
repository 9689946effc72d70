package org.ascus.devices.block.format;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.BlockNode;

/** Tells an image's format by its first bytes. */
final class Probe {
  /** Bytes that are looked at. */
  static final int BYTES = 512;

  private record Magic(String format, int offset, byte[] bytes) {
    Magic(String format, int offset, String bytes) {
      this(format, offset, bytes.getBytes(StandardCharsets.ISO_8859_1));
    }

    boolean matches(byte[] head) {
      for (int i = 0; i < bytes.length; i++) {
        if (offset + i >= head.length || head[offset + i] != bytes[i]) {
          return false;
        }
      }
      return true;
    }
  }

  private static final List<Magic> KNOWN =
      List.of(
          new Magic("qcow2", 0, "QFI\u00fb\0\0\0\2"),
          new Magic("qcow2", 0, "QFI\u00fb\0\0\0\3"),
          new Magic("qcow", 0, "QFI\u00fb\0\0\0\1"),
          new Magic("qed", 0, "QED\0"),
          new Magic("vmdk", 0, "KDMV"),
          new Magic("vmdk", 0, "COWD"),
          new Magic("vdi", 64, "\u007f\u0010\u00da\u00be"),
          new Magic("vhdx", 0, "vhdxfile"),
          new Magic("vpc", 0, "conectix"),
          new Magic("parallels", 0, "WithoutFreeSpace"),
          new Magic("parallels", 0, "WithouFreSpacExt"),
          new Magic("bochs", 0, "Bochs Virtual HD Image"),
          new Magic("luks", 0, "LUKS\u00ba\u00be\0\1"));

  private Probe() {}

  static boolean isKnown(String format) {
    return format.equals("raw") || KNOWN.stream().anyMatch(m -> m.format().equals(format));
  }

  /** The format that {@code head} looks like; empty for raw. */
  static Optional<String> format(byte[] head) {
    return KNOWN.stream().filter(m -> m.matches(head)).map(Magic::format).findFirst()
        .or(() -> describesVmdk(head) ? Optional.of("vmdk") : Optional.empty());
  }

  /** A VMware description is a text whose first line that is not a comment is its version. */
  private static boolean describesVmdk(byte[] head) {
    for (String line : new String(head, StandardCharsets.ISO_8859_1).split("\n")) {
      String text = line.strip();
      if (!text.isEmpty() && !text.startsWith("#")) {
        return text.matches("version=[123]");
      }
    }
    return false;
  }

  static byte[] head(BlockNode node) throws BlockException {
    ByteBuffer head = ByteBuffer.allocate((int) Math.min(BYTES, node.size()));
    node.read(0, head);
    return head.array();
  }
}
