package org.ascus.devices.block.format.qcow2;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.ascus.devices.block.BlockException;

/**
 * The header (docs/interop/qcow2, "Header" and "Header extensions"), and the sizes that follow from it. Fields that
 * change while the image is open are written one at a time, each within a sector, so that a kill leaves the old value
 * or the new one.
 */
final class Header {
  static final int MAGIC = 0x514649fb;
  static final int V2_BYTES = 72;
  static final int V3_BYTES = 104;
  static final int MIN_CLUSTER_BITS = 9;
  static final int MAX_CLUSTER_BITS = 21;
  static final int MAX_REFCOUNT_ORDER = 6;
  static final int MAX_NAME = 1023;
  static final int MAX_SNAPSHOTS = 65536;

  /** Bytes; QEMU's limits too. */
  static final long MAX_L1_BYTES = 32L << 20;

  static final long MAX_REFCOUNT_TABLE_BYTES = 8L << 20;
  static final int SUBCLUSTERS = 32;

  /** Values of {@link #crypt}: AES by the guest's sectors, with the password as key; LUKS by the file's sectors. */
  static final int CRYPT_AES = 1;

  static final int CRYPT_LUKS = 2;

  private static final int SIZE_AT = 24;
  private static final int L1_AT = 36;
  private static final int REFCOUNT_TABLE_AT = 48;
  private static final int SNAPSHOTS_AT = 60;
  private static final int INCOMPATIBLE_AT = 72;
  private static final int AUTOCLEAR_AT = 88;
  private static final int NEW_V3_BYTES = 112;

  int version = 3;
  int clusterBits = 16;
  int refcountOrder = 4;
  int crypt;
  int compression;

  /** Virtual disk size in bytes. */
  long size;

  int l1Entries;
  long l1Offset;
  long refcountTableOffset;
  int refcountTableClusters;
  int snapshotCount;
  long snapshotsOffset;
  long incompatible;
  long compatible;
  long autoclear;
  String backingFile = "";
  String backingFormat = "";
  String dataFile = "";

  /** Extensions that have no field here, kept as they are. */
  List<Extension> others = new ArrayList<>();

  /** Of version 3; version 2 has always {@link #V2_BYTES}. */
  private int headerBytes = NEW_V3_BYTES;

  int clusterSize() {
    return 1 << clusterBits;
  }

  boolean extendedL2() {
    return (incompatible & Features.EXTENDED_L2) != 0;
  }

  boolean externalData() {
    return (incompatible & Features.EXTERNAL_DATA) != 0;
  }

  boolean rawData() {
    return (autoclear & Features.RAW_DATA) != 0;
  }

  boolean lazyRefcounts() {
    return (compatible & Features.LAZY_REFCOUNTS) != 0;
  }

  int l2EntryBytes() {
    return extendedL2() ? 2 * Long.BYTES : Long.BYTES;
  }

  int l2Entries() {
    return clusterSize() / l2EntryBytes();
  }

  /** Bytes of guest data that an L1 entry stands for. */
  long bytesPerL1Entry() {
    return (long) l2Entries() << clusterBits;
  }

  /** Bytes whose allocation can be told apart: a subcluster or a cluster. */
  int unitSize() {
    return extendedL2() ? clusterSize() / SUBCLUSTERS : clusterSize();
  }

  /** Refcounts in a refcount block. */
  long refcountsPerBlock() {
    return ((long) clusterSize() << 3) >> refcountOrder;
  }

  long l1EntriesFor(long bytes) {
    return Math.ceilDiv(bytes, bytesPerL1Entry());
  }

  static Header read(ImageFile file) throws BlockException {
    byte[] fixed = file.read(0, V3_BYTES + Long.BYTES);
    ByteBuffer in = ByteBuffer.wrap(fixed);
    int magic = in.getInt();
    if (magic != MAGIC) {
      throw file.failure("not a qcow2 image (magic " + String.format("0x%08x", magic) + " at offset 0)");
    }
    Header h = new Header();
    h.version = in.getInt();
    if (h.version != 2 && h.version != 3) {
      throw file.failure("Unsupported qcow2 version " + Integer.toUnsignedString(h.version));
    }
    long backingOffset = in.getLong();
    int backingBytes = in.getInt();
    h.clusterBits = in.getInt();
    h.size = in.getLong();
    h.crypt = in.getInt();
    h.l1Entries = in.getInt();
    h.l1Offset = in.getLong();
    h.refcountTableOffset = in.getLong();
    h.refcountTableClusters = in.getInt();
    h.snapshotCount = in.getInt();
    h.snapshotsOffset = in.getLong();
    int headerBytes = V2_BYTES;
    if (h.version == 3) {
      h.incompatible = in.getLong();
      h.compatible = in.getLong();
      h.autoclear = in.getLong();
      h.refcountOrder = in.getInt();
      headerBytes = in.getInt();
      h.headerBytes = headerBytes;
      h.compression = headerBytes > V3_BYTES ? in.get() & 0xff : 0;
    }
    h.checkBasics(file);
    byte[] cluster = file.read(0, h.clusterSize());
    int end = backingOffset == 0 ? cluster.length : Math.clamp(backingOffset, 0, cluster.length);
    h.readExtensions(file, ByteBuffer.wrap(cluster, 0, end).position(Math.min(headerBytes, end)));
    if (backingOffset != 0) {
      if (backingBytes < 0 || backingBytes > MAX_NAME || backingOffset < 0
          || backingOffset > cluster.length - backingBytes) {
        throw file.failure("Invalid backing file name (" + backingBytes + " bytes at offset " + backingOffset + ")");
      }
      h.backingFile = new String(cluster, (int) backingOffset, backingBytes, StandardCharsets.UTF_8);
    }
    h.checkFeatures(file);
    h.checkTables(file);
    return h;
  }

  private void checkBasics(ImageFile file) throws BlockException {
    if (clusterBits < MIN_CLUSTER_BITS || clusterBits > MAX_CLUSTER_BITS) {
      throw file.failure("Unsupported cluster size: 2^" + Integer.toUnsignedString(clusterBits));
    }
    if (version == 3 && (headerBytes < V3_BYTES || headerBytes % 8 != 0)) {
      throw file.failure("qcow2 header too short or odd (" + Integer.toUnsignedString(headerBytes) + " bytes)");
    }
    if (headerBytes > clusterSize()) {
      throw file.failure("qcow2 header exceeds cluster size (" + Integer.toUnsignedString(headerBytes) + " bytes)");
    }
    if (refcountOrder < 0 || refcountOrder > MAX_REFCOUNT_ORDER) {
      throw file.failure("Reference count entry width too large; may not exceed 64 bits");
    }
    if (size < 0) {
      throw file.failure("the virtual size " + Long.toUnsignedString(size) + " is too large");
    }
  }

  private void readExtensions(ImageFile file, ByteBuffer in) throws BlockException {
    while (in.remaining() >= Extension.FIXED_BYTES) {
      int type = in.getInt();
      int length = in.getInt();
      if (type == Extension.END) {
        return;
      }
      if (length < 0 || length > in.remaining()) {
        throw file.failure("Header extension too large (type " + String.format("0x%08x", type) + ", "
            + Integer.toUnsignedString(length) + " bytes)");
      }
      byte[] data = new byte[length];
      in.get(data);
      in.position(Math.min(in.limit(), in.position() + (-length & 7)));
      switch (type) {
        case Extension.BACKING_FORMAT -> backingFormat = new String(data, StandardCharsets.UTF_8);
        case Extension.DATA_FILE -> dataFile = new String(data, StandardCharsets.UTF_8);
        default -> others.add(new Extension(type, data));
      }
    }
  }

  private void checkFeatures(ImageFile file) throws BlockException {
    long unknown = incompatible & ~Features.KNOWN_INCOMPATIBLE;
    if (unknown != 0) {
      throw file.failure("Unsupported qcow2 feature(s): " + Features.describe(unknown, others));
    }
    if (crypt < 0 || crypt > CRYPT_LUKS) {
      throw file.failure("Unsupported encryption method " + Integer.toUnsignedString(crypt));
    }
    if ((compression != 0) != ((incompatible & Features.COMPRESSION) != 0)) {
      throw file.failure("Compression type incompatible feature bit must match the compression type " + compression);
    }
    if (compression > Compression.ZSTD) {
      throw file.failure("Unknown compression type " + compression);
    }
    if (extendedL2() && clusterBits < 14) {
      throw file.failure("Extended L2 entries are only supported with cluster sizes of at least 16384 bytes");
    }
    if (rawData() && !externalData()) {
      autoclear &= ~Features.RAW_DATA;
    }
    if (externalData() && snapshotCount != 0) {
      throw file.corrupt("it has an external data file and internal snapshots");
    }
  }

  private void checkTables(ImageFile file) throws BlockException {
    checkTable(file, "Active L1 table", l1Offset, l1Entries * 8L, MAX_L1_BYTES);
    if (l1Entries < l1EntriesFor(size)) {
      throw file.failure("L1 table is too small (" + l1Entries + " entries for " + size + " bytes)");
    }
    long tableBytes = (long) refcountTableClusters << clusterBits;
    checkTable(file, "Reference count table", refcountTableOffset, tableBytes, MAX_REFCOUNT_TABLE_BYTES);
    if (refcountTableClusters == 0) {
      throw file.failure("Image does not contain a reference count table");
    }
    checkTable(file, "Snapshot table", snapshotsOffset, snapshotCount, MAX_SNAPSHOTS);
  }

  private void checkTable(ImageFile file, String name, long offset, long bytes, long limit) throws BlockException {
    if (bytes < 0 || bytes > limit) {
      throw file.failure(name + " too large (" + bytes + ", at most " + limit + ")");
    }
    boolean outside = offset > file.size() - bytes && bytes > 0;
    if (offset < 0 || (offset & clusterSize() - 1) != 0 || outside && offset >= file.size()) {
      throw file.failure(name + " offset invalid (" + Long.toUnsignedString(offset) + ")");
    }
  }

  /** The bytes of the first cluster; it has room for them or this fails. */
  ByteBuffer toBytes(ImageFile file) throws BlockException {
    List<Extension> extensions = extensions();
    byte[] name = backingFile.getBytes(StandardCharsets.UTF_8);
    int bytes = version == 2 ? V2_BYTES : headerBytes;
    int nameAt = bytes + Extension.FIXED_BYTES + extensions.stream().mapToInt(Extension::paddedBytes).sum();
    if (nameAt + name.length > clusterSize() || name.length > MAX_NAME) {
      throw file.failure("the header does not fit into a cluster of " + clusterSize() + " bytes");
    }
    ByteBuffer out = ByteBuffer.allocate(clusterSize());
    out.putInt(MAGIC).putInt(version);
    out.putLong(name.length == 0 ? 0 : nameAt).putInt(name.length);
    out.putInt(clusterBits).putLong(size).putInt(crypt);
    out.putInt(l1Entries).putLong(l1Offset);
    out.putLong(refcountTableOffset).putInt(refcountTableClusters);
    out.putInt(snapshotCount).putLong(snapshotsOffset);
    if (version == 3) {
      out.putLong(incompatible).putLong(compatible).putLong(autoclear);
      out.putInt(refcountOrder).putInt(headerBytes);
      if (headerBytes > V3_BYTES) {
        out.put((byte) compression);
      }
    }
    out.position(bytes);
    for (Extension extension : extensions) {
      int next = out.position() + extension.paddedBytes();
      out.putInt(extension.type()).putInt(extension.data().length).put(extension.data());
      out.position(next);
    }
    out.position(nameAt).put(name);
    return out.clear();
  }

  private List<Extension> extensions() {
    List<Extension> all = new ArrayList<>();
    if (!backingFormat.isEmpty()) {
      all.add(new Extension(Extension.BACKING_FORMAT, backingFormat.getBytes(StandardCharsets.UTF_8)));
    }
    if (!dataFile.isEmpty()) {
      all.add(new Extension(Extension.DATA_FILE, dataFile.getBytes(StandardCharsets.UTF_8)));
    }
    // Small clusters have no room for what is but a help.
    if (version == 3 && clusterBits > MIN_CLUSTER_BITS) {
      all.add(Features.table());
    }
    others.stream().filter(e -> e.type() != Extension.FEATURE_NAMES).forEach(all::add);
    return all;
  }

  void writeAll(ImageFile file) throws BlockException {
    file.write(0, toBytes(file));
  }

  void writeIncompatible(ImageFile file) throws BlockException {
    file.writeLong(INCOMPATIBLE_AT, incompatible);
  }

  void writeAutoclear(ImageFile file) throws BlockException {
    file.writeLong(AUTOCLEAR_AT, autoclear);
  }

  /** Size and L1 table are one field for a reader of the image. */
  void writeSizeAndL1(ImageFile file) throws BlockException {
    ByteBuffer out = ByteBuffer.allocate(REFCOUNT_TABLE_AT - SIZE_AT);
    file.write(SIZE_AT, out.putLong(size).putInt(crypt).putInt(l1Entries).putLong(l1Offset).flip());
  }

  void writeL1(ImageFile file) throws BlockException {
    file.write(L1_AT, ByteBuffer.allocate(12).putInt(l1Entries).putLong(l1Offset).flip());
  }

  void writeRefcountTable(ImageFile file) throws BlockException {
    ByteBuffer out = ByteBuffer.allocate(12).putLong(refcountTableOffset).putInt(refcountTableClusters);
    file.write(REFCOUNT_TABLE_AT, out.flip());
  }

  void writeSnapshots(ImageFile file) throws BlockException {
    file.write(SNAPSHOTS_AT, ByteBuffer.allocate(12).putInt(snapshotCount).putLong(snapshotsOffset).flip());
  }
}
