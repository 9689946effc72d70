package org.ascus.devices.block.format.qcow2;

import java.util.Optional;
import org.ascus.devices.block.BlockException;

/**
 * What can be changed of an image that is there.
 *
 * @param version 2 ({@code compat=0.10}) or 3 ({@code compat=1.1})
 * @param lazyRefcounts whether refcounts may be written late
 * @param refcountBits width of a refcount, a power of two up to 64
 * @param dataFile name of the external data file, of an image that has one
 * @param rawData whether the external data file is to stay a raw image; what was not cannot become one
 */
public record Amendment(
    Optional<Integer> version,
    Optional<Boolean> lazyRefcounts,
    Optional<Integer> refcountBits,
    Optional<String> dataFile,
    Optional<Boolean> rawData) {
  /** Whether it changes nothing. */
  public boolean isEmpty() {
    return version.isEmpty() && lazyRefcounts.isEmpty() && refcountBits.isEmpty() && dataFile.isEmpty()
        && rawData.isEmpty();
  }

  /** Changes nothing yet, but fails if {@link #apply} would not do it all. */
  void check(Metadata meta) throws BlockException {
    Header header = meta.header;
    int to = version.orElse(header.version);
    if (to < 3 && lazyRefcounts.orElse(false)) {
      throw new BlockException("Lazy refcounts only supported with compatibility level 1.1 and above (use compat=1.1 or"
          + " greater)");
    }
    if (refcountBits.isPresent()) {
      checkWidth(meta, refcountBits.get(), to);
    }
    if (dataFile.isPresent() && !header.externalData()) {
      throw new BlockException("data-file can only be set for images that use an external data file");
    }
    if (rawData.orElse(false) && !header.rawData()) {
      throw new BlockException("data-file-raw cannot be set on existing images");
    }
    if (to >= header.version) {
      return;
    }
    if ((header.incompatible & ~Features.DIRTY) != 0) {
      throw meta.file.failure("Cannot downgrade an image with incompatible features set");
    }
    if (refcountBits.orElse(1 << header.refcountOrder) != 16) {
      throw meta.file.failure("compat=0.10 requires refcount_bits=16");
    }
    if (header.snapshotCount > 0 || Bitmaps.areThere(header)) {
      throw meta.file.failure("Cannot downgrade an image with internal snapshots or bitmaps");
    }
  }

  private static void checkWidth(Metadata meta, int bits, int version) throws BlockException {
    if (bits < 1 || bits > 64 || Integer.bitCount(bits) != 1) {
      throw new BlockException("Refcount width must be a power of two and may not exceed 64 bits");
    }
    if (version < 3 && bits != 16) {
      throw new BlockException("Refcount widths other than 16 bits require compatibility level 1.1 or above (use"
          + " compat=1.1 or greater)");
    }
    long most = new RefcountBits(Integer.numberOfTrailingZeros(bits)).max();
    long end = Math.ceilDiv(meta.file.size(), (long) meta.header.clusterSize());
    for (long cluster = 0; cluster < end && bits < 1 << meta.header.refcountOrder; cluster++) {
      long count = meta.refcounts.get(cluster);
      if (Long.compareUnsigned(count, most) > 0) {
        throw new BlockException("Cannot decrease refcount entry width to " + bits + " bits: Cluster at offset "
            + (cluster << meta.header.clusterBits) + " has a refcount of " + count);
      }
    }
  }

  /** Does it; the caller keeps others away. */
  void apply(Metadata meta, ClusterReader reader, ClusterWriter writer) throws BlockException {
    Header header = meta.header;
    if (version.orElse(header.version) < header.version) {
      expandZeroes(header, meta.clusters, reader, writer);
      header.compatible = 0;
      header.autoclear = 0;
    }
    // All refcounts are written and the dirty bit is gone before what it means changes.
    meta.finish();
    header.version = version.orElse(header.version);
    if (lazyRefcounts.isPresent()) {
      long others = header.compatible & ~Features.LAZY_REFCOUNTS;
      header.compatible = others | (lazyRefcounts.get() ? Features.LAZY_REFCOUNTS : 0);
    }
    if (dataFile.isPresent()) {
      header.dataFile = dataFile.get();
    }
    if (!rawData.orElse(true)) {
      header.autoclear &= ~Features.RAW_DATA;
    }
    header.writeAll(meta.file);
    meta.file.flush();
    if (refcountBits.isPresent() && refcountBits.get() != 1 << header.refcountOrder) {
      widen(meta, Integer.numberOfTrailingZeros(refcountBits.get()));
    }
  }

  /** Counts all references anew in counts of another width; the header takes both in one sector. */
  private static void widen(Metadata meta, int order) throws BlockException {
    meta.header.refcountOrder = order;
    Qcow2Check.rebuild(meta.file, meta.header);
    meta.header.writeAll(meta.file);
    meta.file.flush();
    meta.refcounts.reload();
  }

  /** Version 2 knows no clusters that read as zero without being so: they become data, or nothing. */
  private static void expandZeroes(Header header, ClusterTable clusters, ClusterReader reader, ClusterWriter writer)
      throws BlockException {
    long unit = header.clusterSize();
    for (long at = 0; at < header.size; ) {
      Mapping mapping = clusters.find(at, header.size - at);
      boolean zero = mapping.kind() == Mapping.Kind.ZERO || mapping.kind() == Mapping.Kind.ZERO_ALLOCATED;
      for (long cluster = at; zero && cluster < at + mapping.length(); cluster += unit) {
        if (reader.backed(cluster)) {
          writer.writeZeroData(cluster, Math.min(cluster + unit, header.size));
        } else {
          writer.drop(cluster, unit);
        }
      }
      at += mapping.length();
    }
  }
}
