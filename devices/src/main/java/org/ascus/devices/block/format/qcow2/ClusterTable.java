package org.ascus.devices.block.format.qcow2;

import java.nio.ByteBuffer;
import java.util.BitSet;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.DebugEvent;

/**
 * Where guest clusters are: the active L1 table, in memory, and its L2 tables, cached (docs/interop/qcow2, "Cluster
 * mapping"). Readers may be many; whoever calls a method that changes something keeps others away.
 */
final class ClusterTable {
  /** Refcount is exactly one: may be written in place. */
  static final long COPIED = 1L << 63;

  static final long COMPRESSED = 1L << 62;

  /** Reads as zeroes (version 3). */
  static final long ZERO = 1;

  static final long OFFSET = 0x00ff_ffff_ffff_fe00L;
  static final long MAX_OFFSET = 1L << 56;

  private final ImageFile file;
  private final Header header;
  private final Refcounts refcounts;
  private final TableCache cache;
  private final int entryBytes;
  private final BitSet changedL1 = new BitSet();
  private long[] l1;

  ClusterTable(ImageFile file, Header header, Refcounts refcounts, Qcow2Tuning tuning) throws BlockException {
    this.file = file;
    this.header = header;
    this.refcounts = refcounts;
    this.entryBytes = header.l2EntryBytes();
    this.cache =
        new TableCache(
            file, tuning.l2PieceBytes(), tuning.l2CacheBytes(), DebugEvent.L2_LOAD, DebugEvent.L2_UPDATE);
    this.l1 = file.readLongs(header.l1Offset, header.l1Entries);
  }

  /** Entries of the active L1 table; not to be changed. */
  long[] l1() {
    return l1;
  }

  private int l1Index(long guest) {
    return (int) (guest / header.bytesPerL1Entry());
  }

  /** Offset of the L2 table that an L1 entry refers to, or 0. */
  long tableOffset(long entry) throws BlockException {
    long offset = entry & OFFSET;
    if ((offset & header.clusterSize() - 1) != 0 || offset >= file.size()) {
      throw file.corrupt("L2 table offset 0x" + Long.toHexString(offset) + " is unaligned or outside the file");
    }
    return offset;
  }

  /** The piece of an L2 table with the entry for {@code guest}. */
  private TableCache.Slice slice(long tableOffset, long guest) throws BlockException {
    return cache.get(tableOffset + byteInTable(guest) / cache.sliceSize() * cache.sliceSize());
  }

  private long byteInTable(long guest) {
    return (guest >>> header.clusterBits) % header.l2Entries() * entryBytes;
  }

  private int byteInSlice(long guest) {
    return (int) (byteInTable(guest) % cache.sliceSize());
  }

  /** The L2 entry for {@code guest}, 0 if there is none. */
  long entry(long guest) throws BlockException {
    long table = tableOffset(l1[l1Index(guest)]);
    return table == 0 ? 0 : slice(table, guest).bytes.getLong(byteInSlice(guest));
  }

  /** The subclusters of {@code guest}'s cluster, allocated in the lower half, zero in the upper; 0 without them. */
  long bitmap(long guest) throws BlockException {
    long table = header.extendedL2() ? tableOffset(l1[l1Index(guest)]) : 0;
    return table == 0 ? 0 : slice(table, guest).bytes.getLong(byteInSlice(guest) + Long.BYTES);
  }

  /** What reads of {@code guest} find, for how long; at most {@code length} bytes. */
  Mapping find(long guest, long length) throws BlockException {
    Mapping first = findUnit(guest);
    long found = first.length();
    while (found < length) {
      Mapping next = findUnit(guest + found);
      if (!first.continuedBy(next, found)) {
        break;
      }
      found += next.length();
    }
    return first.withLength(Math.min(found, length));
  }

  /** As {@link #find}, to the end of a cluster, subcluster or unallocated range of an L1 entry. */
  private Mapping findUnit(long guest) throws BlockException {
    if (tableOffset(l1[l1Index(guest)]) == 0) {
      return new Mapping(Mapping.Kind.UNALLOCATED, 0, header.bytesPerL1Entry() - guest % header.bytesPerL1Entry());
    }
    return decode(guest, entry(guest), bitmap(guest));
  }

  /** What an entry says about {@code guest}, to the end of the unit. */
  Mapping decode(long guest, long entry, long bitmap) throws BlockException {
    int inCluster = (int) (guest & header.clusterSize() - 1);
    long host = entry & OFFSET;
    if ((entry & COMPRESSED) != 0) {
      return new Mapping(Mapping.Kind.COMPRESSED, entry, header.clusterSize() - inCluster);
    }
    if ((host & header.clusterSize() - 1) != 0) {
      throw file.corrupt("cluster offset 0x" + Long.toHexString(host) + " for guest offset 0x" + Long.toHexString(guest)
          + " is unaligned");
    }
    boolean there = isPlaced(header, entry);
    int unit = header.unitSize();
    int left = unit - inCluster % unit;
    if (header.extendedL2()) {
      long bits = bitmap >>> inCluster / unit & 0x1_0000_0001L;
      if (bits == 0x1_0000_0001L || bits == 1 && !there) {
        throw file.corrupt("invalid subcluster bits 0x" + Long.toHexString(bitmap) + " for guest offset 0x"
            + Long.toHexString(guest));
      }
      if (bits == 0) {
        return new Mapping(Mapping.Kind.UNALLOCATED, there ? host + inCluster : 0, left);
      }
      return bits == 1 ? new Mapping(Mapping.Kind.DATA, host + inCluster, left)
          : new Mapping(there ? Mapping.Kind.ZERO_ALLOCATED : Mapping.Kind.ZERO, host + inCluster, left);
    }
    if (header.version >= 3 && (entry & ZERO) != 0) {
      return new Mapping(there ? Mapping.Kind.ZERO_ALLOCATED : Mapping.Kind.ZERO, host + inCluster, left);
    }
    return there ? new Mapping(Mapping.Kind.DATA, host + inCluster, left)
        : new Mapping(Mapping.Kind.UNALLOCATED, 0, left);
  }

  /** Whether an entry names a place in the file; in an external data file 0 is one. */
  static boolean isPlaced(Header header, long entry) {
    return (entry & OFFSET) != 0 || header.externalData() && (entry & COPIED) != 0;
  }

  /** Whether {@code guest}'s cluster, which is not compressed, has a place, whatever of it is in use. */
  boolean hasPlace(long guest) throws BlockException {
    return isPlaced(header, entry(guest));
  }

  /** Sets the entry of {@code guest}'s cluster; its L2 table is made, or copied if a snapshot shares it. */
  void set(long guest, long entry, long bitmap) throws BlockException {
    long table = ownTable(l1Index(guest));
    TableCache.Slice slice = slice(table, guest);
    slice.bytes.putLong(byteInSlice(guest), entry);
    if (header.extendedL2()) {
      slice.bytes.putLong(byteInSlice(guest) + Long.BYTES, bitmap);
    }
    cache.changed(slice);
  }

  /** Whether {@code guest} has an L2 table. */
  boolean hasTable(long guest) throws BlockException {
    return tableOffset(l1[l1Index(guest)]) != 0;
  }

  private long ownTable(int index) throws BlockException {
    long entry = l1[index];
    long old = tableOffset(entry);
    if (old != 0 && (entry & COPIED) != 0) {
      return old;
    }
    long made = refcounts.allocate(1);
    ByteBuffer bytes = ByteBuffer.allocate(header.clusterSize());
    cache.forget(made, header.clusterSize());
    if (old != 0) {
      for (int at = 0; at < header.clusterSize(); at += cache.sliceSize()) {
        bytes.put(cache.get(old + at).bytes.duplicate().clear());
      }
    }
    file.event(DebugEvent.L2_ALLOC_WRITE);
    try {
      file.write(made, bytes.clear());
    } catch (BlockException e) {
      refcounts.free(made, header.clusterSize());
      throw e;
    }
    if (old != 0) {
      cache.forget(old, header.clusterSize());
      refcounts.free(old, header.clusterSize());
    }
    l1[index] = made | COPIED;
    changedL1.set(index);
    return made;
  }

  boolean isDirty() {
    return cache.isDirty() || !changedL1.isEmpty();
  }

  boolean isFull() {
    return cache.isFull();
  }

  /** Writes all changes; L2 tables are durable before the L1 table refers to them. */
  void write() throws BlockException {
    cache.writeDirty();
    if (!changedL1.isEmpty()) {
      file.flush();
      for (int i = changedL1.nextSetBit(0); i >= 0; i = changedL1.nextSetBit(i + 1)) {
        file.event(DebugEvent.L1_UPDATE);
        file.writeLong(header.l1Offset + (long) i * Long.BYTES, l1[i]);
      }
      changedL1.clear();
    }
  }

  /** Takes {@code table} as the active L1 table, which is on disk where the header says. */
  void replaceL1(long[] table) {
    l1 = table;
    changedL1.clear();
    cache.forgetAll();
  }
}
