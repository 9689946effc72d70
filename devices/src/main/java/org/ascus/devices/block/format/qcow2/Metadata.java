package org.ascus.devices.block.format.qcow2;

import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.BlockNode;

/**
 * Writes changed tables in an order in which no kill or power failure leaves an image that is worse than leaky:
 *
 * <ol>
 *   <li>data and L2 tables that nothing refers to yet, when they come up;
 *   <li>refcounts that went up;
 *   <li>L2 entries, then L1 entries;
 *   <li>refcounts that went down, with the next commit.
 * </ol>
 *
 * <p>Each step is durable before the next begins. With lazy refcounts those of an open image stay in memory, and a
 * dirty bit says so. After a kill they are too low: who opens the image for writing next counts them anew, and a check
 * that is not to repair calls them errors, as QEMU's does of its own images.
 */
final class Metadata {
  final ImageFile file;
  final Header header;
  final Refcounts refcounts;
  final ClusterTable clusters;
  private final BlockNode data;
  private final Qcow2Tuning tuning;
  private boolean begun;

  /**
   * @param data what guest clusters are in
   */
  Metadata(ImageFile file, Header header, BlockNode data, Qcow2Tuning tuning) throws BlockException {
    this.file = file;
    this.header = header;
    this.data = data;
    this.tuning = tuning;
    this.refcounts = new Refcounts(file, header, tuning.refcountCacheBytes());
    this.clusters = new ClusterTable(file, header, refcounts, tuning);
  }

  private boolean lazy() {
    return tuning.lazyRefcounts();
  }

  /** To be called before anything is changed. */
  void begin() throws BlockException {
    if (begun) {
      return;
    }
    long known = header.autoclear & (Features.RAW_DATA | (Bitmaps.areThere(header) ? Features.BITMAPS : 0));
    if (header.autoclear != known) {
      header.autoclear = known;
      header.writeAutoclear(file);
    }
    if (lazy()) {
      header.incompatible |= Features.DIRTY;
      header.writeIncompatible(file);
      file.flush();
    }
    begun = true;
  }

  boolean isDirty() {
    return refcounts.isDirty() || clusters.isDirty() || refcounts.hasFreed();
  }

  /** Commits if too much waits for it. */
  void relieve() throws BlockException {
    if (refcounts.isFull() || clusters.isFull()) {
      commit();
    }
  }

  /** Writes everything that has changed. */
  void commit() throws BlockException {
    if (refcounts.isDirty() && (!lazy() || refcounts.isFull())) {
      refcounts.write();
    }
    if (clusters.isDirty()) {
      file.flush();
      if (header.externalData()) {
        data.flush();
      }
      clusters.write();
    }
    if (refcounts.hasFreed()) {
      file.flush();
      for (long[] range : refcounts.releaseFreed(tuning.discarded())) {
        long end = Math.min(range[0] + range[1], file.size());
        if (range[0] < end) {
          file.node().discard(range[0], end - range[0]);
        }
      }
    }
  }

  /** Commits and writes all refcounts: the image is clean. */
  void finish() throws BlockException {
    commit();
    if (refcounts.isDirty()) {
      refcounts.write();
    }
    if (begun && lazy()) {
      file.flush();
      header.incompatible &= ~Features.DIRTY;
      header.writeIncompatible(file);
    }
    begun = false;
    file.flush();
  }
}
