package org.ascus.devices.block.format.qcow2;

import java.nio.ByteBuffer;
import java.util.List;
import org.ascus.devices.block.BlockException;

/** Counts who refers to which cluster of an image, by going through all of its tables. */
final class ReferenceCounter {
  private static final int CHUNK_BITS = 12;
  private static final long MAX_CLUSTERS = 1L << 35;
  private static final int BITMAP_ENTRY_BYTES = 24;
  private static final int MAX_BITMAP_BYTES = 64 << 20;

  private final ImageFile file;
  private final Header header;
  private final CheckResult result;
  private final long clusters;
  private final int[][] chunks;

  ReferenceCounter(ImageFile file, Header header, CheckResult result) throws BlockException {
    this.file = file;
    this.header = header;
    this.result = result;
    this.clusters = Math.ceilDiv(file.size(), (long) header.clusterSize());
    if (clusters > MAX_CLUSTERS) {
      throw file.failure("the file is too large to be checked");
    }
    this.chunks = new int[(int) (clusters >> CHUNK_BITS) + 1][];
  }

  /** Clusters that the file has. */
  long clusters() {
    return clusters;
  }

  int get(long cluster) {
    int[] chunk = cluster < clusters ? chunks[(int) (cluster >> CHUNK_BITS)] : null;
    return chunk == null ? 0 : chunk[(int) (cluster & (1 << CHUNK_BITS) - 1)];
  }

  /** Counts a reference to the clusters of a range; false, and a corruption, if it is not in the file. */
  boolean refer(long offset, long bytes, String what) {
    if (bytes == 0) {
      return true;
    }
    long first = offset >> header.clusterBits;
    long last = offset + bytes - 1 >> header.clusterBits;
    if (offset < 0 || last >= clusters) {
      result.corruption(what + " at 0x" + Long.toHexString(offset) + " exceeds the end of the file");
      return false;
    }
    for (long cluster = first; cluster <= last; cluster++) {
      int index = (int) (cluster >> CHUNK_BITS);
      if (chunks[index] == null) {
        chunks[index] = new int[1 << CHUNK_BITS];
      }
      chunks[index][(int) (cluster & (1 << CHUNK_BITS) - 1)]++;
    }
    return true;
  }

  private boolean aligned(long offset, String what) {
    if ((offset & header.clusterSize() - 1) != 0) {
      result.corruption(what + " at 0x" + Long.toHexString(offset) + " is not properly aligned");
      return false;
    }
    return true;
  }

  /** All references but those of the refcount structures. */
  void countTables() throws BlockException {
    refer(0, header.clusterSize(), "header");
    countL1(header.l1Offset, header.l1Entries, true);
    List<Snapshots.Snapshot> snapshots = Snapshots.read(file, header);
    refer(header.snapshotsOffset, Snapshots.tableBytes(snapshots), "snapshot table");
    for (Snapshots.Snapshot snapshot : snapshots) {
      countL1(snapshot.l1Offset(), snapshot.l1Entries(), false);
    }
    if (header.crypt == Header.CRYPT_LUKS) {
      Encryption.Place place = Encryption.place(file, header);
      refer(place.offset(), place.length(), "encryption header");
    }
    if ((header.autoclear & Features.BITMAPS) != 0) {
      for (Extension extension : header.others) {
        if (extension.type() == Extension.BITMAPS && extension.data().length >= 24) {
          countBitmaps(ByteBuffer.wrap(extension.data()));
        }
      }
    }
  }

  /** References of the refcount table and its blocks; entries that make no sense count as none. */
  void countRefcounts(long[] table) {
    refer(header.refcountTableOffset, (long) header.refcountTableClusters << header.clusterBits, "refcount table");
    for (long entry : table) {
      long offset = entry & -512L;
      if (offset != 0 && aligned(offset, "refcount block")) {
        refer(offset, header.clusterSize(), "refcount block");
      }
    }
  }

  private void countL1(long offset, int entries, boolean active) throws BlockException {
    refer(offset, (long) entries * Long.BYTES, "L1 table");
    long[] l1 = file.readLongs(offset, entries);
    for (long entry : l1) {
      long table = entry & ClusterTable.OFFSET;
      if (table != 0 && aligned(table, "L2 table") && refer(table, header.clusterSize(), "L2 table")) {
        countL2(table, active);
      }
    }
  }

  private void countL2(long table, boolean active) throws BlockException {
    long[] entries = file.readLongs(table, header.clusterSize() / Long.BYTES);
    int step = header.l2EntryBytes() / Long.BYTES;
    long next = 0;
    for (int i = 0; i < entries.length; i += step) {
      long entry = entries[i];
      long host = entry & ClusterTable.OFFSET;
      if ((entry & ClusterTable.COMPRESSED) != 0) {
        long place = ClusterReader.compressedOffset(header, entry);
        refer(place, ClusterReader.compressedBytes(header, entry), "compressed cluster");
        tally(active, true, true);
      } else if (ClusterTable.isPlaced(header, entry)) {
        if (header.externalData() || aligned(host, "data cluster")
            && refer(host, header.clusterSize(), "data cluster")) {
          tally(active, false, next != 0 && next != host);
          next = host + header.clusterSize();
        }
      }
    }
  }

  private void tally(boolean active, boolean compressed, boolean fragmented) {
    if (active) {
      result.allocatedClusters++;
      result.compressedClusters += compressed ? 1 : 0;
      result.fragmentedClusters += fragmented ? 1 : 0;
    }
  }

  private void countBitmaps(ByteBuffer extension) throws BlockException {
    int count = extension.getInt(0);
    long size = extension.getLong(8);
    long offset = extension.getLong(16);
    if (count <= 0 || size < 0 || size > MAX_BITMAP_BYTES || !refer(offset, size, "bitmap directory")) {
      result.corruption("bitmap directory of " + size + " bytes");
      return;
    }
    ByteBuffer directory = ByteBuffer.wrap(file.read(offset, (int) size));
    for (int i = 0; i < count && directory.remaining() >= BITMAP_ENTRY_BYTES; i++) {
      int start = directory.position();
      long table = directory.getLong(start);
      int entries = directory.getInt(start + 8);
      int name = directory.getShort(start + 18) & 0xffff;
      int extra = directory.getInt(start + 20);
      if (entries < 0 || entries > MAX_BITMAP_BYTES / 8 || !refer(table, entries * 8L, "bitmap table")) {
        return;
      }
      for (long entry : file.readLongs(table, entries)) {
        if ((entry & ClusterTable.OFFSET) != 0) {
          refer(entry & ClusterTable.OFFSET, header.clusterSize(), "bitmap data");
        }
      }
      long end = start + BITMAP_ENTRY_BYTES + (long) extra + name;
      if (extra < 0 || (end + 7 & -8) > directory.limit()) {
        return;
      }
      directory.position((int) (end + 7 & -8));
    }
  }
}
