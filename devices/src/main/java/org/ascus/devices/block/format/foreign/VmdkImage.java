package org.ascus.devices.block.format.foreign;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.BlockNode;

/**
 * A VMware disk (VMware Virtual Disk Format 5.0): one sparse file with its description in it, or a text file that names
 * flat and sparse parts. A parent disk stands behind what is not there.
 */
public final class VmdkImage extends ForeignImage {
  private static final int MAX_DESCRIPTOR = 1 << 20;
  private static final List<String> IN_PARTS =
      List.of("monolithicFlat", "vmfs", "twoGbMaxExtentSparse", "twoGbMaxExtentFlat", "custom");

  /**
   * A part, for people.
   *
   * @param type as the description has it; empty for a single file
   * @param grain bytes, 0 for a flat part
   */
  public record Part(long bytes, String file, String type, long grain, boolean compressed) {}

  private record Located(long start, VmdkExtent extent, BlockNode file, Part part) {
    long end() {
      return start + extent.bytes();
    }
  }

  private final BlockNode top;
  private final VmdkDescriptor descriptor;
  private final Located[] parts;
  private final Optional<BlockNode> backing;

  private VmdkImage(BlockNode top, VmdkDescriptor descriptor, List<Located> parts, Optional<BlockNode> backing) {
    super(top.name(), parts.isEmpty() ? 0 : parts.getLast().end());
    this.top = top;
    this.descriptor = descriptor;
    this.parts = parts.toArray(Located[]::new);
    this.backing = backing;
  }

  /**
   * Opens an image.
   *
   * @param top the sparse file or the description; closed by the new node, unless this fails
   */
  public static VmdkImage open(BlockNode top, ForeignFiles files) throws BlockException {
    byte[] head = new byte[(int) Math.min(top.size(), MAX_DESCRIPTOR)];
    top.read(0, ByteBuffer.wrap(head, 0, Math.min(head.length, 4)));
    List<Located> parts = new ArrayList<>();
    VmdkDescriptor descriptor;
    if (head.length >= 4 && Arrays.equals(Arrays.copyOf(head, 4), new byte[] {'K', 'D', 'M', 'V'})) {
      VmdkExtent.Sparse sparse = VmdkExtent.Sparse.open(top);
      descriptor = VmdkDescriptor.parse(sparse.descriptor());
      Part part = new Part(sparse.bytes(), top.name(), "", sparse.grain(), sparse.compressed());
      parts.add(new Located(0, sparse, top, part));
    } else {
      top.read(0, ByteBuffer.wrap(head));
      descriptor = VmdkDescriptor.parse(head);
      if (!IN_PARTS.contains(descriptor.createType())) {
        throw failure(top, "Unsupported image type '" + descriptor.createType() + "'");
      }
      try {
        openParts(top, descriptor, files, parts);
      } catch (BlockException e) {
        closeParts(top, parts, e);
        throw e;
      }
    }
    try {
      return new VmdkImage(top, descriptor, parts, parent(top, descriptor, files));
    } catch (BlockException e) {
      closeParts(top, parts, e);
      throw e;
    }
  }

  private static BlockException failure(BlockNode top, String what) {
    return new BlockException("Could not open '" + top.name() + "': " + what);
  }

  private static void openParts(BlockNode top, VmdkDescriptor descriptor, ForeignFiles files, List<Located> parts)
      throws BlockException {
    long start = 0;
    for (VmdkDescriptor.Line line : descriptor.extents()) {
      long bytes = line.sectors() * VmdkExtent.SECTOR;
      if (bytes <= 0 || start > Long.MAX_VALUE / 2 - bytes) {
        throw failure(top, "Invalid extent of " + line.sectors() + " sectors");
      }
      Located part = switch (line.type()) {
        case "ZERO" -> new Located(start, new VmdkExtent.Zero(bytes), top,
            new Part(bytes, line.file(), line.type(), 0, false));
        case "FLAT", "VMFS" -> {
          BlockNode file = files.part(line.file());
          VmdkExtent extent = new VmdkExtent.Flat(file, line.offset() * VmdkExtent.SECTOR, bytes);
          yield new Located(start, extent, file, new Part(bytes, file.name(), line.type(), 0, false));
        }
        case "SPARSE" -> sparse(files.part(line.file()), line, start, bytes);
        default -> throw failure(top, "Unsupported extent type '" + line.type() + "'");
      };
      parts.add(part);
      start = part.end();
    }
  }

  private static Located sparse(BlockNode file, VmdkDescriptor.Line line, long start, long bytes)
      throws BlockException {
    try {
      VmdkExtent.Sparse sparse = VmdkExtent.Sparse.open(file);
      if (sparse.bytes() < bytes) {
        throw failure(file, "it has " + sparse.bytes() + " bytes instead of " + bytes);
      }
      return new Located(start, sparse, file,
          new Part(sparse.bytes(), file.name(), line.type(), sparse.grain(), sparse.compressed()));
    } catch (BlockException e) {
      closeBecause(e, file);
      throw e;
    }
  }

  /** Only another VMware disk can be a parent, whatever the named file looks like. */
  private static Optional<BlockNode> parent(BlockNode top, VmdkDescriptor descriptor, ForeignFiles files)
      throws BlockException {
    if (descriptor.parent().isEmpty() || descriptor.parentCid() == VmdkDescriptor.NO_PARENT) {
      return Optional.empty();
    }
    Optional<BlockNode> parent = files.backing(descriptor.parent(), "vmdk");
    if (parent.isPresent() && parent.get() instanceof VmdkImage image
        && image.descriptor.cid() != descriptor.parentCid()) {
      BlockException changed = failure(top, "its parent '" + image.name() + "' has changed (CID "
          + Long.toHexString(image.descriptor.cid()) + " instead of " + Long.toHexString(descriptor.parentCid()) + ")");
      closeBecause(changed, image);
      throw changed;
    }
    return parent;
  }

  private static void closeBecause(BlockException because, BlockNode file) {
    try {
      file.close();
    } catch (BlockException e) {
      because.addSuppressed(e);
    }
  }

  private static void closeParts(BlockNode top, List<Located> parts, BlockException because) {
    for (Located part : parts) {
      if (part.file() != top) {
        closeBecause(because, part.file());
      }
    }
  }

  public VmdkDescriptor descriptor() {
    return descriptor;
  }

  public List<Part> parts() {
    return Arrays.stream(parts).map(Located::part).toList();
  }

  @Override
  public Optional<BlockNode> backing() {
    return backing;
  }

  @Override
  public int clusterSize() {
    long first = parts.length == 0 ? 0 : parts[0].part().grain();
    return Arrays.stream(parts).allMatch(p -> p.part().grain() == first) ? (int) first : 0;
  }

  @Override
  public String fileAt(long offset) {
    return part(offset).part().file();
  }

  private Located part(long offset) {
    int low = 0;
    int high = parts.length - 1;
    while (low < high) {
      int middle = low + high >>> 1;
      if (offset < parts[middle].end()) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    return parts[low];
  }

  @Override
  Place find(long offset, long length) throws BlockException {
    Located part = part(offset);
    return part.extent().find(offset - part.start());
  }

  @Override
  byte[] unpack(long offset, long guest) throws BlockException {
    if (part(guest).extent() instanceof VmdkExtent.Sparse sparse) {
      return sparse.unpack(offset);
    }
    throw new IllegalStateException();
  }

  @Override
  long packedStart(long guest) {
    Located part = part(guest);
    long inside = guest - part.start();
    return guest - inside % part.part().grain();
  }

  @Override
  public void close() throws BlockException {
    for (Located part : parts) {
      part.file().close();
    }
    top.close();
    if (backing.isPresent()) {
      backing.get().close();
    }
  }

  @Override
  public String format() {
    return "vmdk";
  }
}
