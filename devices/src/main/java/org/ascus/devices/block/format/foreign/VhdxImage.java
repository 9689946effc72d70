package org.ascus.devices.block.format.foreign;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.BlockNode;

/**
 * Hyper-V's VHDX ([MS-VHDX]). Numbers are little-endian. Changes that are still in its log are taken into account, not
 * written. Differencing disks are refused, as QEMU does.
 */
public final class VhdxImage extends ForeignImage {
  private static final long[] HEADERS = {64 << 10, 128 << 10};
  private static final long[] REGION_TABLES = {192 << 10, 256 << 10};
  private static final int HEADER_BYTES = 4096;
  private static final int REGION_TABLE_BYTES = 64 << 10;
  private static final int HEAD = 0x64616568;
  private static final int REGI = 0x69676572;
  private static final int MAX_REGIONS = 2047;
  private static final int MAX_ITEMS = 2047;
  private static final UUID BAT = UUID.fromString("2dc27766-f623-4200-9d64-115e9bfd4a08");
  private static final UUID METADATA = UUID.fromString("8b7ca206-4790-4b9a-b8fe-575f050f886e");
  private static final UUID FILE_PARAMETERS = UUID.fromString("caa16737-fa36-4d43-b3b6-33f0aa44e76b");
  private static final UUID DISK_SIZE = UUID.fromString("2fa54224-cd1b-4876-b211-5dbed83bf4b8");
  private static final UUID SECTOR_SIZE = UUID.fromString("8141bf1d-a96f-4709-ba47-f233a8faab5f");
  private static final int HAS_PARENT = 2;
  private static final long MIB = 1 << 20;
  private static final long MAX_SIZE = 64L << 40;
  private static final int FULLY_PRESENT = 6;

  private record Region(long offset, long length) {}

  /** What the metadata region tells of the disk. */
  private record Disk(long block, long size, long sector) {
    /** Blocks that one block of the sector bitmap stands for, which has an entry behind theirs. */
    long chunk() {
      return (sector << 23) / block;
    }

    long entries() {
      long blocks = Math.ceilDiv(size, block);
      return blocks == 0 ? 0 : blocks + (blocks - 1) / chunk();
    }
  }

  private final FieldReader fields;
  private final Disk disk;
  private final Region bat;

  private VhdxImage(FieldReader fields, Disk disk, Region bat) {
    super(fields.file().name(), disk.size());
    this.fields = fields;
    this.disk = disk;
    this.bat = bat;
  }

  /** Opens an image in {@code file}, which the new node closes unless this fails. */
  public static VhdxImage open(BlockNode file) throws BlockException {
    FieldReader plain = new FieldReader(file, ByteOrder.LITTLE_ENDIAN);
    byte[] magic = new byte[8];
    plain.bytes(0, 8).get(magic);
    if (!new String(magic, StandardCharsets.ISO_8859_1).equals("vhdxfile")) {
      throw plain.failure("Image not in VHDX format");
    }
    ByteBuffer header = header(plain);
    FieldReader fields = plain;
    if (header.getLong(48) != 0 || header.getLong(56) != 0) {
      fields = new FieldReader(new PatchedNode(file, VhdxLog.replay(plain, header)), ByteOrder.LITTLE_ENDIAN);
    }
    Map<UUID, Region> regions = regions(fields);
    Region bat = regions.get(BAT);
    Region metadata = regions.get(METADATA);
    if (bat == null || metadata == null) {
      throw fields.failure("its region table has no block allocation table or no metadata");
    }
    Disk disk = disk(fields, metadata);
    fields.checkTable("the block allocation table", bat.offset(), disk.entries() * Long.BYTES);
    if (disk.entries() * Long.BYTES > bat.length()) {
      throw fields.failure("its block allocation table of " + bat.length() + " bytes is too small");
    }
    return new VhdxImage(fields, disk, bat);
  }

  /** The valid one of the two headers that was written last. */
  private static ByteBuffer header(FieldReader fields) throws BlockException {
    ByteBuffer best = null;
    for (long at : HEADERS) {
      ByteBuffer header = fields.bytes(at, HEADER_BYTES);
      boolean valid = header.getInt(0) == HEAD && header.getInt(4) == VhdxLog.checksum(header)
          && header.getShort(66) == 1;
      if (valid && (best == null || Long.compareUnsigned(header.getLong(8), best.getLong(8)) > 0)) {
        best = header;
      }
    }
    if (best == null) {
      throw fields.failure("No valid VHDX header found");
    }
    return best;
  }

  private static UUID uuid(ByteBuffer in, int at) {
    long high = (in.getInt(at) & 0xffff_ffffL) << 32 | (in.getShort(at + 4) & 0xffffL) << 16
        | in.getShort(at + 6) & 0xffffL;
    return new UUID(high, Long.reverseBytes(in.getLong(at + 8)));
  }

  private static Map<UUID, Region> regions(FieldReader fields) throws BlockException {
    for (long at : REGION_TABLES) {
      ByteBuffer table = fields.bytes(at, REGION_TABLE_BYTES);
      int count = table.getInt(8);
      if (table.getInt(0) != REGI || table.getInt(4) != VhdxLog.checksum(table) || count < 0 || count > MAX_REGIONS) {
        continue;
      }
      Map<UUID, Region> regions = new HashMap<>();
      for (int i = 0; i < count; i++) {
        int entry = 16 + i * 32;
        UUID id = uuid(table, entry);
        Region region = new Region(table.getLong(entry + 16), table.getInt(entry + 24) & 0xffff_ffffL);
        boolean required = (table.getInt(entry + 28) & 1) != 0;
        if (required && !id.equals(BAT) && !id.equals(METADATA)) {
          throw fields.failure("it needs an unknown region " + id);
        }
        if (regions.put(id, region) != null) {
          throw fields.failure("its region table has " + id + " twice");
        }
      }
      return regions;
    }
    throw fields.failure("No valid VHDX region table found");
  }

  private static Disk disk(FieldReader fields, Region metadata) throws BlockException {
    ByteBuffer table = fields.bytes(metadata.offset(), REGION_TABLE_BYTES);
    byte[] signature = new byte[8];
    table.get(0, signature);
    int count = table.getShort(10) & 0xffff;
    if (!new String(signature, StandardCharsets.ISO_8859_1).equals("metadata") || count > MAX_ITEMS) {
      throw fields.failure("its metadata table is corrupt");
    }
    Map<UUID, Long> items = new HashMap<>();
    for (int i = 0; i < count; i++) {
      int entry = 32 + i * 32;
      items.put(uuid(table, entry), metadata.offset() + (table.getInt(entry + 16) & 0xffff_ffffL));
    }
    for (UUID id : new UUID[] {FILE_PARAMETERS, DISK_SIZE, SECTOR_SIZE}) {
      if (!items.containsKey(id)) {
        throw fields.failure("its metadata lacks the item " + id);
      }
    }
    ByteBuffer parameters = fields.bytes(items.get(FILE_PARAMETERS), 8);
    long block = parameters.getInt(0) & 0xffff_ffffL;
    if ((parameters.getInt(4) & HAS_PARENT) != 0) {
      throw fields.failure("differencing VHDX images are not supported");
    }
    if (block < MIB || block > 256 * MIB || Long.bitCount(block) != 1) {
      throw fields.failure("Invalid block size " + block);
    }
    long sector = fields.bytes(items.get(SECTOR_SIZE), 4).getInt(0) & 0xffff_ffffL;
    if (sector != 512 && sector != 4096) {
      throw fields.failure("Invalid logical sector size " + sector);
    }
    long size = fields.bytes(items.get(DISK_SIZE), 8).getLong(0);
    if (size < 0 || size > MAX_SIZE || size % sector != 0) {
      throw fields.failure("Invalid disk size " + Long.toUnsignedString(size));
    }
    return new Disk(block, size, sector);
  }

  @Override
  public int clusterSize() {
    return (int) disk.block();
  }

  @Override
  Place find(long offset, long length) throws BlockException {
    long index = offset / disk.block();
    long inside = offset % disk.block();
    long left = disk.block() - inside;
    long entry = fields.u64(bat.offset() + (index + index / disk.chunk()) * Long.BYTES);
    int state = (int) (entry & 7);
    if (state != FULLY_PRESENT) {
      if (state > 3) {
        throw new BlockException("'" + name() + "': block " + index + " has the state " + state);
      }
      return Place.of(Kind.ZERO, left);
    }
    long place = entry & -MIB;
    if (place < MIB) {
      throw new BlockException("'" + name() + "': block " + index + " lies over the headers");
    }
    return Place.data(fields.file(), place + inside, left);
  }

  @Override
  public void close() throws BlockException {
    fields.file().close();
  }

  @Override
  public String format() {
    return "vhdx";
  }
}
