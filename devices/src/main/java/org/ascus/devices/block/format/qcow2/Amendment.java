package org.ascus.devices.block.format.qcow2;

import java.util.Optional;
import org.ascus.devices.block.BlockException;

/**
 * What can be changed of an image that is there.
 *
 * @param version 2 ({@code compat=0.10}) or 3 ({@code compat=1.1})
 * @param lazyRefcounts whether refcounts may be written late
 */
public record Amendment(Optional<Integer> version, Optional<Boolean> lazyRefcounts) {
  /** Changes nothing yet, but fails if {@link #apply} would not do it all. */
  void check(Metadata meta) throws BlockException {
    Header header = meta.header;
    int to = version.orElse(header.version);
    if (to < 3 && lazyRefcounts.orElse(false)) {
      throw new BlockException("Lazy refcounts only supported with compatibility level 1.1 and above (use compat=1.1 or"
          + " greater)");
    }
    if (to >= header.version) {
      return;
    }
    if ((header.incompatible & ~Features.DIRTY) != 0) {
      throw meta.file.failure("Cannot downgrade an image with incompatible features set");
    }
    if (header.refcountOrder != 4) {
      throw meta.file.failure("compat=0.10 requires refcount_bits=16");
    }
    if (header.snapshotCount > 0 || Bitmaps.areThere(header)) {
      throw meta.file.failure("Cannot downgrade an image with internal snapshots or bitmaps");
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
    header.writeAll(meta.file);
    meta.file.flush();
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
