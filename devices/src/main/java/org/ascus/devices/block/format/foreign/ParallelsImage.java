package org.ascus.devices.block.format.foreign;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.BlockNode;

/** Parallels' expanding disk (docs/interop/parallels): a header, a table of 32-bit places, clusters. Little-endian. */
public final class ParallelsImage extends ForeignImage {
  private static final int HEADER_BYTES = 64;
  private static final int VERSION = 2;
  private static final int SECTOR = 512;

  private final FieldReader fields;
  private final long cluster;
  private final long unit;

  private ParallelsImage(FieldReader fields, long size, long cluster, long unit) {
    super(fields.file().name(), size);
    this.fields = fields;
    this.cluster = cluster;
    this.unit = unit;
  }

  /** Opens an image in {@code file}, which the new node closes unless this fails. */
  public static ParallelsImage open(BlockNode file) throws BlockException {
    FieldReader fields = new FieldReader(file, ByteOrder.LITTLE_ENDIAN);
    ByteBuffer header = fields.bytes(0, HEADER_BYTES);
    byte[] magic = new byte[16];
    header.get(0, magic);
    String kind = new String(magic, StandardCharsets.ISO_8859_1);
    boolean extended = kind.equals("WithouFreSpacExt");
    if (!extended && !kind.equals("WithoutFreeSpace") || header.getInt(16) != VERSION) {
      throw fields.failure("Image not in Parallels format");
    }
    long sectorsPerCluster = header.getInt(28) & 0xffff_ffffL;
    long entries = header.getInt(32) & 0xffff_ffffL;
    long sectors = extended ? header.getLong(36) : header.getLong(36) & 0xffff_ffffL;
    if (sectorsPerCluster == 0 || sectorsPerCluster > Integer.MAX_VALUE / SECTOR) {
      throw fields.failure("Invalid image: " + sectorsPerCluster + " sectors per track");
    }
    if (sectors < 0 || Math.ceilDiv(sectors, sectorsPerCluster) > entries) {
      throw fields.failure("Invalid image: the table of " + entries + " entries is too small for "
          + Long.toUnsignedString(sectors) + " sectors");
    }
    fields.checkTable("the allocation table", HEADER_BYTES, entries * Integer.BYTES);
    long cluster = sectorsPerCluster * SECTOR;
    return new ParallelsImage(fields, sectors * SECTOR, cluster, extended ? cluster : SECTOR);
  }

  @Override
  Place find(long offset, long length) throws BlockException {
    long inside = offset % cluster;
    long entry = fields.u32(HEADER_BYTES + offset / cluster * Integer.BYTES);
    return entry == 0 ? Place.of(Kind.ABSENT, cluster - inside)
        : Place.data(fields.file(), entry * unit + inside, cluster - inside);
  }

  @Override
  public void close() throws BlockException {
    fields.file().close();
  }

  @Override
  public String format() {
    return "parallels";
  }
}
