package org.ascus.devices.block.format;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.BlockNode;
import org.ascus.devices.block.protocol.FileProtocol;

/**
 * How a disk image is opened: what {@code -drive} and {@code -blockdev} say about the image itself.
 *
 * @param file the host's file
 * @param format name of the format; empty to look what it is
 * @param readOnly no writes
 * @param snapshot writes go to a temporary file and are forgotten
 * @param locking refuse a file that is in use elsewhere
 */
public record ImageOptions(Path file, String format, boolean readOnly, boolean snapshot, boolean locking) {
  private record Magic(String format, int offset, String bytes) {
    boolean matches(byte[] head) {
      byte[] want = bytes.getBytes(StandardCharsets.ISO_8859_1);
      for (int i = 0; i < want.length; i++) {
        if (offset + i >= head.length || head[offset + i] != want[i]) {
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
          new Magic("vdi", 64, "\u007f\u0010\u00da\u00be"),
          new Magic("vhdx", 0, "vhdxfile"),
          new Magic("vpc", 0, "conectix"),
          new Magic("luks", 0, "LUKS\u00ba\u00be"));

  /** A raw image, locked. */
  public static ImageOptions raw(Path file) {
    return new ImageOptions(file, "raw", false, false, true);
  }

  /**
   * Opens the image.
   *
   * @return a node that owns the file
   * @throws BlockException naming the file and what is wrong with it, or the format that is not there
   */
  public BlockNode open() throws BlockException {
    checkFormat();
    BlockNode protocol = FileProtocol.open(file, new FileProtocol.Options(readOnly || snapshot, locking));
    try {
      if (format.isEmpty()) {
        refuseOtherFormats(protocol);
      }
      BlockNode raw = new RawFormat(protocol);
      return snapshot && !readOnly ? new SnapshotOverlay(raw) : raw;
    } catch (BlockException e) {
      protocol.close();
      throw e;
    }
  }

  /**
   * Writes the temporary changes of an image that was opened with snapshot=on to its file; nothing to do for others.
   *
   * @param node what {@link #open} returned
   */
  public void commit(BlockNode node) throws BlockException {
    if (node instanceof SnapshotOverlay overlay) {
      // The overlay's own handle holds the lock.
      try (BlockNode target = new RawFormat(FileProtocol.open(file, new FileProtocol.Options(false, false)))) {
        overlay.commit(target);
      }
    }
  }

  private void checkFormat() throws BlockException {
    if (format.isEmpty() || format.equals("raw")) {
      return;
    }
    if (KNOWN.stream().anyMatch(m -> m.format().equals(format))) {
      throw new BlockException("Could not open '" + file + "': format '" + format + "' is not supported yet");
    }
    throw new BlockException("Unknown driver '" + format + "'");
  }

  private void refuseOtherFormats(BlockNode protocol) throws BlockException {
    ByteBuffer head = ByteBuffer.allocate((int) Math.min(512, protocol.size()));
    protocol.read(0, head);
    for (Magic magic : KNOWN) {
      if (magic.matches(head.array())) {
        throw new BlockException(
            "Could not open '" + file + "': it looks like format '" + magic.format()
                + "', which is not supported yet (format=raw takes it as it is)");
      }
    }
  }
}
