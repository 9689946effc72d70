package org.ascus.devices.block.format.qcow2;

import java.nio.ByteBuffer;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.BlockNode;
import org.ascus.devices.block.DebugEvent;
import org.ascus.devices.block.format.qcow2.Qcow2Tuning.Freed;

/**
 * Writes guest data where it has no place of its own yet: clusters that are unallocated, zero, compressed or shared
 * with a snapshot. Its caller keeps others away.
 */
final class ClusterWriter {
  /** Clusters that are allocated at once are at most so many bytes. */
  private static final int MAX_RUN = 16 << 20;

  private final Metadata meta;
  private final Header header;
  private final ClusterTable clusters;
  private final ClusterReader reader;
  private final BlockNode data;
  private long compressedEnd;

  ClusterWriter(Metadata meta, ClusterReader reader, BlockNode data) {
    this.meta = meta;
    this.header = meta.header;
    this.clusters = meta.clusters;
    this.reader = reader;
    this.data = data;
  }

  private long clusterStart(long guest) {
    return guest & -header.clusterSize();
  }

  private boolean owns(long entry) {
    return (entry & ClusterTable.COPIED) != 0 && (entry & ClusterTable.COMPRESSED) == 0
        && (header.externalData() || (entry & ClusterTable.OFFSET) != 0);
  }

  /** What can be written at {@code guest} without a change of tables; its length is 0 if nothing. */
  Mapping inPlace(long guest, long length) throws BlockException {
    Mapping none = new Mapping(Mapping.Kind.UNALLOCATED, 0, 0);
    Mapping run = none;
    while (run.length() < length) {
      long at = guest + run.length();
      long entry = clusters.entry(at);
      Mapping next = owns(entry) ? clusters.decode(at, entry, clusters.bitmap(at)) : none;
      if (next.kind() != Mapping.Kind.DATA || run.length() > 0 && !run.continuedBy(next, run.length())) {
        break;
      }
      run = new Mapping(next.kind(), next.host() - (at - guest), run.length() + next.length());
    }
    return run.withLength(Math.min(run.length(), length));
  }

  /** Writes the first part of {@code source} to clusters that get a place for it. */
  void write(long guest, ByteBuffer source) throws BlockException {
    meta.begin();
    meta.relieve();
    long entry = clusters.entry(guest);
    if (owns(entry)) {
      writeOwned(guest, entry, source);
    } else {
      writeFresh(guest, source);
    }
  }

  /** Into a cluster that has a place which does not hold data yet. */
  private void writeOwned(long guest, long entry, ByteBuffer source) throws BlockException {
    long start = clusterStart(guest);
    int end = source.limit();
    int length = (int) Math.min(source.remaining(), start + header.clusterSize() - guest);
    long host = entry & ClusterTable.OFFSET;
    long bitmap = clusters.bitmap(guest);
    long unit = header.unitSize();
    long from = guest - guest % unit;
    long to = Math.ceilDiv(guest + length, unit) * unit;
    fillUnlessData(from, guest, host + (from - start));
    fillUnlessData(guest + length, to, host + (guest + length - start));
    source.limit(source.position() + length);
    data.write(host + (guest - start), source);
    source.limit(end);
    clusters.set(guest, entry & ~ClusterTable.ZERO, withData(bitmap, from - start, to - start));
  }

  /** Bitmap of a cluster whose bytes [from, to) become data. */
  private long withData(long bitmap, long from, long to) {
    if (!header.extendedL2()) {
      return 0;
    }
    long result = bitmap;
    for (long unit = from / header.unitSize(); unit < to / header.unitSize(); unit++) {
      result = result & ~(1L << 32 + unit) | 1L << unit;
    }
    return result;
  }

  private void fillUnlessData(long from, long to, long host) throws BlockException {
    if (from < to && clusters.find(from, to - from).kind() != Mapping.Kind.DATA) {
      fill(from, to, host, false);
    }
  }

  /** Copies what [from, to) is now to {@code host}. */
  private void fill(long from, long to, long host, boolean alreadyZero) throws BlockException {
    if (from >= to) {
      return;
    }
    boolean zero = from >= header.size || reader.isZero(from, Math.min(to, header.size) - from);
    if (!zero) {
      meta.file.event(DebugEvent.COW_READ);
      ByteBuffer copy = reader.copy(from, (int) (to - from));
      meta.file.event(DebugEvent.COW_WRITE);
      data.write(host, copy);
    } else if (!alreadyZero) {
      data.writeZeroes(host, to - from, false);
    }
  }

  /** Into as many clusters as need a place, one after another. */
  private void writeFresh(long guest, ByteBuffer source) throws BlockException {
    long start = clusterStart(guest);
    int size = header.clusterSize();
    int end = source.limit();
    long wanted = Math.min(source.remaining(), MAX_RUN);
    int most = header.externalData() ? Integer.MAX_VALUE : meta.refcounts.longRun();
    int count = 1;
    while (count < most && start + (long) count * size < guest + wanted
        && !owns(clusters.entry(start + (long) count * size))) {
      count++;
    }
    int length = (int) Math.min(wanted, start + (long) count * size - guest);
    long host = header.externalData() ? start : meta.refcounts.allocate(count);
    boolean fresh = !header.externalData() && header.crypt == 0 && host >= data.size();
    try {
      long from = fillStart(guest);
      long to = fillEnd(guest + length);
      fill(from, guest, host + (from - start), fresh);
      fill(guest + length, to, host + (guest + length - start), fresh);
      source.limit(source.position() + length);
      data.write(host + (guest - start), source);
      source.limit(end);
      for (int i = 0; i < count; i++) {
        long at = start + (long) i * size;
        long dataFrom = i == 0 ? from - at : 0;
        long dataTo = i == count - 1 ? to - at : size;
        replace(at, host + (long) i * size | ClusterTable.COPIED, withData(keptBits(at), dataFrom, dataTo),
            Freed.OTHERWISE);
      }
    } catch (BlockException e) {
      if (!header.externalData()) {
        release(start, host, count);
      }
      throw e;
    }
  }

  /** Gives back the clusters of a failed write that nothing refers to. */
  private void release(long start, long host, int count) throws BlockException {
    for (int i = 0; i < count; i++) {
      long place = host + (long) i * header.clusterSize();
      if ((clusters.entry(start + (long) i * header.clusterSize()) & ClusterTable.OFFSET) != place) {
        meta.refcounts.free(place, header.clusterSize());
      }
    }
  }

  /** Whether the cluster's old bytes must all be copied to its new place. */
  private boolean movesWhole(long guest) throws BlockException {
    long entry = clusters.entry(guest);
    return !header.extendedL2() || (entry & ClusterTable.COMPRESSED) != 0 || (int) clusters.bitmap(guest) != 0;
  }

  private long keptBits(long guest) throws BlockException {
    return header.extendedL2() && !movesWhole(guest) ? clusters.bitmap(guest) : 0;
  }

  private long fillStart(long guest) throws BlockException {
    return movesWhole(guest) ? clusterStart(guest) : guest - guest % header.unitSize();
  }

  private long fillEnd(long end) throws BlockException {
    long unit = movesWhole(end - 1) ? header.clusterSize() : header.unitSize();
    return Math.ceilDiv(end, unit) * unit;
  }

  /** Sets an entry; what the old one referred to is freed. */
  private void replace(long guest, long entry, long bitmap, Freed why) throws BlockException {
    long old = clusters.entry(guest);
    clusters.set(guest, entry, bitmap);
    free(old, entry, why);
  }

  private void free(long old, long entry, Freed why) {
    if ((old & ClusterTable.COMPRESSED) != 0) {
      long offset = ClusterReader.compressedOffset(header, old);
      meta.refcounts.free(offset, ClusterReader.compressedBytes(header, old), why);
      compressedEnd = 0;
      reader.forgetExpanded();
    } else {
      long host = old & ClusterTable.OFFSET;
      if (host != 0 && host != (entry & ClusterTable.OFFSET) && !header.externalData()) {
        meta.refcounts.free(host, header.clusterSize(), why);
      }
    }
  }

  /**
   * Stores a cluster compressed.
   *
   * @param guest start of the cluster
   * @param bytes its compressed bytes, less than a cluster
   */
  void writeCompressed(long guest, byte[] bytes) throws BlockException {
    meta.begin();
    meta.relieve();
    long host = placeCompressed(bytes.length);
    meta.file.event(DebugEvent.WRITE_COMPRESSED);
    data.write(host, ByteBuffer.wrap(bytes));
    compressedEnd = host + bytes.length;
    long sectors = (host & 511) + bytes.length - 1 >> 9;
    long entry = ClusterTable.COMPRESSED | sectors << ClusterReader.compressedShift(header) | host;
    replace(guest, entry, 0, Freed.OTHERWISE);
  }

  /** A place behind the last compressed cluster if there is room, else in a new cluster. */
  private long placeCompressed(int bytes) throws BlockException {
    int inside = (int) (compressedEnd & header.clusterSize() - 1);
    if (inside != 0) {
      int room = header.clusterSize() - inside;
      long next = clusterStart(compressedEnd) + header.clusterSize();
      boolean shareable = meta.refcounts.isShareable(compressedEnd);
      if (shareable && (bytes <= room || meta.refcounts.isUsable(next))) {
        long host = compressedEnd;
        meta.refcounts.use(host, bytes);
        return host;
      }
    }
    return meta.refcounts.allocate(1);
  }

  /** Makes [guest, guest + length) zero, which begins and ends at units or at the end of the disk. */
  void zeroUnits(long guest, long length, boolean unmap) throws BlockException {
    meta.begin();
    long at = guest;
    while (at < guest + length) {
      meta.relieve();
      long next = Math.min(clusterStart(at) + header.clusterSize(), guest + length);
      if (!clusters.hasTable(at) && !reader.backed(at)) {
        next = Math.min((at / header.bytesPerL1Entry() + 1) * header.bytesPerL1Entry(), guest + length);
      } else {
        zeroInCluster(at, next, unmap);
      }
      at = next;
    }
  }

  private void zeroInCluster(long from, long to, boolean unmap) throws BlockException {
    if (reader.isZero(from, to - from) && !unmap) {
      return;
    }
    long entry = clusters.entry(from);
    long start = clusterStart(from);
    boolean whole = from == start && (to == start + header.clusterSize() || to == header.size);
    if (header.rawData()) {
      data.writeZeroes(start + (from - start), Math.min(to, data.size()) - from, unmap);
    }
    boolean keep = owns(entry) && (!unmap || header.rawData());
    if (whole && header.version < 3) {
      if (reader.backed(start)) {
        writeZeroData(from, to);
      } else {
        replace(start, 0, 0, Freed.BY_REQUEST);
      }
    } else if (header.extendedL2()) {
      zeroSubclusters(from, to, entry, whole, keep);
    } else {
      boolean plain = entry == 0 && !reader.backed(start);
      if (!plain) {
        replace(start, keep ? entry | ClusterTable.ZERO : ClusterTable.ZERO, 0, Freed.BY_REQUEST);
      }
    }
  }

  private void zeroSubclusters(long from, long to, long entry, boolean whole, boolean keep) throws BlockException {
    long bitmap = clusters.bitmap(from);
    if (whole) {
      boolean plain = entry == 0 && bitmap == 0 && !reader.backed(from);
      if (!plain) {
        replace(clusterStart(from), keep ? entry : 0, -1L << 32, Freed.BY_REQUEST);
      }
    } else if ((entry & ClusterTable.COMPRESSED) != 0 || (entry & ClusterTable.OFFSET) != 0 && !owns(entry)) {
      writeZeroData(from, to);
    } else {
      long start = clusterStart(from);
      long result = bitmap;
      long end = Math.ceilDiv(to - start, (long) header.unitSize());
      for (long unit = (from - start) / header.unitSize(); unit < end; unit++) {
        result = result & ~(1L << unit) | 1L << 32 + unit;
      }
      clusters.set(from, entry, result);
    }
  }

  /** Zeroes as data; [from, to) is in one cluster. */
  void writeZeroData(long from, long to) throws BlockException {
    ByteBuffer zeroes = ByteBuffer.allocate((int) (to - from));
    while (zeroes.hasRemaining()) {
      long at = from + zeroes.position();
      Mapping place = inPlace(at, zeroes.remaining());
      if (place.length() > 0) {
        data.writeZeroes(place.host(), place.length(), false);
        zeroes.position(zeroes.position() + (int) place.length());
      } else {
        write(at, zeroes);
      }
    }
  }

  /** Forgets whole clusters; they read as zero, or stay what they are where that cannot be said. */
  void discard(long guest, long length) throws BlockException {
    meta.begin();
    long size = header.clusterSize();
    for (long at = guest; at < guest + length; at += size) {
      meta.relieve();
      if (!clusters.hasTable(at) && !reader.backed(at)) {
        at = (at / header.bytesPerL1Entry() + 1) * header.bytesPerL1Entry() - size;
      } else if (header.version >= 3 || !reader.backed(at)) {
        zeroInCluster(at, Math.min(at + size, header.size), true);
      }
    }
  }

  /** Makes clusters from {@code guest} on unallocated, whatever they read as then. */
  void drop(long guest, long length) throws BlockException {
    meta.begin();
    long size = header.clusterSize();
    for (long at = guest; at < guest + length; at += size) {
      meta.relieve();
      if (!clusters.hasTable(at)) {
        at = (at / header.bytesPerL1Entry() + 1) * header.bytesPerL1Entry() - size;
      } else if (clusters.entry(at) != 0 || clusters.bitmap(at) != 0) {
        replace(at, 0, 0, Freed.BY_RESIZE);
      }
    }
  }

  /**
   * Gives the clusters that begin at {@code first} or later and have none a place in the file, which is new. They read
   * as before where subclusters can say so, otherwise as zero.
   */
  void preallocate(long first) throws BlockException {
    meta.begin();
    long size = header.clusterSize();
    long end = data.size();
    long bits = header.crypt != 0 ? -1L << 32 : header.backingFile.isEmpty() ? 0xffff_ffffL : 0;
    for (long at = Math.ceilDiv(first, size) * size; at < header.size; at += size) {
      meta.relieve();
      if (clusters.entry(at) == 0 && clusters.bitmap(at) == 0) {
        long host = header.externalData() ? at : meta.refcounts.allocate(1);
        // What is nothing yet would decrypt to noise.
        long zero = header.crypt == 0 || header.extendedL2() ? 0 : ClusterTable.ZERO;
        clusters.set(at, host | ClusterTable.COPIED | zero, bits);
        end = Math.max(end, host + Math.min(size, header.externalData() ? header.size - at : size));
      }
    }
    if (end > data.size()) {
      data.resize(end);
    }
  }
}
