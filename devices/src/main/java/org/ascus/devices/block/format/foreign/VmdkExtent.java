package org.ascus.devices.block.format.foreign;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.BlockNode;
import org.ascus.devices.block.format.foreign.ForeignImage.Kind;
import org.ascus.devices.block.format.foreign.ForeignImage.Place;

/** A part of a VMware disk. */
sealed interface VmdkExtent {
  int SECTOR = 512;

  /** Bytes of the disk. */
  long bytes();

  /** Where the bytes at {@code offset} of this part are. */
  Place find(long offset) throws BlockException;

  /** Zeroes without a file. */
  record Zero(long bytes) implements VmdkExtent {
    @Override
    public Place find(long offset) {
      return Place.of(Kind.ZERO, bytes - offset);
    }
  }

  /** The bytes of a file, from {@code start} on. */
  record Flat(BlockNode file, long start, long bytes) implements VmdkExtent {
    @Override
    public Place find(long offset) {
      return Place.flat(file, start + offset, bytes - offset);
    }
  }

  /** "Hosted sparse": a directory of tables of 32-bit places of grains, little-endian. */
  final class Sparse implements VmdkExtent {
    static final int MAGIC = 'K' | 'D' << 8 | 'M' << 16 | 'V' << 24;
    static final int HEADER_BYTES = 512;
    private static final long ZERO_GRAINS = 1 << 2;
    private static final long COMPRESSED = 1 << 16;
    private static final long MARKERS = 1 << 17;
    private static final long AT_END = -1;
    private static final int MARKER_BYTES = 12;
    private static final int MAX_COMPRESSED_GRAIN = 16 << 20;

    private final FieldReader fields;
    private final long flags;
    private final long bytes;
    private final long grain;
    private final long perTable;
    private final long directory;
    private final long descriptorAt;
    private final long descriptorBytes;

    private Sparse(FieldReader fields, ByteBuffer header) throws BlockException {
      this.fields = fields;
      int version = header.getInt(4);
      if (version < 1 || version > 3) {
        throw fields.failure("Unsupported VMDK version " + Integer.toUnsignedString(version));
      }
      flags = header.getInt(8);
      long capacity = header.getLong(12);
      long grainSectors = header.getLong(20);
      if (grainSectors < 1 || grainSectors > 0x20_0000 || Long.bitCount(grainSectors) != 1) {
        throw fields.failure("Invalid granularity " + Long.toUnsignedString(grainSectors)
            + ", image may be corrupt");
      }
      grain = grainSectors * SECTOR;
      perTable = header.getInt(44);
      if (perTable < 1 || perTable > 512) {
        throw fields.failure("L2 table size too big: " + Long.toUnsignedString(perTable));
      }
      if (capacity < 0 || capacity > Long.MAX_VALUE / SECTOR / 4) {
        throw fields.failure("Invalid capacity " + Long.toUnsignedString(capacity));
      }
      if (compressed() && grain > MAX_COMPRESSED_GRAIN) {
        throw fields.failure("compressed grains of " + grain + " bytes are too large");
      }
      bytes = capacity * SECTOR;
      long at = header.getLong(56);
      if (at < 0 || at > Long.MAX_VALUE / SECTOR) {
        throw fields.failure("Invalid offset of the grain directory: " + Long.toUnsignedString(at));
      }
      directory = at * SECTOR;
      fields.checkTable("the grain directory", directory,
          Math.ceilDiv(bytes, perTable * grain) * Integer.BYTES);
      long descriptor = header.getLong(28);
      descriptorAt = descriptor < 0 || descriptor > Long.MAX_VALUE / SECTOR ? 0 : descriptor * SECTOR;
      descriptorBytes = Math.clamp(header.getLong(36), 0L, 1L << 11) * SECTOR;
    }

    static Sparse open(BlockNode file) throws BlockException {
      FieldReader fields = new FieldReader(file, ByteOrder.LITTLE_ENDIAN);
      ByteBuffer header = fields.bytes(0, HEADER_BYTES);
      if (header.getInt(0) != MAGIC) {
        throw fields.failure("not a sparse VMDK file (magic " + String.format("0x%08x", header.getInt(0)) + ")");
      }
      if (header.getLong(56) == AT_END) {
        // A stream has its header again between two markers at the end, with the place that was not known before.
        header = fields.bytes(file.size() / SECTOR * SECTOR - 2 * SECTOR, HEADER_BYTES);
        if (header.getInt(0) != MAGIC || header.getLong(56) == AT_END) {
          throw fields.failure("the footer of the VMDK stream is missing");
        }
      }
      return new Sparse(fields, header);
    }

    boolean compressed() {
      return (flags & COMPRESSED) != 0;
    }

    long grain() {
      return grain;
    }

    /** The embedded descriptor; no bytes if there is none. */
    byte[] descriptor() throws BlockException {
      if (descriptorAt == 0 || descriptorBytes == 0) {
        return new byte[0];
      }
      int length = (int) Math.clamp(fields.file().size() - descriptorAt, 0L, descriptorBytes);
      return fields.bytes(descriptorAt, length).array();
    }

    @Override
    public long bytes() {
      return bytes;
    }

    @Override
    public Place find(long offset) throws BlockException {
      long inside = offset % grain;
      long index = offset / grain;
      long left = Math.min(grain - inside, bytes - offset);
      long table = fields.u32(directory + index / perTable * Integer.BYTES);
      long entry = table == 0 ? 0 : fields.u32(table * SECTOR + index % perTable * Integer.BYTES);
      if (entry == 0 || entry == 1 && (flags & ZERO_GRAINS) != 0) {
        return Place.of(entry == 0 ? Kind.ABSENT : Kind.ZERO, left);
      }
      return compressed() ? new Place(Kind.PACKED, entry * SECTOR, left, java.util.Optional.empty())
          : Place.data(fields.file(), entry * SECTOR + inside, left);
    }

    byte[] unpack(long at) throws BlockException {
      byte[] plain = new byte[(int) grain];
      long start = at;
      int most = (int) Math.clamp(fields.file().size() - at, 0L, 2 * grain);
      if ((flags & MARKERS) != 0) {
        int said = fields.bytes(at, MARKER_BYTES).getInt(Long.BYTES);
        start += MARKER_BYTES;
        most = Math.clamp(said, 0, Math.max(0, most - MARKER_BYTES));
      }
      byte[] packed = fields.bytes(start, most).array();
      try (Inflater inflater = new Inflater()) {
        inflater.setInput(packed);
        int done = 0;
        while (done < plain.length && !inflater.finished()) {
          int count = inflater.inflate(plain, done, plain.length - done);
          if (count == 0 && !inflater.finished()) {
            throw new BlockException("'" + fields.file().name() + "': the compressed grain at 0x"
                + Long.toHexString(at) + " is cut off");
          }
          done += count;
        }
        Arrays.fill(plain, done, plain.length, (byte) 0);
        return plain;
      } catch (DataFormatException e) {
        throw new BlockException("'" + fields.file().name() + "': the compressed grain at 0x" + Long.toHexString(at)
            + " is corrupt", e);
      }
    }
  }
}
