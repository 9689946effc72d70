package org.ascus.devices.block.format.qcow2;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.DebugEvent;
import org.ascus.devices.block.format.qcow2.Qcow2Tuning.Freed;

/**
 * Who uses which cluster of the file (docs/interop/qcow2, "Host cluster management").
 *
 * <p>Counts go up in memory at once, before anything refers to the clusters; they go down only in {@link
 * #releaseFreed}, when nothing on disk refers to them any more. What {@link #write} leaves on disk is therefore never
 * too low. Its caller keeps others away.
 */
final class Refcounts {
  private record Run(long first, long count, Freed why) {}

  private final ImageFile file;
  private final Header header;
  private final long cacheBytes;
  private RefcountBits bits;
  private TableCache cache;
  private long perBlock;
  private int perSlice;
  private final BitSet newEntries = new BitSet();
  private List<Run> freed = new ArrayList<>();
  private long[] table;

  /** Where to look for a free cluster. */
  private long hint;

  /** Where to look for several in a row. */
  private long runHint;

  Refcounts(ImageFile file, Header header, long cacheBytes) throws BlockException {
    this.file = file;
    this.header = header;
    this.cacheBytes = cacheBytes;
    reload();
  }

  /** Takes what is in the file; nothing may wait to be written. */
  void reload() throws BlockException {
    bits = new RefcountBits(header.refcountOrder);
    cache =
        new TableCache(file, Math.min(header.clusterSize(), TableCache.PIECE_BYTES), cacheBytes,
            DebugEvent.REFBLOCK_LOAD, DebugEvent.REFBLOCK_UPDATE);
    perBlock = header.refcountsPerBlock();
    perSlice = (int) (((long) cache.sliceSize() << 3) >> header.refcountOrder);
    table = readTable(file, header);
    hint = 0;
    runHint = 0;
  }

  static long[] readTable(ImageFile file, Header header) throws BlockException {
    file.event(DebugEvent.REFTABLE_LOAD);
    int bytes = header.refcountTableClusters << header.clusterBits;
    return file.readLongs(header.refcountTableOffset, bytes / Long.BYTES);
  }

  private long blockOffset(long cluster) throws BlockException {
    long index = cluster / perBlock;
    if (index >= table.length) {
      return 0;
    }
    long offset = table[(int) index] & -512L;
    if ((offset & header.clusterSize() - 1) != 0 || offset < 0 || offset >= file.size()) {
      throw file.corrupt("refcount block offset 0x" + Long.toHexString(offset)
          + " is unaligned or outside the file (table entry " + index + ")");
    }
    return offset;
  }

  private TableCache.Slice slice(long blockOffset, long cluster) throws BlockException {
    return cache.get(blockOffset + cluster % perBlock / perSlice * cache.sliceSize());
  }

  /** How often {@code cluster} is used. */
  long get(long cluster) throws BlockException {
    long block = blockOffset(cluster);
    return block == 0 ? 0 : bits.get(slice(block, cluster).bytes, (int) (cluster % perSlice));
  }

  /**
   * Whether many more clusters are in use than the file has bytes on its disk.
   *
   * @param allocated those bytes; the answer is no if they are not known
   */
  boolean exceed(OptionalLong allocated) throws BlockException {
    if (allocated.isEmpty()) {
      return false;
    }
    long stored = allocated.getAsLong() >> header.clusterBits;
    long limit = Math.max(stored * 10 / 9, stored + 2);
    long used = 0;
    long end = Math.ceilDiv(file.size(), (long) header.clusterSize());
    for (long cluster = 0; cluster < end && used < limit; cluster++) {
      used += get(cluster) == 0 ? 0 : 1;
    }
    return used >= limit;
  }

  private void set(long cluster, long count) throws BlockException {
    TableCache.Slice slice = slice(blockOffset(cluster), cluster);
    bits.set(slice.bytes, (int) (cluster % perSlice), count);
    cache.changed(slice);
  }

  /**
   * One more user of the clusters that {@code bytes} bytes at {@code offset} touch, which are in use or such that
   * {@link #isUsable}.
   */
  void use(long offset, long bytes) throws BlockException {
    long first = offset >> header.clusterBits;
    long end = Math.ceilDiv(offset + bytes, (long) header.clusterSize());
    for (long cluster = first; cluster < end; cluster++) {
      long count = get(cluster);
      if (count >= bits.max()) {
        throw file.failure("a reference count of " + bits.bits() + " bits is too small for one more user");
      }
      if (blockOffset(cluster) == 0) {
        throw uncounted(cluster);
      }
      set(cluster, count + 1);
    }
  }

  private BlockException uncounted(long cluster) {
    return file.corrupt("cluster " + cluster + " was used, but its refcount is 0");
  }

  /** One user less, from the next commit on, of the clusters that the bytes touch. */
  void free(long offset, long bytes, Freed why) {
    long first = offset >> header.clusterBits;
    freed.add(new Run(first, Math.ceilDiv(offset + bytes, (long) header.clusterSize()) - first, why));
  }

  /** As above, of what something else took the place of. */
  void free(long offset, long bytes) {
    free(offset, bytes, Freed.OTHERWISE);
  }

  boolean hasFreed() {
    return !freed.isEmpty();
  }

  /** Whether so much waits to be written or freed that it should be done. */
  boolean isFull() {
    return cache.isFull() || freed.size() > 100_000;
  }

  /**
   * Takes back what {@link #free} was told.
   *
   * @param wanted why they were freed
   * @return the byte ranges {offset, length} that nobody uses any more, of those that are wanted
   */
  List<long[]> releaseFreed(Set<Freed> wanted) throws BlockException {
    file.event(DebugEvent.CLUSTER_FREE);
    List<Run> runs = freed;
    freed = new ArrayList<>();
    List<long[]> unused = new ArrayList<>();
    for (Run run : runs) {
      for (long cluster = run.first(); cluster < run.first() + run.count(); cluster++) {
        long count = get(cluster);
        if (count <= 0) {
          throw uncounted(cluster);
        }
        set(cluster, count - 1);
        if (count == 1) {
          hint = Math.min(hint, cluster);
          runHint = Math.min(runHint, cluster);
          long offset = cluster << header.clusterBits;
          if (!wanted.contains(run.why())) {
            continue;
          }
          if (!unused.isEmpty() && unused.getLast()[0] + unused.getLast()[1] == offset) {
            unused.getLast()[1] += header.clusterSize();
          } else {
            unused.add(new long[] {offset, header.clusterSize()});
          }
        }
      }
    }
    return unused;
  }

  /** Clusters that {@link #allocate} finds in between; more of them go behind everything else. */
  int longRun() {
    return Math.clamp(perBlock / 4, 1, 1 << 16);
  }

  /** Takes {@code count} clusters that follow one another; returns the offset of the first. */
  long allocate(int count) throws BlockException {
    file.event(DebugEvent.CLUSTER_ALLOC);
    long first = count > longRun() ? append(count) : take(count);
    long offset = first << header.clusterBits;
    long end = offset + ((long) count << header.clusterBits);
    if (end > ClusterTable.MAX_OFFSET) {
      throw file.failure("the image file is full");
    }
    refuseUncounted(offset, end);
    return offset;
  }

  /** Fails if what is to be used is a table that ought to have been counted. */
  private void refuseUncounted(long offset, long end) throws BlockException {
    long l1End = header.l1Offset + (long) header.l1Entries * Long.BYTES;
    long tableEnd = header.refcountTableOffset + ((long) header.refcountTableClusters << header.clusterBits);
    if (offset == 0 || offset < l1End && end > header.l1Offset
        || offset < tableEnd && end > header.refcountTableOffset) {
      throw file.corrupt("the clusters at 0x" + Long.toHexString(offset) + " are in use but have refcount 0");
    }
  }

  private long take(int count) throws BlockException {
    while (true) {
      long first = findFree(count);
      long missing = blockMissing(first, count);
      if (missing < 0) {
        for (long cluster = first; cluster < first + count; cluster++) {
          set(cluster, 1);
        }
        hint = count == 1 ? first + 1 : hint;
        runHint = count == 1 ? runHint : first + count;
        return first;
      }
      makeBlock(missing);
    }
  }

  /** Takes clusters behind all that have refcount blocks, with blocks of their own in front of them. */
  private long append(int count) throws BlockException {
    long blocks = blocksFor(count);
    int index = lastBlock() + 1;
    while (index + blocks > table.length) {
      growTable(index + blocks);
      index = lastBlock() + 1;
    }
    long first = index * perBlock;
    writeBlocks(first, blocks, blocks + count, table);
    newEntries.set(index, (int) (index + blocks));
    return first + blocks;
  }

  private int lastBlock() {
    int index = table.length - 1;
    while (index >= 0 && table[index] == 0) {
      index--;
    }
    return index;
  }

  /** Refcount blocks that {@code count} clusters and the blocks themselves need. */
  private long blocksFor(long count) {
    long blocks = 0;
    while (Math.ceilDiv(count + blocks, perBlock) > blocks) {
      blocks = Math.ceilDiv(count + blocks, perBlock);
    }
    return blocks;
  }

  /** Writes refcount blocks to clusters from {@code first} on, which are the first of {@code used} ones in use. */
  private void writeBlocks(long first, long blocks, long used, long[] into) throws BlockException {
    for (long b = 0; b < blocks; b++) {
      long offset = first + b << header.clusterBits;
      ByteBuffer block = ByteBuffer.allocate(header.clusterSize());
      for (int i = 0; i < perBlock && b * perBlock + i < used; i++) {
        bits.set(block, i, 1);
      }
      cache.forget(offset, header.clusterSize());
      file.event(DebugEvent.REFBLOCK_ALLOC_WRITE);
      file.write(offset, block);
      into[(int) (first / perBlock + b)] = offset;
    }
  }

  /** Whether the cluster at {@code offset} can get one more user. */
  boolean isShareable(long offset) throws BlockException {
    return get(offset >> header.clusterBits) < bits.max();
  }

  /** Whether the cluster at {@code offset} is free and can be counted: a new refcount block might need it itself. */
  boolean isUsable(long offset) throws BlockException {
    long cluster = offset >> header.clusterBits;
    return blockOffset(cluster) != 0 && get(cluster) == 0;
  }

  private long findFree(int count) throws BlockException {
    long cluster = count == 1 ? hint : Math.max(hint, runHint);
    int run = 0;
    while (run < count) {
      run = get(cluster) == 0 ? run + 1 : 0;
      cluster++;
    }
    return cluster - count;
  }

  /** Index of the first refcount block that the clusters need and that is not there, or -1. */
  private long blockMissing(long first, long count) {
    for (long index = first / perBlock; index <= (first + count - 1) / perBlock; index++) {
      if (index >= table.length || table[(int) index] == 0) {
        return index;
      }
    }
    return -1;
  }

  /** Makes the block for a range of clusters that are all free; it lies in the first of them. */
  private void makeBlock(long index) throws BlockException {
    if (index >= table.length) {
      growTable(index + 1);
      if (table[(int) index] != 0) {
        return;
      }
    }
    long offset = index * perBlock << header.clusterBits;
    refuseUncounted(offset, offset + header.clusterSize());
    writeBlocks(index * perBlock, 1, 1, table);
    newEntries.set((int) index);
  }

  /**
   * Moves the table to a bigger place behind everything that it describes so far. The blocks for that place come with
   * it, so that it describes itself from the moment that the header points to it.
   */
  private void growTable(long entries) throws BlockException {
    write();
    long first = Math.max(table.length, entries - 1) * perBlock;
    long perCluster = header.clusterSize() / Long.BYTES;
    long wanted = Math.max(entries, table.length + table.length / 2L);
    long clusters = Math.ceilDiv(wanted, perCluster);
    long blocks = blocksFor(clusters);
    while (clusters * perCluster < first / perBlock + blocks) {
      clusters++;
      blocks = blocksFor(clusters);
    }
    if (clusters << header.clusterBits > Header.MAX_REFCOUNT_TABLE_BYTES) {
      throw file.failure("the refcount table cannot grow any more");
    }
    long[] grown = Arrays.copyOf(table, (int) (clusters * perCluster));
    writeBlocks(first, blocks, blocks + clusters, grown);
    long tableOffset = first + blocks << header.clusterBits;
    file.event(DebugEvent.REFBLOCK_ALLOC_WRITE_TABLE);
    file.writeLongs(tableOffset, grown);
    file.flush();
    long oldOffset = header.refcountTableOffset;
    long oldBytes = (long) header.refcountTableClusters << header.clusterBits;
    header.refcountTableOffset = tableOffset;
    header.refcountTableClusters = (int) clusters;
    file.event(DebugEvent.REFBLOCK_ALLOC_SWITCH_TABLE);
    header.writeRefcountTable(file);
    file.flush();
    table = grown;
    free(oldOffset, oldBytes);
  }

  boolean isDirty() {
    return cache.isDirty() || !newEntries.isEmpty();
  }

  /** Writes all counts; blocks are durable before the table refers to them. */
  void write() throws BlockException {
    cache.writeDirty();
    if (!newEntries.isEmpty()) {
      file.flush();
      for (int i = newEntries.nextSetBit(0); i >= 0; i = newEntries.nextSetBit(i + 1)) {
        file.event(DebugEvent.REFBLOCK_ALLOC_HOOKUP);
        file.writeLong(header.refcountTableOffset + (long) i * Long.BYTES, table[i]);
      }
      newEntries.clear();
    }
  }
}
