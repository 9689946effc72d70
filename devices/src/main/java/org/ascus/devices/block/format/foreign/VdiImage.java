package org.ascus.devices.block.format.foreign;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.BlockNode;

/**
 * VirtualBox's disk image, version 1.1: a header, a map with a 32-bit number for each block of 1 MiB, and the blocks.
 * Numbers are little-endian.
 */
public final class VdiImage extends ForeignImage {
  private static final int HEADER_BYTES = 512;
  private static final int SIGNATURE_AT = 0x40;
  private static final int SIGNATURE = 0xbeda107f;
  private static final int VERSION = 0x0001_0001;
  private static final long BLOCK = 1 << 20;

  /** Type of an image in which every block has its place from the start. */
  private static final int STATIC = 2;

  private static final long FREE = 0xffff_ffffL;
  private static final long DISCARDED = 0xffff_fffeL;

  private final FieldReader fields;
  private final long mapOffset;
  private final long dataOffset;
  private final boolean whole;

  private VdiImage(FieldReader fields, ByteBuffer header) {
    super(fields.file().name(), (header.getLong(0x170) + 511) & -512);
    this.fields = fields;
    this.mapOffset = header.getInt(0x154) & 0xffff_ffffL;
    this.dataOffset = header.getInt(0x158) & 0xffff_ffffL;
    this.whole = header.getInt(0x4c) == STATIC;
  }

  /** Opens an image in {@code file}, which the new node closes unless this fails. */
  public static VdiImage open(BlockNode file) throws BlockException {
    FieldReader fields = new FieldReader(file, ByteOrder.LITTLE_ENDIAN);
    ByteBuffer header = fields.bytes(0, HEADER_BYTES);
    if (header.getInt(SIGNATURE_AT) != SIGNATURE) {
      throw fields.failure("Image not in VDI format (bad signature " + Integer.toHexString(header.getInt(SIGNATURE_AT))
          + ")");
    }
    int version = header.getInt(0x44);
    if (version != VERSION) {
      throw fields.failure("unsupported VDI image (version " + (version >>> 16) + "." + (version & 0xffff) + ")");
    }
    long map = header.getInt(0x154) & 0xffff_ffffL;
    long data = header.getInt(0x158) & 0xffff_ffffL;
    if (map % 512 != 0 || data % 512 != 0) {
      throw fields.failure("unsupported VDI image (unaligned block map or data offset)");
    }
    if (header.getInt(0x168) != 512) {
      throw fields.failure("unsupported VDI image (sector size " + Integer.toUnsignedString(header.getInt(0x168))
          + " is not 512)");
    }
    if (header.getInt(0x178) != BLOCK) {
      throw fields.failure("unsupported VDI image (block size " + Integer.toUnsignedString(header.getInt(0x178))
          + " is not " + BLOCK + ")");
    }
    long size = header.getLong(0x170);
    long blocks = header.getInt(0x180) & 0xffff_ffffL;
    if (size < 0 || size > blocks * BLOCK) {
      throw fields.failure("unsupported VDI image (disk size " + Long.toUnsignedString(size)
          + ", image bitmap has room for " + blocks * BLOCK + ")");
    }
    for (int at = 0x1a8; at < 0x1c8; at += Long.BYTES) {
      if (header.getLong(at) != 0) {
        throw fields.failure("unsupported VDI image (it is linked to another image)");
      }
    }
    fields.checkTable("the block map", map, blocks * Integer.BYTES);
    return new VdiImage(fields, header);
  }

  @Override
  public int clusterSize() {
    return (int) BLOCK;
  }

  @Override
  Place find(long offset, long length) throws BlockException {
    long block = offset / BLOCK;
    long inside = offset % BLOCK;
    long entry = fields.u32(mapOffset + block * Integer.BYTES);
    if (entry == FREE || entry == DISCARDED) {
      return Place.of(Kind.ZERO, BLOCK - inside);
    }
    long place = dataOffset + entry * BLOCK + inside;
    return whole ? Place.flat(fields.file(), place, BLOCK - inside) : Place.data(fields.file(), place, BLOCK - inside);
  }

  @Override
  public void close() throws BlockException {
    fields.file().close();
  }

  @Override
  public String format() {
    return "vdi";
  }
}
