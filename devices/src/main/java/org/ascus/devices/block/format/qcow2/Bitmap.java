package org.ascus.devices.block.format.qcow2;

import java.nio.ByteBuffer;
import java.util.Arrays;
import org.ascus.devices.block.BlockException;

/**
 * A bitmap in an image (docs/interop/qcow2, "Bitmaps"): a bit for each granule of the disk that says whether it was
 * written. Its data comes from the file when it is asked for, a cluster of bits at a time. Its caller keeps others
 * away.
 */
public final class Bitmap {
  static final int IN_USE = 1;
  static final int AUTO = 2;
  static final int EXTRA_COMPATIBLE = 4;
  static final int MIN_GRANULARITY_BITS = 9;
  static final int MAX_GRANULARITY_BITS = 31;

  /** Table entry of a cluster of ones that has no place. */
  private static final long ONES = 1;

  private final ImageFile file;
  private final Header header;
  private final String name;
  private final int granularityBits;
  private final byte[] extra;
  private final boolean inconsistent;
  private final long tableOffset;
  private int flags;
  private long[] places;
  private byte[][] data;
  private long bits;
  private boolean changed;

  /** What an entry of the directory says. */
  record Entry(String name, int granularityBits, int flags, byte[] extra, long tableOffset, int tableEntries) {}

  Bitmap(ImageFile file, Header header, Entry entry) throws BlockException {
    this.file = file;
    this.header = header;
    this.name = entry.name();
    this.granularityBits = entry.granularityBits();
    this.flags = entry.flags();
    this.extra = entry.extra();
    this.tableOffset = entry.tableOffset();
    this.inconsistent = (flags & IN_USE) != 0;
    this.places = file.readLongs(tableOffset, entry.tableEntries());
    this.data = new byte[places.length][];
    this.bits = bitsFor(header.size);
  }

  /** A new one, all zero. */
  Bitmap(ImageFile file, Header header, String name, int granularityBits, boolean enabled) {
    this.file = file;
    this.header = header;
    this.name = name;
    this.granularityBits = granularityBits;
    this.flags = enabled ? AUTO : 0;
    this.extra = new byte[0];
    this.tableOffset = 0;
    this.inconsistent = false;
    this.bits = bitsFor(header.size);
    this.places = new long[tableEntries()];
    this.data = new byte[places.length][];
    this.changed = true;
  }

  private long bitsFor(long size) {
    return Math.ceilDiv(size, granularity());
  }

  /** Clusters of data that the disk's size asks for. */
  int tableEntries() {
    return (int) Math.ceilDiv(Math.ceilDiv(bits, 8L), (long) header.clusterSize());
  }

  public String name() {
    return name;
  }

  /** Bytes of the disk that one bit stands for. */
  public long granularity() {
    return 1L << granularityBits;
  }

  int granularityBits() {
    return granularityBits;
  }

  /** Whether writes set its bits. */
  public boolean enabled() {
    return (flags & AUTO) != 0;
  }

  /** Whether it was not written when the image was closed, so that its bits mean nothing. */
  public boolean inconsistent() {
    return inconsistent;
  }

  int flags() {
    return flags;
  }

  byte[] extra() {
    return extra;
  }

  long tableOffset() {
    return tableOffset;
  }

  int placeCount() {
    return places.length;
  }

  boolean changed() {
    return changed;
  }

  void enable(boolean on) {
    flags = on ? flags | AUTO : flags & ~AUTO;
  }

  void setInUse(boolean on) {
    flags = on ? flags | IN_USE : flags & ~IN_USE;
  }

  /** The clusters that the file has for it. */
  long[] ownClusters() {
    return Arrays.stream(places).map(p -> p & ClusterTable.OFFSET).filter(p -> p != 0).toArray();
  }

  private byte[] chunk(int index) throws BlockException {
    if (data[index] == null) {
      long place = places[index] & ClusterTable.OFFSET;
      if (place != 0) {
        if (place % header.clusterSize() != 0 || place >= file.size()) {
          throw file.corrupt("data of bitmap '" + name + "' at 0x" + Long.toHexString(place));
        }
        data[index] = file.read(place, header.clusterSize());
      } else {
        data[index] = new byte[header.clusterSize()];
        if ((places[index] & ONES) != 0) {
          Arrays.fill(data[index], (byte) -1);
        }
      }
    }
    return data[index];
  }

  /** Sets the bits of the granules that a range of the disk touches. */
  void set(long offset, long length) throws BlockException {
    if (length <= 0) {
      return;
    }
    long last = Math.min(bits, (offset + length - 1 >> granularityBits) + 1);
    long perChunk = (long) header.clusterSize() * 8;
    for (long bit = offset >> granularityBits; bit < last; ) {
      byte[] chunk = chunk((int) (bit / perChunk));
      int inside = (int) (bit % perChunk);
      if (inside % 8 == 0 && last - bit >= 8) {
        int bytes = (int) Math.min((last - bit) / 8, chunk.length - inside / 8);
        Arrays.fill(chunk, inside / 8, inside / 8 + bytes, (byte) -1);
        bit += bytes * 8L;
      } else {
        chunk[inside / 8] |= (byte) (1 << inside % 8);
        bit++;
      }
    }
    changed = true;
  }

  void clear() {
    Arrays.setAll(data, _ -> new byte[header.clusterSize()]);
    changed = true;
  }

  /** Adapts it to the disk's size; new bits are zero. */
  void resize() throws BlockException {
    long old = bits;
    bits = bitsFor(header.size);
    if (bits == old) {
      return;
    }
    for (int i = 0; i < places.length; i++) {
      chunk(i);
    }
    int entries = tableEntries();
    byte[][] resized = Arrays.copyOf(data, entries);
    for (int i = data.length; i < entries; i++) {
      resized[i] = new byte[header.clusterSize()];
    }
    data = resized;
    long perChunk = (long) header.clusterSize() * 8;
    for (long bit = bits; bit < Math.min(old, entries * perChunk); bit++) {
      data[(int) (bit / perChunk)][(int) (bit % perChunk / 8)] &= (byte) ~(1 << bit % 8);
    }
    changed = true;
  }

  /** What is called for each run of set bits, in bytes of the disk. */
  public interface RangeBody {
    void run(long offset, long length) throws BlockException;
  }

  /** Runs of granules whose bits are set. */
  public void forEachRange(RangeBody body) throws BlockException {
    long perChunk = (long) header.clusterSize() * 8;
    long start = -1;
    for (long bit = 0; bit < bits; ) {
      int index = (int) (bit / perChunk);
      if (data[index] == null && places[index] == 0 && start < 0) {
        bit = Math.min(bits, (index + 1) * perChunk);
        continue;
      }
      boolean set = (chunk(index)[(int) (bit % perChunk / 8)] >> bit % 8 & 1) != 0;
      if (set && start < 0) {
        start = bit;
      } else if (!set && start >= 0) {
        body.run(start << granularityBits, bit - start << granularityBits);
        start = -1;
      }
      bit++;
    }
    if (start >= 0) {
      body.run(start << granularityBits, bits - start << granularityBits);
    }
  }

  /**
   * Writes its data to clusters of its own, new ones, and gives the old ones back with the next commit.
   *
   * @return what the directory is to say
   */
  Entry store(Refcounts refcounts) throws BlockException {
    if (!changed) {
      return entry(tableOffset, places.length);
    }
    long[] written = new long[tableEntries()];
    for (int i = 0; i < written.length; i++) {
      byte[] chunk = chunk(i);
      if (!isZero(chunk)) {
        written[i] = refcounts.allocate(1);
        file.write(written[i], ByteBuffer.wrap(chunk));
      }
    }
    for (long place : ownClusters()) {
      refcounts.free(place, header.clusterSize());
    }
    if (tableOffset != 0) {
      refcounts.free(tableOffset, Math.max(1, places.length * (long) Long.BYTES));
    }
    int bytes = Math.max(1, written.length * Long.BYTES);
    long table = refcounts.allocate(Math.ceilDiv(bytes, header.clusterSize()));
    file.writeLongs(table, written);
    return entry(table, written.length);
  }

  private static boolean isZero(byte[] chunk) {
    for (byte b : chunk) {
      if (b != 0) {
        return false;
      }
    }
    return true;
  }

  private Entry entry(long table, int entries) {
    return new Entry(name, granularityBits, flags, extra, table, entries);
  }
}
