package org.ascus.devices.block.format.foreign;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.BlockNode;

/**
 * Virtual PC's and Hyper-V's VHD (Virtual Hard Disk Image Format Specification 1.0), fixed or dynamic. Numbers are
 * big-endian. Differencing disks are refused, which QEMU would read without their parent.
 */
public final class VpcImage extends ForeignImage {
  private static final int FOOTER_BYTES = 512;
  private static final int DYNAMIC_BYTES = 1024;
  private static final int SECTOR = 512;
  private static final int FIXED = 2;
  private static final int DYNAMIC = 3;
  private static final long FREE = 0xffff_ffffL;

  /** Sectors of the largest geometry, which stands for any larger disk. */
  private static final long MAX_GEOMETRY = 65535L * 16 * 255;

  /** Programs that mean the size in the footer, not the geometry. */
  private static final List<String> SIZE_COUNTS = List.of("win ", "d2v ", "qem2", "tap\0");

  private final FieldReader fields;
  private final long table;
  private final long block;
  private final long bitmap;

  private VpcImage(FieldReader fields, long size, long table, long block) {
    super(fields.file().name(), size);
    this.fields = fields;
    this.table = table;
    this.block = block;
    this.bitmap = Math.ceilDiv(block / SECTOR / 8, SECTOR) * SECTOR;
  }

  /** Opens an image in {@code file}, which the new node closes unless this fails. */
  public static VpcImage open(BlockNode file) throws BlockException {
    FieldReader fields = new FieldReader(file, ByteOrder.BIG_ENDIAN);
    ByteBuffer footer = fields.bytes(0, FOOTER_BYTES);
    if (!text(footer, 0, 8).equals("conectix")) {
      // A fixed disk has its footer at the end only, in the last 512 bytes or, from old programs, 511.
      footer = fields.bytes(Math.max(0, file.size() - FOOTER_BYTES), FOOTER_BYTES);
      if (!text(footer, 0, 8).equals("conectix")) {
        throw fields.failure("invalid VPC image");
      }
    }
    int type = footer.getInt(60);
    if (type != FIXED && type != DYNAMIC) {
      throw fields.failure(type == 4 ? "differencing VHD images are not supported"
          : "invalid VPC image (disk type " + Integer.toUnsignedString(type) + ")");
    }
    long size = size(footer);
    if (size < 0 || size > Long.MAX_VALUE / 2) {
      throw fields.failure("invalid VPC image (size " + Long.toUnsignedString(size) + ")");
    }
    if (type == FIXED) {
      if (size > file.size() - FOOTER_BYTES) {
        throw fields.failure("invalid VPC image (the fixed disk of " + size + " bytes does not fit into the file)");
      }
      return new VpcImage(fields, size, 0, 0);
    }
    ByteBuffer header = fields.bytes(footer.getLong(16), DYNAMIC_BYTES);
    if (!text(header, 0, 8).equals("cxsparse")) {
      throw fields.failure("invalid VPC image (no dynamic disk header)");
    }
    long table = header.getLong(16);
    long entries = header.getInt(28) & 0xffff_ffffL;
    long block = header.getInt(32) & 0xffff_ffffL;
    if (Long.bitCount(block) != 1 || block < SECTOR) {
      throw fields.failure("Invalid block size " + block);
    }
    if (entries * block < size) {
      throw fields.failure("Page table too small");
    }
    fields.checkTable("the block allocation table", table, entries * Integer.BYTES);
    return new VpcImage(fields, size, table, block);
  }

  private static String text(ByteBuffer bytes, int at, int length) {
    byte[] text = new byte[length];
    bytes.get(at, text);
    return new String(text, StandardCharsets.ISO_8859_1);
  }

  private static long size(ByteBuffer footer) {
    long geometry = (footer.getShort(56) & 0xffffL) * (footer.get(58) & 0xff) * (footer.get(59) & 0xff);
    boolean exact = SIZE_COUNTS.contains(text(footer, 28, 4)) || geometry >= MAX_GEOMETRY;
    return exact ? footer.getLong(48) / SECTOR * SECTOR : geometry * SECTOR;
  }

  private boolean fixed() {
    return block == 0;
  }

  @Override
  public int clusterSize() {
    return (int) Math.min(block, 1 << 30);
  }

  @Override
  Place find(long offset, long length) throws BlockException {
    if (fixed()) {
      return Place.flat(fields.file(), offset, size() - offset);
    }
    long inside = offset % block;
    long entry = fields.u32(table + offset / block * Integer.BYTES);
    if (entry == FREE) {
      return Place.of(Kind.ZERO, block - inside);
    }
    return Place.data(fields.file(), entry * SECTOR + bitmap + inside, block - inside);
  }

  @Override
  public void close() throws BlockException {
    fields.file().close();
  }

  @Override
  public String format() {
    return "vpc";
  }
}
