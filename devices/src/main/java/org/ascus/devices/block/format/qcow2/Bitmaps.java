package org.ascus.devices.block.format.qcow2;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.Lock;
import org.ascus.devices.block.BlockException;

/**
 * The bitmaps in an image (docs/interop/qcow2, "Bitmaps extension"). Before the first write those that follow writes
 * are marked as in use in the file; when the image is closed they are written and the mark goes. A kill in between
 * leaves them marked, which says that they are worth nothing.
 */
public final class Bitmaps {
  private static final int EXTENSION_BYTES = 24;
  private static final int ENTRY_BYTES = 24;
  private static final int TYPE = 1;
  private static final int MAX_BITMAPS = 65535;
  private static final int MAX_DIRECTORY = 64 << 20;
  private static final int MAX_NAME = 1023;
  private static final long MAX_BITMAP_BYTES = 512 << 20;

  private final Metadata meta;
  private final ImageFile file;
  private final Header header;
  private final Lock exclusive;
  private List<Bitmap> all;
  private boolean tracking;

  Bitmaps(Metadata meta, Lock exclusive) throws BlockException {
    this.meta = meta;
    this.file = meta.file;
    this.header = meta.header;
    this.exclusive = exclusive;
    this.all = read(file, header);
  }

  /** The extension that counts: without its bit a program changed the image that does not know bitmaps. */
  private static Optional<Extension> extension(Header header) {
    return (header.autoclear & Features.BITMAPS) == 0 ? Optional.empty()
        : header.others.stream().filter(e -> e.type() == Extension.BITMAPS).findFirst();
  }

  static boolean areThere(Header header) {
    return extension(header).isPresent();
  }

  private static List<Bitmap> read(ImageFile file, Header header) throws BlockException {
    Optional<Extension> extension = extension(header);
    if (extension.isEmpty()) {
      return List.of();
    }
    if (extension.get().data().length != EXTENSION_BYTES) {
      throw file.corrupt("bitmaps extension of " + extension.get().data().length + " bytes");
    }
    ByteBuffer in = ByteBuffer.wrap(extension.get().data());
    int count = in.getInt();
    in.getInt();
    long bytes = in.getLong();
    long offset = in.getLong();
    if (count <= 0 || count > MAX_BITMAPS || bytes <= 0 || bytes > MAX_DIRECTORY || offset <= 0
        || offset % header.clusterSize() != 0 || offset > file.size() - bytes) {
      throw file.corrupt("bitmap directory of " + count + " bitmaps and " + bytes + " bytes at " + offset);
    }
    ByteBuffer directory = ByteBuffer.wrap(file.read(offset, (int) bytes));
    List<Bitmap> all = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      all.add(entry(file, header, directory));
    }
    return all;
  }

  private static Bitmap entry(ImageFile file, Header header, ByteBuffer in) throws BlockException {
    if (in.remaining() < ENTRY_BYTES) {
      throw file.corrupt("the bitmap directory is too short");
    }
    long table = in.getLong();
    int entries = in.getInt();
    int flags = in.getInt();
    int type = in.get();
    int granularity = in.get();
    int nameBytes = in.getShort() & 0xffff;
    int extraBytes = in.getInt();
    int padding = -(nameBytes + extraBytes) & 7;
    if (nameBytes == 0 || nameBytes > MAX_NAME || extraBytes < 0 || extraBytes > MAX_DIRECTORY
        || in.remaining() < (long) nameBytes + extraBytes + padding) {
      throw file.corrupt("an entry of the bitmap directory is too large");
    }
    byte[] extra = new byte[extraBytes];
    byte[] name = new byte[nameBytes];
    in.get(extra).get(name).position(in.position() + padding);
    String text = new String(name, StandardCharsets.UTF_8);
    int known = Bitmap.IN_USE | Bitmap.AUTO | Bitmap.EXTRA_COMPATIBLE;
    if (type != TYPE || (flags & ~known) != 0 || extraBytes > 0 && (flags & Bitmap.EXTRA_COMPATIBLE) == 0) {
      throw file.failure("bitmap '" + text + "' is of an unknown kind");
    }
    if (granularity < Bitmap.MIN_GRANULARITY_BITS || granularity > Bitmap.MAX_GRANULARITY_BITS
        || entries < 0 || table < 0 || table % header.clusterSize() != 0
        || (long) entries * header.clusterSize() > MAX_BITMAP_BYTES
        || entries > 0 && (table == 0 || table > file.size() - entries * (long) Long.BYTES)) {
      throw file.corrupt("bitmap '" + text + "' of " + entries + " clusters at " + table);
    }
    Bitmap bitmap = new Bitmap(file, header, new Bitmap.Entry(text, granularity, flags, extra, table, entries));
    if (!bitmap.inconsistent() && bitmap.tableEntries() != entries) {
      throw file.corrupt("bitmap '" + text + "' does not have the size of the disk");
    }
    return bitmap;
  }

  public List<Bitmap> list() {
    return List.copyOf(all);
  }

  private List<Bitmap> following() {
    return all.stream().filter(b -> b.enabled() && !b.inconsistent()).toList();
  }

  /** To be called before the first write. */
  void begin() throws BlockException {
    tracking = !following().isEmpty();
    if (tracking) {
      following().forEach(b -> b.setInUse(true));
      writeFlags();
      file.flush();
    }
  }

  private long directoryOffset() {
    return ByteBuffer.wrap(extension(header).orElseThrow().data()).getLong(16);
  }

  private void writeFlags() throws BlockException {
    long at = directoryOffset();
    for (Bitmap b : all) {
      file.write(at + 12, ByteBuffer.allocate(Integer.BYTES).putInt(b.flags()).flip());
      at += entryBytes(b.name(), b.extra().length);
    }
  }

  private static int entryBytes(String name, int extra) {
    return ENTRY_BYTES + (extra + name.getBytes(StandardCharsets.UTF_8).length + 7 & -8);
  }

  /** Bytes of the disk were written; any thread. */
  void written(long offset, long length) throws BlockException {
    if (tracking) {
      synchronized (this) {
        for (Bitmap b : following()) {
          b.set(offset, length);
        }
      }
    }
  }

  /** The disk's size has changed from {@code old}. */
  void resized(long old) throws BlockException {
    for (Bitmap b : all) {
      if (!b.inconsistent()) {
        b.resize();
        if (b.enabled() && header.size > old) {
          b.set(old, header.size - old);
        }
      }
    }
  }

  /** Writes what has changed, before the image is closed. */
  void finish() throws BlockException {
    if (tracking || all.stream().anyMatch(Bitmap::changed)) {
      store();
      tracking = false;
    }
  }

  /** Writes all bitmaps that have changed, and a new directory. */
  private void store() throws BlockException {
    List<Bitmap.Entry> entries = new ArrayList<>();
    for (Bitmap b : all) {
      b.setInUse(b.inconsistent());
      entries.add(b.store(meta.refcounts));
    }
    Optional<Extension> old = extension(header);
    ByteBuffer directory = directory(entries);
    long place = 0;
    if (!entries.isEmpty()) {
      place = meta.refcounts.allocate(Math.ceilDiv(directory.remaining(), header.clusterSize()));
      file.write(place, directory);
    }
    meta.refcounts.write();
    file.flush();
    header.others.removeIf(e -> e.type() == Extension.BITMAPS);
    if (!entries.isEmpty()) {
      header.others.add(new Extension(Extension.BITMAPS, ByteBuffer.allocate(EXTENSION_BYTES)
          .putInt(entries.size()).putInt(0).putLong(directory.limit()).putLong(place).array()));
      header.autoclear |= Features.BITMAPS;
    } else {
      header.autoclear &= ~Features.BITMAPS;
    }
    header.writeAll(file);
    file.flush();
    if (old.isPresent()) {
      ByteBuffer in = ByteBuffer.wrap(old.get().data());
      meta.refcounts.free(in.getLong(16), in.getLong(8));
    }
    meta.commit();
    all = read(file, header);
  }

  private static ByteBuffer directory(List<Bitmap.Entry> entries) {
    ByteBuffer out =
        ByteBuffer.allocate(entries.stream().mapToInt(e -> entryBytes(e.name(), e.extra().length)).sum());
    for (Bitmap.Entry e : entries) {
      byte[] name = e.name().getBytes(StandardCharsets.UTF_8);
      out.putLong(e.tableOffset()).putInt(e.tableEntries()).putInt(e.flags()).put((byte) TYPE);
      out.put((byte) e.granularityBits()).putShort((short) name.length).putInt(e.extra().length);
      out.put(e.extra()).put(name);
      out.position(out.position() + 7 & -8);
    }
    return out.flip();
  }

  private interface Change {
    void run() throws BlockException;
  }

  private void change(Change change) throws BlockException {
    exclusive.lock();
    try {
      meta.begin();
      meta.commit();
      change.run();
      store();
      if (tracking) {
        begin();
      }
    } finally {
      exclusive.unlock();
    }
  }

  private Bitmap find(String name) throws BlockException {
    return all.stream().filter(b -> b.name().equals(name)).findFirst()
        .orElseThrow(() -> new BlockException("Dirty bitmap '" + name + "' not found"));
  }

  private Bitmap consistent(String name) throws BlockException {
    Bitmap found = find(name);
    if (found.inconsistent()) {
      throw new BlockException("Bitmap '" + name + "' is inconsistent and cannot be used");
    }
    return found;
  }

  /**
   * Makes a bitmap of zeroes.
   *
   * @param granularity bytes, a power of two from 512 to 2 GiB
   */
  public void add(String name, long granularity, boolean enabled) throws BlockException {
    if (header.version < 3) {
      throw new BlockException("Cannot store dirty bitmaps in qcow2 v2 files");
    }
    if (Long.bitCount(granularity) != 1 || granularity < 1L << Bitmap.MIN_GRANULARITY_BITS
        || granularity > 1L << Bitmap.MAX_GRANULARITY_BITS) {
      throw new BlockException("Granularity must be a power of two from 512 to 2G");
    }
    if (name.isEmpty() || name.getBytes(StandardCharsets.UTF_8).length > MAX_NAME) {
      throw new BlockException("Bitmap name is empty or too long");
    }
    if (all.stream().anyMatch(b -> b.name().equals(name))) {
      throw new BlockException("Bitmap already exists: " + name);
    }
    if (all.size() >= MAX_BITMAPS) {
      throw new BlockException("Maximum number of persistent bitmaps is already reached");
    }
    Bitmap made = new Bitmap(file, header, name, Long.numberOfTrailingZeros(granularity), enabled);
    if ((long) made.tableEntries() * header.clusterSize() > MAX_BITMAP_BYTES) {
      throw new BlockException("Too much space will be occupied by the bitmap. Use larger granularity");
    }
    change(
        () -> {
          List<Bitmap> more = new ArrayList<>(all);
          more.add(made);
          all = more;
        });
  }

  public void remove(String name) throws BlockException {
    Bitmap gone = find(name);
    change(
        () -> {
          List<Bitmap> fewer = new ArrayList<>(all);
          fewer.remove(gone);
          all = fewer;
          for (long place : gone.ownClusters()) {
            meta.refcounts.free(place, header.clusterSize());
          }
          if (gone.tableOffset() != 0) {
            meta.refcounts.free(gone.tableOffset(), Math.max(1, gone.placeCount() * (long) Long.BYTES));
          }
        });
  }

  public void clear(String name) throws BlockException {
    Bitmap bitmap = consistent(name);
    change(bitmap::clear);
  }

  /** Whether writes set its bits from now on. */
  public void enable(String name, boolean on) throws BlockException {
    Bitmap bitmap = consistent(name);
    change(() -> bitmap.enable(on));
  }

  /** Sets the bits that {@code source} has set, a bitmap of this or another image. */
  public void merge(Bitmap source, String name) throws BlockException {
    Bitmap target = consistent(name);
    change(() -> source.forEachRange(target::set));
  }

  /** A bitmap whose bits mean something. */
  public Bitmap get(String name) throws BlockException {
    return consistent(name);
  }
}
