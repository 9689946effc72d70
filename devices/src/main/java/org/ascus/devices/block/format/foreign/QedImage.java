package org.ascus.devices.block.format.foreign;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.BlockNode;

/** QEMU's former enhanced disk (docs/interop/qed_spec): two levels of tables of 64-bit places. Little-endian. */
public final class QedImage extends ForeignImage {
  private static final int HEADER_BYTES = 64;
  private static final int MAGIC = 'Q' | 'E' << 8 | 'D' << 16;
  private static final long HAS_BACKING = 1;
  private static final long NEEDS_CHECK = 2;
  private static final long BACKING_IS_RAW = 4;

  private final FieldReader fields;
  private final int cluster;
  private final long entries;
  private final long table;
  private final String backingName;
  private final String backingFormat;
  private final boolean dirty;
  private Optional<BlockNode> backing = Optional.empty();

  private QedImage(FieldReader fields, ByteBuffer header) throws BlockException {
    super(fields.file().name(), header.getLong(48));
    this.fields = fields;
    this.cluster = header.getInt(4);
    this.entries = (long) header.getInt(8) * cluster / Long.BYTES;
    this.table = header.getLong(40);
    long features = header.getLong(16);
    this.dirty = (features & NEEDS_CHECK) != 0;
    if ((features & HAS_BACKING) != 0) {
      int length = header.getInt(60);
      if (length < 0 || length > 1023) {
        throw fields.failure("Invalid backing file name of " + Integer.toUnsignedString(length) + " bytes");
      }
      ByteBuffer name = fields.bytes(header.getInt(56) & 0xffff_ffffL, length);
      this.backingName = new String(name.array(), StandardCharsets.UTF_8);
      this.backingFormat = (features & BACKING_IS_RAW) != 0 ? "raw" : "";
    } else {
      this.backingName = "";
      this.backingFormat = "";
    }
  }

  /**
   * Opens an image.
   *
   * @param file closed by the new node, unless this fails
   */
  public static QedImage open(BlockNode file, ForeignFiles files) throws BlockException {
    FieldReader fields = new FieldReader(file, ByteOrder.LITTLE_ENDIAN);
    ByteBuffer header = fields.bytes(0, HEADER_BYTES);
    if (header.getInt(0) != MAGIC) {
      throw fields.failure("Image not in QED format");
    }
    int cluster = header.getInt(4);
    int tableClusters = header.getInt(8);
    if (Integer.bitCount(cluster) != 1 || cluster < 4096 || cluster > 64 << 20) {
      throw fields.failure("Invalid cluster size " + Integer.toUnsignedString(cluster));
    }
    if (tableClusters < 1 || tableClusters > 16 || Integer.bitCount(tableClusters) != 1) {
      throw fields.failure("Invalid table size " + Integer.toUnsignedString(tableClusters));
    }
    long unknown = header.getLong(16) & ~(HAS_BACKING | NEEDS_CHECK | BACKING_IS_RAW);
    if (unknown != 0) {
      throw fields.failure("Unsupported QED features: " + Long.toHexString(unknown));
    }
    long entries = (long) tableClusters * cluster / Long.BYTES;
    long size = header.getLong(48);
    if (size < 0 || size % 512 != 0 || Math.ceilDiv(size, cluster) > entries * entries) {
      throw fields.failure("Invalid image size " + Long.toUnsignedString(size));
    }
    fields.checkTable("the L1 table", header.getLong(40), entries * Long.BYTES);
    QedImage image = new QedImage(fields, header);
    if (!image.backingName.isEmpty()) {
      image.backing = files.backing(image.backingName, image.backingFormat);
    }
    return image;
  }

  @Override
  public Optional<BlockNode> backing() {
    return backing;
  }

  /** Name of the backing file as the image has it, or empty. */
  public String backingName() {
    return backingName;
  }

  public String backingFormat() {
    return backingFormat;
  }

  /** Whether it was not closed properly: clusters may have leaked. */
  public boolean dirty() {
    return dirty;
  }

  /** Bytes of the guest's that a table of the second level has clusters for. */
  public long tableSpan() {
    return entries * cluster;
  }

  @Override
  public int clusterSize() {
    return cluster;
  }

  @Override
  Place find(long offset, long length) throws BlockException {
    long inside = offset % cluster;
    long index = offset / cluster;
    long second = entry(table, index / entries);
    long place = second == 0 ? 0 : entry(second, index % entries);
    if (place == 0 || place == 1) {
      return Place.of(place == 0 ? Kind.ABSENT : Kind.ZERO, cluster - inside);
    }
    if (place < 0 || place % cluster != 0) {
      throw new BlockException("'" + name() + "': cluster offset 0x" + Long.toHexString(place) + " is not aligned");
    }
    return Place.data(fields.file(), place + inside, cluster - inside);
  }

  private long entry(long at, long index) throws BlockException {
    if (at < 0 || at % cluster != 0) {
      throw new BlockException("'" + name() + "': table offset 0x" + Long.toHexString(at) + " is not aligned");
    }
    return fields.u64(at + index * Long.BYTES);
  }

  @Override
  public void close() throws BlockException {
    fields.file().close();
    if (backing.isPresent()) {
      backing.get().close();
    }
  }

  @Override
  public String format() {
    return "qed";
  }
}
