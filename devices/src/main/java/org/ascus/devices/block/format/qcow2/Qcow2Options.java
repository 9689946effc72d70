package org.ascus.devices.block.format.qcow2;

import java.nio.ByteBuffer;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.BlockNode;

/**
 * What a new image is like: the creation options of {@code qemu-img create -f qcow2}.
 *
 * @param size virtual disk size in bytes; rounded up to a multiple of 512
 * @param version 2 or 3
 * @param clusterSize bytes, a power of two from 512 to 2 MiB
 * @param refcountBits 1 to 64, a power of two; 16 in version 2
 * @param compression 0 for zlib, 1 for zstd
 * @param backingFile name as it is to be stored, or empty
 * @param dataFile name of the external data file as it is to be stored, or empty
 */
public record Qcow2Options(
    long size,
    int version,
    int clusterSize,
    int refcountBits,
    int compression,
    boolean lazyRefcounts,
    boolean extendedL2,
    String backingFile,
    String backingFormat,
    String dataFile,
    boolean rawData) {
  /** QEMU's defaults. */
  public static Qcow2Options of(long size) {
    return new Qcow2Options(size, 3, 64 * 1024, 16, Compression.ZLIB, false, false, "", "", "", false);
  }

  public Qcow2Options withSize(long bytes) {
    return new Qcow2Options(bytes, version, clusterSize, refcountBits, compression, lazyRefcounts, extendedL2,
        backingFile, backingFormat, dataFile, rawData);
  }

  public Qcow2Options withVersion(int number) {
    return new Qcow2Options(size, number, clusterSize, refcountBits, compression, lazyRefcounts, extendedL2,
        backingFile, backingFormat, dataFile, rawData);
  }

  public Qcow2Options withClusterSize(int bytes) {
    return new Qcow2Options(size, version, bytes, refcountBits, compression, lazyRefcounts, extendedL2, backingFile,
        backingFormat, dataFile, rawData);
  }

  public Qcow2Options withRefcountBits(int bits) {
    return new Qcow2Options(size, version, clusterSize, bits, compression, lazyRefcounts, extendedL2, backingFile,
        backingFormat, dataFile, rawData);
  }

  public Qcow2Options withZstd(boolean zstd) {
    return new Qcow2Options(size, version, clusterSize, refcountBits, zstd ? Compression.ZSTD : Compression.ZLIB,
        lazyRefcounts, extendedL2, backingFile, backingFormat, dataFile, rawData);
  }

  public Qcow2Options withLazyRefcounts(boolean on) {
    return new Qcow2Options(size, version, clusterSize, refcountBits, compression, on, extendedL2, backingFile,
        backingFormat, dataFile, rawData);
  }

  public Qcow2Options withExtendedL2(boolean on) {
    return new Qcow2Options(size, version, clusterSize, refcountBits, compression, lazyRefcounts, on, backingFile,
        backingFormat, dataFile, rawData);
  }

  public Qcow2Options withBacking(String file, String format) {
    return new Qcow2Options(size, version, clusterSize, refcountBits, compression, lazyRefcounts, extendedL2, file,
        format, dataFile, rawData);
  }

  public Qcow2Options withDataFile(String file, boolean raw) {
    return new Qcow2Options(size, version, clusterSize, refcountBits, compression, lazyRefcounts, extendedL2,
        backingFile, backingFormat, file, raw);
  }

  private Header header(ImageFile file) throws BlockException {
    if (Integer.bitCount(clusterSize) != 1 || clusterSize < 1 << Header.MIN_CLUSTER_BITS
        || clusterSize > 1 << Header.MAX_CLUSTER_BITS) {
      throw file.failure("Cluster size must be a power of two between 512 and 2048k");
    }
    if (Integer.bitCount(refcountBits) != 1 || refcountBits > 64) {
      throw file.failure("Refcount width must be a power of two and may not exceed 64 bits");
    }
    if (version < 3 && refcountBits != 16) {
      throw file.failure("Different refcount widths than 16 bits require compatibility level 1.1 or above"
          + " (use version=v3 or greater)");
    }
    if (version < 3 && (lazyRefcounts || extendedL2 || compression != 0 || !dataFile.isEmpty())) {
      throw file.failure(
          (lazyRefcounts ? "Lazy refcounts only supported" : extendedL2 ? "Extended L2 entries are only supported"
              : compression != 0 ? "Non-zlib compression type is only supported"
              : "External data files are only supported")
              + " with compatibility level 1.1 and above (use version=v3 or greater)");
    }
    if (extendedL2 && clusterSize < 1 << 14) {
      throw file.failure("Extended L2 entries are only supported with cluster sizes of at least 16384 bytes");
    }
    if (rawData && dataFile.isEmpty()) {
      throw file.failure("data-file-raw requires data-file");
    }
    if (rawData && !backingFile.isEmpty()) {
      throw file.failure("Backing file and data-file-raw cannot be used at the same time");
    }
    Header h = new Header();
    h.version = version;
    h.clusterBits = Integer.numberOfTrailingZeros(clusterSize);
    h.refcountOrder = Integer.numberOfTrailingZeros(refcountBits);
    h.compression = compression;
    h.incompatible = (compression != 0 ? Features.COMPRESSION : 0) | (extendedL2 ? Features.EXTENDED_L2 : 0)
        | (dataFile.isEmpty() ? 0 : Features.EXTERNAL_DATA);
    h.compatible = lazyRefcounts ? Features.LAZY_REFCOUNTS : 0;
    h.autoclear = rawData ? Features.RAW_DATA : 0;
    h.backingFile = backingFile;
    h.backingFormat = backingFormat;
    h.dataFile = dataFile;
    return h;
  }

  /**
   * Makes an empty image of {@code node}'s bytes, of no size yet: header, refcount table, refcount block. What was in
   * the node is lost.
   *
   * @param node growable
   */
  void format(BlockNode node) throws BlockException {
    ImageFile file = new ImageFile(node);
    Header h = header(file);
    long rounded = Math.ceilDiv(size, 512L) * 512;
    if (size < 0 || rounded < 0 || h.l1EntriesFor(rounded) * Long.BYTES > Header.MAX_L1_BYTES) {
      throw file.failure("Image size too large for a cluster size of " + clusterSize + " bytes: "
          + Long.toUnsignedString(size));
    }
    h.refcountTableOffset = clusterSize;
    h.refcountTableClusters = 1;
    ByteBuffer head = h.toBytes(file);
    node.resize(0);
    RefcountBits bits = new RefcountBits(h.refcountOrder);
    ByteBuffer block = ByteBuffer.allocate(clusterSize);
    for (int i = 0; i < 3; i++) {
      bits.set(block, i, 1);
    }
    file.write(2L * clusterSize, block);
    ByteBuffer table = ByteBuffer.allocate(clusterSize).putLong(2L * clusterSize);
    file.write(clusterSize, table.clear());
    file.write(0, head);
  }
}
