package org.ascus.devices.block.format;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.BlockNode;
import org.ascus.devices.block.crypto.ImageKey;
import org.ascus.devices.block.crypto.LuksNode;
import org.ascus.devices.block.filter.Filter;
import org.ascus.devices.block.filter.FilterNode;
import org.ascus.devices.block.filter.ZeroDetector;
import org.ascus.devices.block.format.foreign.ForeignFiles;
import org.ascus.devices.block.format.foreign.ParallelsImage;
import org.ascus.devices.block.format.foreign.QedImage;
import org.ascus.devices.block.format.foreign.VdiImage;
import org.ascus.devices.block.format.foreign.VhdxImage;
import org.ascus.devices.block.format.foreign.VmdkImage;
import org.ascus.devices.block.format.foreign.VpcImage;
import org.ascus.devices.block.format.qcow2.Qcow2Node;
import org.ascus.devices.block.protocol.FileProtocol;
import org.ascus.devices.block.protocol.JsonKeys;
import org.ascus.devices.block.protocol.Keys;
import org.ascus.devices.block.protocol.Location;
import org.ascus.devices.block.protocol.Protocols;

/**
 * How a disk image is opened: what {@code -drive} and {@code -blockdev} say about the image itself.
 *
 * @param file where its bytes are
 * @param format name of the format; empty to look what it is
 * @param readOnly no writes
 * @param snapshot writes go to a temporary file and are forgotten
 * @param locking refuse a file that is in use elsewhere
 * @param details what is seldom said
 */
public record ImageOptions(
    Location file, String format, boolean readOnly, boolean snapshot, boolean locking, Details details) {
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
   * @param tuning options of qcow2 that are not stored in an image
   * @param filters what is put over it, the lowest first
   */
  public record Details(
      long offset,
      OptionalLong size,
      Optional<ImageOptions> backing,
      boolean withoutBacking,
      boolean unmap,
      boolean detectZeroes,
      ImageKey key,
      Map<String, String> tuning,
      List<Filter> filters) {
    public Details {
      tuning = Map.copyOf(tuning);
      filters = List.copyOf(filters);
    }

    public static final Details NONE =
        new Details(0, OptionalLong.empty(), Optional.empty(), false, false, false, ImageKey.MISSING, Map.of(),
            List.of());

    public Details withWindow(long start, OptionalLong bytes) {
      return new Details(start, bytes, backing, withoutBacking, unmap, detectZeroes, key, tuning, filters);
    }

    public Details withBacking(Optional<ImageOptions> image) {
      return new Details(offset, size, image, image.isEmpty(), unmap, detectZeroes, key, tuning, filters);
    }

    public Details withUnmap(boolean on) {
      return new Details(offset, size, backing, withoutBacking, on, detectZeroes, key, tuning, filters);
    }

    public Details withKey(ImageKey passphrase) {
      return new Details(offset, size, backing, withoutBacking, unmap, detectZeroes, passphrase, tuning, filters);
    }

    /** Takes what is about this out of {@code options}. */
    public Details withTuning(Map<String, String> options) {
      Map<String, String> own = new LinkedHashMap<>();
      for (String name : List.copyOf(options.keySet())) {
        if (Qcow2Node.isTuning(name)) {
          own.put(name, options.remove(name));
        }
      }
      return new Details(offset, size, backing, withoutBacking, unmap, detectZeroes, key, own, filters);
    }

    Details withFilter(Filter filter) {
      List<Filter> more = new ArrayList<>(filters);
      more.add(filter);
      return new Details(offset, size, backing, withoutBacking, unmap, detectZeroes, key, tuning, more);
    }

    public Details withDetectZeroes(boolean on) {
      return new Details(offset, size, backing, withoutBacking, unmap, on, key, tuning, filters);
    }
  }

  /** Backing files of backing files, at most. */
  private static final int MAX_DEPTH = 200;

  /** An image without details. */
  public ImageOptions(Location file, String format, boolean readOnly, boolean snapshot, boolean locking) {
    this(file, format, readOnly, snapshot, locking, Details.NONE);
  }

  /** An image in a file of the host. */
  public ImageOptions(Path file, String format, boolean readOnly, boolean snapshot, boolean locking) {
    this(new Location.File(file), format, readOnly, snapshot, locking);
  }

  /**
   * What a file name means: a file, a URL, or {@code json:} and a description.
   *
   * @param format name of the format; empty to look what it is
   */
  public static ImageOptions named(String name, String format, boolean readOnly, boolean snapshot, boolean locking)
      throws BlockException {
    if (!name.startsWith("json:")) {
      return new ImageOptions(Protocols.named(name), format, readOnly, snapshot, locking);
    }
    ImageOptions image = described(JsonKeys.read(name.substring("json:".length())), readOnly, snapshot, locking);
    if (!format.isEmpty() && !image.format.isEmpty() && !format.equals(image.format)) {
      throw new BlockException("Driver specified twice");
    }
    return image.format.isEmpty() ? image.withFormat(format) : image;
  }

  /**
   * What options with dotted names mean, as in a {@code json:} name.
   *
   * @param options names and values; one that is not understood is an error
   */
  public static ImageOptions described(
      Map<String, String> options, boolean readOnly, boolean snapshot, boolean locking) throws BlockException {
    Keys keys = new Keys(options);
    String driver = keys.text("driver").orElse("");
    boolean protect = keys.flag("read-only", readOnly) || readOnly;
    keys.flag("auto-read-only", false);
    keys.text("node-name");
    boolean lock = !keys.oneOf("locking", "on", "off", "auto").orElse("auto").equals("off") && locking;
    if (Protocols.isDriver(driver)) {
      Location file = Protocols.described(driver, options, Protocols.Objects.NONE);
      keys.expectEmpty(driver);
      return new ImageOptions(file, "", protect, snapshot, lock);
    }
    Keys inner = keys.within("file.");
    String protocol = inner.text("driver").orElse("file");
    inner.flag("read-only", false);
    lock &= !inner.oneOf("locking", "on", "off", "auto").orElse("auto").equals("off");
    Optional<String> plain = keys.text("file").or(() -> keys.text("filename"));
    Location file = plain.isPresent() ? Protocols.named(plain.get())
        : Protocols.described(protocol, inner.values(), Protocols.Objects.NONE);
    inner.expectEmpty(protocol);
    Details more = Details.NONE;
    if (driver.equals("raw")) {
      long size = keys.size("size", -1);
      more = more.withWindow(keys.size("offset", 0), size < 0 ? OptionalLong.empty() : OptionalLong.of(size));
    }
    String discard = keys.oneOf("discard", "ignore", "off", "unmap", "on").orElse("ignore");
    more = more.withUnmap(discard.equals("unmap") || discard.equals("on"));
    if (driver.equals("qcow2")) {
      more = more.withTuning(keys.values());
    }
    Keys backing = keys.within("backing.");
    if (!backing.values().isEmpty()) {
      more = more.withBacking(Optional.of(described(backing.values(), true, false, lock)));
    } else if (keys.text("backing").isPresent()) {
      more = more.withBacking(Optional.empty());
    }
    keys.expectEmpty(driver.isEmpty() ? "raw" : driver);
    return new ImageOptions(file, driver, protect, snapshot, lock, more);
  }

  /** A raw image, locked. */
  public static ImageOptions raw(Path file) {
    return new ImageOptions(file, "raw", false, false, true);
  }

  /** The same as a temporary copy. */
  public ImageOptions withSnapshot() {
    return new ImageOptions(file, format, readOnly, true, locking, details);
  }

  /** The same whoever else has its file open. */
  public ImageOptions withoutLocking() {
    return new ImageOptions(file, format, readOnly, snapshot, false, details);
  }

  private ImageOptions withFormat(String name) {
    return new ImageOptions(file, name, readOnly, snapshot, locking, details);
  }

  /** The same with a filter over all that is there. */
  public ImageOptions withFilter(Filter filter) {
    return withDetails(details.withFilter(filter));
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
      throw new BlockException("Could not open '" + file.name() + "': its backing files are a loop, or too many");
    }
    BlockNode node = openFormat(readOnly || snapshot, locking, depth);
    try {
      node = snapshot && !readOnly ? new SnapshotOverlay(node) : node;
      node = details.detectZeroes() && !readOnly ? new ZeroDetector(node, details.unmap()) : node;
      for (Filter filter : details.filters()) {
        node = filter.over(node);
      }
      return node;
    } catch (BlockException e) {
      node.close();
      throw e;
    }
  }

  private BlockNode openFormat(boolean protect, boolean lock, int depth) throws BlockException {
    FileProtocol.Options growable = new FileProtocol.Options(protect, lock, true).withUnmap(details.unmap());
    if (format.isEmpty() && !(file instanceof Location.File)) {
      // A server may serve a single client.
      return openProbed(file.open(growable), depth);
    }
    String kind = format.isEmpty() ? probe(lock) : format;
    if (!Probe.isKnown(kind)) {
      throw new BlockException("Unknown driver '" + kind + "'");
    }
    boolean raw = kind.equals("raw");
    // A qcow2 image knows itself what to discard.
    return openIn(file.open(raw ? new FileProtocol.Options(protect, lock).withUnmap(details.unmap())
        : growable.withUnmap(kind.equals("qcow2") || details.unmap())), kind, depth);
  }

  /** The image in {@code protocol}, which the new node closes, also when this fails. */
  private BlockNode openIn(BlockNode protocol, String kind, int depth) throws BlockException {
    Neighbours neighbours = new Neighbours(depth);
    if (kind.equals("qcow2")) {
      return Qcow2Node.open(protocol, neighbours, details.unmap(), details.tuning(), details.key());
    }
    for (String foreign : details.tuning().keySet()) {
      protocol.close();
      throw new BlockException("Block format '" + kind + "' does not support the option '" + foreign + "'");
    }
    if (kind.equals("luks")) {
      return LuksNode.open(protocol, details.key(), "key-secret");
    }
    try {
      if (kind.equals("raw")) {
        if (details.offset() != 0 || details.size().isPresent()) {
          return new RawFormat(protocol, details.offset(), details.size());
        }
        return format.isEmpty() ? RawFormat.probed(protocol) : new RawFormat(protocol);
      }
      if (!protocol.readOnly()) {
        throw new BlockException("Could not open '" + file.name() + "': "
            + (format.isEmpty() ? "it looks like format '" + kind + "', which" : "format '" + kind + "'")
            + " is only read here (use read-only=on or snapshot=on, or convert it)");
      }
      return switch (kind) {
        case "vmdk" -> VmdkImage.open(protocol, neighbours);
        case "vdi" -> VdiImage.open(protocol);
        case "vpc" -> VpcImage.open(protocol);
        case "vhdx" -> VhdxImage.open(protocol);
        case "parallels" -> ParallelsImage.open(protocol);
        case "qed" -> QedImage.open(protocol, neighbours);
        default -> throw new BlockException("Could not open '" + file.name() + "': "
            + (format.isEmpty() ? "it looks like format '" + kind + "', which" : "format '" + kind + "'")
            + " is not supported" + (format.isEmpty() ? " (format=raw takes it as it is)" : ""));
      };
    } catch (BlockException e) {
      protocol.close();
      throw e;
    }
  }

  private BlockNode openProbed(BlockNode protocol, int depth) throws BlockException {
    Optional<String> kind;
    try {
      kind = Probe.format(Probe.head(protocol));
    } catch (BlockException e) {
      protocol.close();
      throw e;
    }
    return openIn(protocol, kind.orElse("raw"), depth);
  }

  /** The name of the format that the image looks like. */
  public String probe() throws BlockException {
    return probe(false);
  }

  private String probe(boolean lock) throws BlockException {
    try (BlockNode protocol = file.open(new FileProtocol.Options(true, lock))) {
      return Probe.format(Probe.head(protocol)).orElse("raw");
    }
  }

  /** The files that this one names, relative to its folder. */
  private final class Neighbours implements Qcow2Node.Files, ForeignFiles {
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
          : name.startsWith("json:") ? named(name, backingFormat, true, false, locking)
              : new ImageOptions(file.neighbour(name), backingFormat, true, false, locking);
      return Optional.of(image.open(depth + 1));
    }

    @Override
    public BlockNode part(String name) throws BlockException {
      return file.neighbour(name).open(new FileProtocol.Options(true, locking, true));
    }

    @Override
    public BlockNode data(String name) throws BlockException {
      if (name.isEmpty()) {
        throw new BlockException("'data-file' is required for this image: '" + file.name() + "'");
      }
      boolean protect = readOnly || snapshot;
      return file.neighbour(name).open(new FileProtocol.Options(protect, locking, true));
    }
  }

  /** The name by which to open a file that an image names. */
  public static String neighbour(String image, String name) throws BlockException {
    return name.startsWith("json:") ? name : Protocols.named(image).neighbour(name).name();
  }

  /**
   * Writes the temporary changes of an image that was opened with snapshot=on to its file; nothing to do for others.
   *
   * @param node what {@link #open} returned
   */
  public void commit(BlockNode node) throws BlockException {
    BlockNode top = node;
    while (top instanceof FilterNode filter) {
      top = filter.below();
    }
    if (top instanceof SnapshotOverlay overlay) {
      // The overlay's own handle holds the lock.
      try (BlockNode target = openFormat(false, false, 0)) {
        overlay.commit(target);
      }
    }
  }
}
