package org.ascus.devices.block.format;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalLong;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.BlockNode;
import org.ascus.devices.block.crypto.ImageKey;
import org.ascus.devices.block.crypto.LuksNode;
import org.ascus.devices.block.format.qcow2.Qcow2Node;
import org.ascus.devices.block.protocol.FileProtocol;

/**
 * How a disk image is opened: what {@code -drive} and {@code -blockdev} say about the image itself.
 *
 * @param file the host's file
 * @param format name of the format; empty to look what it is
 * @param readOnly no writes
 * @param snapshot writes go to a temporary file and are forgotten
 * @param locking refuse a file that is in use elsewhere
 * @param details what is seldom said
 */
public record ImageOptions(
    Path file, String format, boolean readOnly, boolean snapshot, boolean locking, Details details) {
  /**
   * What is seldom said about an image.
   *
   * @param offset where a raw image begins in its file
   * @param size bytes of a raw image; all that follow if empty
   * @param backing the backing file to use instead of the one that the image names
   * @param withoutBacking no backing file, whatever the image names
   * @param unmap what the guest discards is discarded in the file
   * @param detectZeroes writes of zeroes become zeroes without a place, where {@code unmap} allows, or cheaper writes
   * @param key what opens it if it is encrypted
   */
  public record Details(
      long offset,
      OptionalLong size,
      Optional<ImageOptions> backing,
      boolean withoutBacking,
      boolean unmap,
      boolean detectZeroes,
      ImageKey key) {
    public static final Details NONE =
        new Details(0, OptionalLong.empty(), Optional.empty(), false, false, false, ImageKey.MISSING);

    public Details withWindow(long start, OptionalLong bytes) {
      return new Details(start, bytes, backing, withoutBacking, unmap, detectZeroes, key);
    }

    public Details withBacking(Optional<ImageOptions> image) {
      return new Details(offset, size, image, image.isEmpty(), unmap, detectZeroes, key);
    }

    public Details withUnmap(boolean on) {
      return new Details(offset, size, backing, withoutBacking, on, detectZeroes, key);
    }

    public Details withKey(ImageKey passphrase) {
      return new Details(offset, size, backing, withoutBacking, unmap, detectZeroes, passphrase);
    }

    public Details withDetectZeroes(boolean on) {
      return new Details(offset, size, backing, withoutBacking, unmap, on, key);
    }
  }

  /** Backing files of backing files, at most. */
  private static final int MAX_DEPTH = 200;

  /** An image without details. */
  public ImageOptions(Path file, String format, boolean readOnly, boolean snapshot, boolean locking) {
    this(file, format, readOnly, snapshot, locking, Details.NONE);
  }

  /** A raw image, locked. */
  public static ImageOptions raw(Path file) {
    return new ImageOptions(file, "raw", false, false, true);
  }

  /** The same as a temporary copy. */
  public ImageOptions withSnapshot() {
    return new ImageOptions(file, format, readOnly, true, locking, details);
  }

  public ImageOptions withDetails(Details more) {
    return new ImageOptions(file, format, readOnly, snapshot, locking, more);
  }

  /**
   * Opens the image.
   *
   * @return a node that owns the file
   * @throws BlockException naming the file and what is wrong with it, or the format that is not there
   */
  public BlockNode open() throws BlockException {
    return open(0);
  }

  private BlockNode open(int depth) throws BlockException {
    if (depth > MAX_DEPTH) {
      throw new BlockException("Could not open '" + file + "': its backing files are a loop, or too many");
    }
    BlockNode node = openFormat(readOnly || snapshot, locking, depth);
    try {
      node = snapshot && !readOnly ? new SnapshotOverlay(node) : node;
      return details.detectZeroes() && !readOnly ? new ZeroDetector(node, details.unmap()) : node;
    } catch (BlockException e) {
      node.close();
      throw e;
    }
  }

  private BlockNode openFormat(boolean protect, boolean lock, int depth) throws BlockException {
    String kind = format.isEmpty() ? probe(lock) : format;
    if (kind.equals("qcow2")) {
      FileProtocol.Options growable = new FileProtocol.Options(protect, lock, true).withUnmap(details.unmap());
      FileProtocol protocol = FileProtocol.open(file, growable);
      return Qcow2Node.open(protocol, new Neighbours(depth), details.unmap(), details.key());
    }
    if (kind.equals("luks")) {
      return LuksNode.open(FileProtocol.open(file, new FileProtocol.Options(protect, lock, true)), details.key(),
          "key-secret");
    }
    if (!Probe.isKnown(kind)) {
      throw new BlockException("Unknown driver '" + kind + "'");
    }
    if (!kind.equals("raw")) {
      throw new BlockException(format.isEmpty()
          ? "Could not open '" + file + "': it looks like format '" + kind
              + "', which is not supported yet (format=raw takes it as it is)"
          : "Could not open '" + file + "': format '" + kind + "' is not supported yet");
    }
    BlockNode protocol = FileProtocol.open(file, new FileProtocol.Options(protect, lock).withUnmap(details.unmap()));
    try {
      if (details.offset() != 0 || details.size().isPresent()) {
        return new RawFormat(protocol, details.offset(), details.size());
      }
      return format.isEmpty() ? RawFormat.probed(protocol) : new RawFormat(protocol);
    } catch (BlockException e) {
      protocol.close();
      throw e;
    }
  }

  /** The name of the format that the image looks like. */
  public String probe() throws BlockException {
    return probe(false);
  }

  private String probe(boolean lock) throws BlockException {
    try (BlockNode protocol = FileProtocol.open(file, new FileProtocol.Options(true, lock))) {
      return Probe.format(Probe.head(protocol)).orElse("raw");
    }
  }

  /** The files that this one names, relative to its folder. */
  private final class Neighbours implements Qcow2Node.Files {
    private final int depth;

    Neighbours(int depth) {
      this.depth = depth;
    }

    @Override
    public Optional<BlockNode> backing(String name, String backingFormat) throws BlockException {
      if (details.withoutBacking()) {
        return Optional.empty();
      }
      ImageOptions image = details.backing().isPresent() ? details.backing().get()
          : new ImageOptions(neighbour(file, name), backingFormat, true, false, locking);
      return Optional.of(image.open(depth + 1));
    }

    @Override
    public BlockNode data(String name) throws BlockException {
      if (name.isEmpty()) {
        throw new BlockException("'data-file' is required for this image: '" + file + "'");
      }
      boolean protect = readOnly || snapshot;
      return FileProtocol.open(neighbour(file, name), new FileProtocol.Options(protect, locking, true));
    }
  }

  /**
   * The path of a file that an image names.
   *
   * @throws BlockException for a name that is a URL or a JSON description, which no image gets to open
   */
  public static Path neighbour(Path image, String name) throws BlockException {
    String plain = name.startsWith("file:") ? name.substring("file:".length()) : name;
    int colon = plain.indexOf(':');
    if (!name.startsWith("file:") && colon > 0 && plain.lastIndexOf('/', colon) < 0) {
      throw new BlockException("Could not open '" + image + "': Unknown protocol '" + plain.substring(0, colon) + "'");
    }
    try {
      return image.resolveSibling(plain);
    } catch (InvalidPathException e) {
      throw new BlockException("Could not open '" + image + "': it names a file that cannot exist", e);
    }
  }

  /**
   * Writes the temporary changes of an image that was opened with snapshot=on to its file; nothing to do for others.
   *
   * @param node what {@link #open} returned
   */
  public void commit(BlockNode node) throws BlockException {
    BlockNode top = node instanceof ZeroDetector detector ? detector.below() : node;
    if (top instanceof SnapshotOverlay overlay) {
      // The overlay's own handle holds the lock.
      try (BlockNode target = openFormat(false, false, 0)) {
        overlay.commit(target);
      }
    }
  }
}
