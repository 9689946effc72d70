package org.ascus.devices.block.format.qcow2;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.locks.Lock;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.format.qcow2.Qcow2Tuning.Freed;

/** The snapshots in an image (docs/interop/qcow2, "Snapshots"). Changes of them are durable when a method returns. */
public final class Snapshots {
  /**
   * A snapshot.
   *
   * @param l1Offset where its L1 table is
   * @param dateSeconds when it was taken, since the epoch
   * @param guestNanos how long the guest had run
   * @param stateBytes size of the machine state
   * @param diskSize virtual disk size then
   * @param extra extra data behind the two fields that are known
   */
  public record Snapshot(
      String id, String name, long l1Offset, int l1Entries, long dateSeconds, int dateNanos, long guestNanos,
      long stateBytes, long diskSize, byte[] extra) {
    /** How many instructions the guest had executed, if that was counted. */
    public OptionalLong instructions() {
      long count = extra.length < Long.BYTES ? NOT_COUNTED : ByteBuffer.wrap(extra).getLong();
      return count == NOT_COUNTED ? OptionalLong.empty() : OptionalLong.of(count);
    }
  }

  private static final long NOT_COUNTED = -1;
  private static final int FIXED_BYTES = 40;
  private static final int KNOWN_EXTRA = 16;
  private static final int MAX_TABLE_BYTES = 16 << 20;
  private static final int MAX_EXTRA = 1024;

  private final Metadata meta;
  private final ImageFile file;
  private final Header header;
  private final ClusterReader reader;
  private final Lock exclusive;
  private final BeforeApply beforeApply;
  private List<Snapshot> all;
  private long tableBytes;

  /** Called before a snapshot is applied. */
  interface BeforeApply {
    /** The whole disk is to change; gives it that many bytes. */
    void resize(long bytes) throws BlockException;
  }

  Snapshots(Metadata meta, ClusterReader reader, Lock exclusive, BeforeApply beforeApply) throws BlockException {
    this.meta = meta;
    this.file = meta.file;
    this.header = meta.header;
    this.reader = reader;
    this.exclusive = exclusive;
    this.beforeApply = beforeApply;
    this.all = read(file, header);
    this.tableBytes = bytes(all).remaining();
  }

  /** All snapshots of an image, in the order of its table. */
  static List<Snapshot> read(ImageFile file, Header header) throws BlockException {
    List<Snapshot> all = new ArrayList<>();
    long at = header.snapshotsOffset;
    for (int i = 0; i < header.snapshotCount; i++) {
      ByteBuffer in = ByteBuffer.wrap(file.read(at, FIXED_BYTES));
      long l1Offset = in.getLong();
      int l1Entries = in.getInt();
      int idBytes = in.getShort() & 0xffff;
      int nameBytes = in.getShort() & 0xffff;
      long seconds = in.getInt() & 0xffff_ffffL;
      int nanos = in.getInt();
      long guestNanos = in.getLong();
      long stateBytes = in.getInt() & 0xffff_ffffL;
      int extraBytes = in.getInt();
      if (extraBytes < 0 || extraBytes > MAX_EXTRA || at - header.snapshotsOffset > MAX_TABLE_BYTES) {
        throw file.corrupt("snapshot table entry " + i + " is too large");
      }
      if (l1Entries < 0 || l1Entries * 8L > Header.MAX_L1_BYTES || (l1Offset & header.clusterSize() - 1) != 0
          || l1Offset < 0 || l1Entries > 0 && l1Offset >= file.size()) {
        throw file.corrupt("L1 table of snapshot " + i + " (" + l1Entries + " entries at " + l1Offset + ")");
      }
      ByteBuffer rest = ByteBuffer.wrap(file.read(at + FIXED_BYTES, extraBytes + idBytes + nameBytes));
      stateBytes = extraBytes >= 8 ? rest.getLong(0) : stateBytes;
      long diskSize = extraBytes >= KNOWN_EXTRA ? rest.getLong(8) : header.size;
      byte[] extra = Arrays.copyOfRange(rest.array(), Math.min(extraBytes, KNOWN_EXTRA), extraBytes);
      String id = new String(rest.array(), extraBytes, idBytes, StandardCharsets.UTF_8);
      String name = new String(rest.array(), extraBytes + idBytes, nameBytes, StandardCharsets.UTF_8);
      all.add(new Snapshot(id, name, l1Offset, l1Entries, seconds, nanos, guestNanos, stateBytes, diskSize, extra));
      at += FIXED_BYTES + extraBytes + idBytes + nameBytes + 7 & -8;
    }
    return all;
  }

  /** Bytes that the table has in the file. */
  static int tableBytes(List<Snapshot> all) {
    return bytes(all).remaining();
  }

  private static ByteBuffer bytes(List<Snapshot> all) {
    int size = 0;
    for (Snapshot s : all) {
      size += FIXED_BYTES + KNOWN_EXTRA + s.extra().length + utf8(s.id()).length + utf8(s.name()).length + 7 & -8;
    }
    ByteBuffer out = ByteBuffer.allocate(size);
    for (Snapshot s : all) {
      out.putLong(s.l1Offset()).putInt(s.l1Entries());
      out.putShort((short) utf8(s.id()).length).putShort((short) utf8(s.name()).length);
      out.putInt((int) s.dateSeconds()).putInt(s.dateNanos()).putLong(s.guestNanos());
      out.putInt((int) Math.min(s.stateBytes(), 0xffff_ffffL)).putInt(KNOWN_EXTRA + s.extra().length);
      out.putLong(s.stateBytes()).putLong(s.diskSize()).put(s.extra());
      out.put(utf8(s.id())).put(utf8(s.name()));
      out.position(out.position() + 7 & -8);
    }
    return out.flip();
  }

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  public List<Snapshot> list() {
    return List.copyOf(all);
  }

  /** The snapshot of that id or, if there is none, name. */
  public Optional<Snapshot> find(String idOrName) {
    return all.stream().filter(s -> s.id().equals(idOrName)).findFirst()
        .or(() -> all.stream().filter(s -> s.name().equals(idOrName)).findFirst());
  }

  interface Change {
    void run() throws BlockException;
  }

  private void change(Change change) throws BlockException {
    exclusive.lock();
    try {
      if (header.externalData()) {
        throw file.failure("images with an external data file have no internal snapshots");
      }
      meta.begin();
      meta.commit();
      change.run();
      meta.commit();
      meta.commit();
      file.flush();
    } finally {
      exclusive.unlock();
    }
  }

  /** Makes refcounts durable before anything refers to what they count. */
  private void writeRefcounts() throws BlockException {
    meta.refcounts.write();
    file.flush();
  }

  /** Takes a snapshot of the disk as it is now. */
  public void create(String name, long dateSeconds, int dateNanos) throws BlockException {
    change(
        () -> {
          if (all.size() >= Header.MAX_SNAPSHOTS) {
            throw file.failure("too many snapshots");
          }
          long id = 1 + all.stream().mapToLong(Snapshots::number).max().orElse(0);
          long[] l1 = meta.clusters.l1();
          for (long entry : l1) {
            use(entry);
          }
          long place = l1.length == 0 ? 0 : meta.refcounts.allocate(clustersOf(l1.length));
          long[] copy = l1.clone();
          for (int i = 0; i < copy.length; i++) {
            copy[i] &= ~ClusterTable.COPIED;
          }
          if (copy.length > 0) {
            file.writeLongs(place, copy);
          }
          writeRefcounts();
          // The active tables lose their mark first: at worst they are copied needlessly.
          for (long entry : l1) {
            unmark(entry);
          }
          if (copy.length > 0) {
            file.writeLongs(header.l1Offset, copy);
          }
          meta.clusters.replaceL1(copy.clone());
          file.flush();
          List<Snapshot> more = new ArrayList<>(all);
          more.add(new Snapshot(Long.toString(id), name, place, copy.length, dateSeconds, dateNanos, 0, 0, header.size,
              new byte[0]));
          writeTable(more);
        });
  }

  private static long number(Snapshot s) {
    return s.id().matches("[0-9]{1,9}") ? Long.parseLong(s.id()) : 0;
  }

  private int clustersOf(int l1Entries) {
    return (int) Math.ceilDiv((long) l1Entries * Long.BYTES, (long) header.clusterSize());
  }

  private interface EntryBody {
    void run(long entry) throws BlockException;
  }

  private void forEachEntry(long l1Entry, EntryBody body) throws BlockException {
    long table = meta.clusters.tableOffset(l1Entry);
    if (table != 0) {
      long[] entries = file.readLongs(table, header.clusterSize() / Long.BYTES);
      int step = header.l2EntryBytes() / Long.BYTES;
      for (int i = 0; i < entries.length; i += step) {
        body.run(entries[i]);
      }
    }
  }

  /** One more user of an L2 table and of what it refers to. */
  private void use(long l1Entry) throws BlockException {
    long table = meta.clusters.tableOffset(l1Entry);
    if (table != 0) {
      meta.refcounts.use(table, header.clusterSize());
      forEachEntry(
          l1Entry,
          entry -> {
            if ((entry & ClusterTable.COMPRESSED) != 0) {
              meta.refcounts.use(
                  ClusterReader.compressedOffset(header, entry), ClusterReader.compressedBytes(header, entry));
            } else if ((entry & ClusterTable.OFFSET) != 0) {
              meta.refcounts.use(entry & ClusterTable.OFFSET, header.clusterSize());
            }
          });
    }
  }

  private void free(long l1Entry) throws BlockException {
    long table = meta.clusters.tableOffset(l1Entry);
    if (table != 0) {
      forEachEntry(
          l1Entry,
          entry -> {
            if ((entry & ClusterTable.COMPRESSED) != 0) {
              meta.refcounts.free(ClusterReader.compressedOffset(header, entry),
                  ClusterReader.compressedBytes(header, entry), Freed.BY_SNAPSHOT);
            } else if ((entry & ClusterTable.OFFSET) != 0) {
              meta.refcounts.free(entry & ClusterTable.OFFSET, header.clusterSize(), Freed.BY_SNAPSHOT);
            }
          });
      meta.refcounts.free(table, header.clusterSize(), Freed.BY_SNAPSHOT);
    }
  }

  /** Sets or clears the mark "refcount is one" in an L2 table on disk. */
  private void remark(long l1Entry, boolean byRefcount) throws BlockException {
    long table = meta.clusters.tableOffset(l1Entry);
    if (table == 0) {
      return;
    }
    long[] entries = file.readLongs(table, header.clusterSize() / Long.BYTES);
    int step = header.l2EntryBytes() / Long.BYTES;
    boolean changed = false;
    for (int i = 0; i < entries.length; i += step) {
      long entry = entries[i];
      long host = entry & ClusterTable.OFFSET;
      boolean standard = (entry & ClusterTable.COMPRESSED) == 0 && host != 0;
      boolean marked = byRefcount && standard && meta.refcounts.get(host >> header.clusterBits) == 1;
      entries[i] = marked ? entry | ClusterTable.COPIED : entry & ~ClusterTable.COPIED;
      changed |= entries[i] != entry;
    }
    if (changed) {
      file.writeLongs(table, entries);
    }
  }

  private void unmark(long l1Entry) throws BlockException {
    remark(l1Entry, false);
  }

  private void writeTable(List<Snapshot> snapshots) throws BlockException {
    ByteBuffer bytes = bytes(snapshots);
    int size = bytes.remaining();
    long place = 0;
    if (size > 0) {
      place = meta.refcounts.allocate(Math.ceilDiv(size, header.clusterSize()));
      file.write(place, bytes);
      writeRefcounts();
    }
    if (tableBytes > 0) {
      meta.refcounts.free(header.snapshotsOffset, tableBytes);
    }
    header.snapshotsOffset = place;
    header.snapshotCount = snapshots.size();
    header.writeSnapshots(file);
    file.flush();
    all = snapshots;
    tableBytes = size;
  }

  /** Makes the disk what it was, its size as well. */
  public void apply(Snapshot snapshot) throws BlockException {
    beforeApply.resize(snapshot.diskSize());
    change(
        () -> {
          long[] old = meta.clusters.l1();
          long[] l1 = Arrays.copyOf(file.readLongs(snapshot.l1Offset(), snapshot.l1Entries()),
              Math.max(snapshot.l1Entries(), old.length));
          for (long entry : l1) {
            use(entry);
          }
          long place = l1.length == 0 ? 0 : meta.refcounts.allocate(clustersOf(l1.length));
          for (int i = 0; i < l1.length; i++) {
            l1[i] &= ~ClusterTable.COPIED;
          }
          if (l1.length > 0) {
            file.writeLongs(place, l1);
          }
          writeRefcounts();
          for (long entry : old) {
            free(entry);
          }
          if (old.length > 0) {
            meta.refcounts.free(header.l1Offset, (long) old.length * Long.BYTES);
          }
          header.l1Offset = place;
          header.l1Entries = l1.length;
          header.writeL1(file);
          meta.clusters.replaceL1(l1);
          reader.forgetExpanded();
        });
  }

  /** Forgets a snapshot. */
  public void delete(Snapshot snapshot) throws BlockException {
    change(
        () -> {
          List<Snapshot> fewer = new ArrayList<>(all);
          fewer.removeIf(s -> s.id().equals(snapshot.id()) && s.l1Offset() == snapshot.l1Offset());
          long[] l1 = file.readLongs(snapshot.l1Offset(), snapshot.l1Entries());
          writeTable(fewer);
          for (long entry : l1) {
            free(entry);
          }
          if (l1.length > 0) {
            meta.refcounts.free(snapshot.l1Offset(), (long) l1.length * Long.BYTES, Freed.BY_SNAPSHOT);
          }
          meta.commit();
          meta.refcounts.write();
          file.flush();
          restoreMarks();
        });
  }

  /** Marks what only the active tables use again, so that it is written in place. */
  private void restoreMarks() throws BlockException {
    long[] l1 = meta.clusters.l1().clone();
    for (int i = 0; i < l1.length; i++) {
      long table = meta.clusters.tableOffset(l1[i]);
      if (table != 0 && meta.refcounts.get(table >> header.clusterBits) == 1) {
        remark(l1[i], true);
        l1[i] |= ClusterTable.COPIED;
      }
    }
    if (l1.length > 0) {
      file.writeLongs(header.l1Offset, l1);
    }
    meta.clusters.replaceL1(l1);
    file.flush();
  }
}
