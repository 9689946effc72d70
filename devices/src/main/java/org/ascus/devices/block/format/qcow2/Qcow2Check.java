package org.ascus.devices.block.format.qcow2;

import java.nio.ByteBuffer;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.BlockNode;

/** Compares an image's refcounts with what refers to its clusters, and mends them. */
public final class Qcow2Check {
  /** What is mended. */
  public enum Repair { NONE, LEAKS, ALL }

  private final ImageFile file;
  private final Header header;
  private final CheckResult result = new CheckResult();
  private final RefcountBits bits;

  private Qcow2Check(ImageFile file, Header header) {
    this.file = file;
    this.header = header;
    this.bits = new RefcountBits(header.refcountOrder);
  }

  /**
   * Checks an image that nobody else has open.
   *
   * @param node what holds it, growable; writable if it is to be mended; stays the caller's
   * @throws BlockException if it cannot be read, or its header is so wrong that there is nothing to check
   */
  public static CheckResult check(BlockNode node, Repair repair) throws BlockException {
    ImageFile file = new ImageFile(node);
    Header header = Header.read(file);
    Qcow2Check check = new Qcow2Check(file, header);
    check.run(repair);
    if (repair == Repair.ALL && check.result.corruptions == check.result.corruptionsFixed) {
      header.incompatible &= ~(Features.DIRTY | Features.CORRUPT);
      if (header.version >= 3) {
        header.writeIncompatible(file);
      }
      node.flush();
    }
    return check.result;
  }

  /** Makes an image right whose refcounts were not written; clears its dirty bit. */
  static void repairDirty(ImageFile file, Header header) throws BlockException {
    Qcow2Check check = new Qcow2Check(file, header);
    check.run(Repair.ALL);
    if (check.result.corruptions != check.result.corruptionsFixed) {
      throw file.corrupt("it was not closed properly and cannot be repaired: " + check.result.messages.getFirst());
    }
    file.flush();
    header.incompatible &= ~Features.DIRTY;
    header.writeIncompatible(file);
    file.flush();
  }

  private void run(Repair repair) throws BlockException {
    ReferenceCounter counter = new ReferenceCounter(file, header, result);
    result.totalClusters = Math.ceilDiv(header.size, (long) header.clusterSize());
    counter.countTables();
    long[] table = Refcounts.readTable(file, header);
    long broken = result.corruptions;
    counter.countRefcounts(table);
    boolean rebuild = result.corruptions != broken;
    rebuild |= compare(counter, table, repair);
    if (repair == Repair.ALL && rebuild) {
      rebuild(file, header);
      header.writeRefcountTable(file);
      file.flush();
      result.corruptionsFixed = result.corruptions - broken;
      result.leaksFixed = result.leaks;
    }
    checkMarks(repair);
  }

  private long stored(long[] table, long cluster, ByteBuffer[] cached, long[] cachedAt) throws BlockException {
    long index = cluster / header.refcountsPerBlock();
    long offset = index < table.length ? table[(int) index] & -512L : 0;
    if (offset == 0 || (offset & header.clusterSize() - 1) != 0 || offset < 0 || offset >= file.size()) {
      return 0;
    }
    if (cachedAt[0] != offset) {
      cached[0] = ByteBuffer.wrap(file.read(offset, header.clusterSize()));
      cachedAt[0] = offset;
    }
    return bits.get(cached[0], (int) (cluster % header.refcountsPerBlock()));
  }

  /** Compares and mends what can be mended in place; returns whether the rest needs new refcount blocks. */
  private boolean compare(ReferenceCounter counter, long[] table, Repair repair) throws BlockException {
    ByteBuffer[] cached = new ByteBuffer[1];
    long[] cachedAt = new long[1];
    boolean rebuild = false;
    for (long cluster = 0; cluster < counter.clusters(); cluster++) {
      long stored = stored(table, cluster, cached, cachedAt);
      long wanted = counter.get(cluster);
      if (stored != 0 || wanted != 0) {
        result.imageEnd = cluster + 1 << header.clusterBits;
      }
      if (stored == wanted) {
        continue;
      }
      String text = "cluster " + cluster + " refcount=" + Long.toUnsignedString(stored) + " reference=" + wanted;
      boolean leak = stored > wanted || stored < 0;
      boolean mend = repair == Repair.ALL || leak && repair == Repair.LEAKS;
      if (leak) {
        result.leak(text);
      } else {
        result.corruption(text);
      }
      if (mend && wanted > bits.max()) {
        throw file.failure("the refcount width of " + bits.bits() + " bits is too small for " + wanted);
      }
      if (mend && hasBlock(table, cluster)) {
        bits.set(cached[0], (int) (cluster % header.refcountsPerBlock()), wanted);
        writeCount(cached[0], cachedAt[0], cluster);
        if (leak) {
          result.leaksFixed++;
        } else {
          result.corruptionsFixed++;
        }
      } else if (mend) {
        rebuild = true;
      }
    }
    return rebuild;
  }

  private boolean hasBlock(long[] table, long cluster) {
    long index = cluster / header.refcountsPerBlock();
    long offset = index < table.length ? table[(int) index] & -512L : 0;
    return offset > 0 && (offset & header.clusterSize() - 1) == 0 && offset < file.size();
  }

  private void writeCount(ByteBuffer block, long blockOffset, long cluster) throws BlockException {
    long at = cluster % header.refcountsPerBlock() * bits.bits() >> 3;
    int size = Math.max(1, bits.bits() >> 3);
    file.write(blockOffset + at, block.slice((int) at, size));
  }

  /**
   * Makes a new refcount table and blocks behind the end of the file, which are durable then, and has {@code header}
   * say where they are. It is the caller's to write.
   */
  static void rebuild(ImageFile file, Header header) throws BlockException {
    RefcountBits bits = new RefcountBits(header.refcountOrder);
    CheckResult ignored = new CheckResult();
    ReferenceCounter counter = new ReferenceCounter(file, header, ignored);
    counter.countTables();
    long perBlock = header.refcountsPerBlock();
    long first = counter.clusters();
    long perCluster = header.clusterSize() / Long.BYTES;
    long tableClusters = 1;
    long blocks = 1;
    while (true) {
      long needed = Math.ceilDiv(first + tableClusters + blocks, perBlock);
      long neededTable = Math.ceilDiv(needed, perCluster);
      if (needed <= blocks && neededTable <= tableClusters) {
        break;
      }
      blocks = Math.max(blocks, needed);
      tableClusters = Math.max(tableClusters, neededTable);
    }
    if (tableClusters << header.clusterBits > Header.MAX_REFCOUNT_TABLE_BYTES) {
      throw file.failure("the refcount table would be too large");
    }
    long[] table = new long[(int) (tableClusters * perCluster)];
    for (long b = 0; b < blocks; b++) {
      ByteBuffer block = ByteBuffer.allocate(header.clusterSize());
      for (int i = 0; i < perBlock; i++) {
        long cluster = b * perBlock + i;
        boolean own = cluster >= first && cluster < first + tableClusters + blocks;
        bits.set(block, i, own ? 1 : counter.get(cluster));
      }
      table[(int) b] = first + tableClusters + b << header.clusterBits;
      file.write(table[(int) b], block);
    }
    file.writeLongs(first << header.clusterBits, table);
    file.flush();
    header.refcountTableOffset = first << header.clusterBits;
    header.refcountTableClusters = (int) tableClusters;
  }

  /** Compares the marks "refcount is one" of the active tables with the refcounts. */
  private void checkMarks(Repair repair) throws BlockException {
    long[] table = Refcounts.readTable(file, header);
    ByteBuffer[] cached = new ByteBuffer[1];
    long[] cachedAt = new long[1];
    long[] l1 = file.readLongs(header.l1Offset, header.l1Entries);
    for (int i = 0; i < l1.length; i++) {
      long l2 = l1[i] & ClusterTable.OFFSET;
      if (l2 == 0 || (l2 & header.clusterSize() - 1) != 0 || l2 >= file.size()) {
        continue;
      }
      long count = stored(table, l2 >> header.clusterBits, cached, cachedAt);
      if (count == 1 != l1[i] < 0) {
        wrongMark("L2 cluster: l1_index=" + i, l1[i], count, header.l1Offset + i * 8L, repair);
      }
      long[] entries = file.readLongs(l2, header.clusterSize() / Long.BYTES);
      int step = header.l2EntryBytes() / Long.BYTES;
      for (int e = 0; e < entries.length && !header.externalData(); e += step) {
        long entry = entries[e];
        long host = entry & ClusterTable.OFFSET;
        if ((entry & ClusterTable.COMPRESSED) == 0 && host != 0 && (host & header.clusterSize() - 1) == 0) {
          long refcount = stored(table, host >> header.clusterBits, cached, cachedAt);
          if (refcount == 1 != entry < 0) {
            wrongMark("data cluster: l2_entry=" + Long.toHexString(entry), entry, refcount, l2 + e * 8L, repair);
          }
        }
      }
    }
  }

  private void wrongMark(String what, long entry, long refcount, long at, Repair repair) throws BlockException {
    result.corruption("OFLAG_COPIED " + what + " refcount=" + refcount);
    if (repair == Repair.ALL) {
      file.writeLong(at, refcount == 1 ? entry | ClusterTable.COPIED : entry & ~ClusterTable.COPIED);
      result.corruptionsFixed++;
    }
  }
}
