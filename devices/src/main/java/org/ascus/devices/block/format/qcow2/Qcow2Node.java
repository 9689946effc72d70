package org.ascus.devices.block.format.qcow2;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.BlockNode;
import org.ascus.devices.block.DebugEvent;
import org.ascus.devices.block.Extent;
import org.ascus.devices.block.crypto.ImageKey;
import org.ascus.devices.block.crypto.LuksOptions;
import org.ascus.devices.block.crypto.LuksVolume;
import org.ascus.devices.security.Secret;

/**
 * A qcow2 image.
 *
 * <p>Reads and writes of places that data already has go on side by side; whatever changes a table has the image to
 * itself. Tables are written by {@link #flush} and when too much of them has changed, in the order that {@link
 * Metadata} tells.
 */
public final class Qcow2Node implements BlockNode {
  /** Opens the other files that an image names. */
  public interface Files {
    /**
     * The backing file.
     *
     * @param format what the image says that it is; empty if it does not say
     * @return empty to do without one
     */
    Optional<BlockNode> backing(String name, String format) throws BlockException;

    /** The external data file; {@code name} may be empty. */
    BlockNode data(String name) throws BlockException;
  }

  private final ImageFile file;
  private final Header header;
  private final Optional<BlockNode> backing;
  private final BlockNode data;
  private final Encryption encryption;
  private final Qcow2Tuning tuning;
  private final Metadata meta;
  private final ClusterReader reader;
  private final ClusterWriter writer;
  private final Lock shared;
  private final Lock exclusive;
  private final Optional<Bitmaps> bitmaps;
  private volatile boolean begun;
  private volatile boolean closed;
  private volatile Optional<Boolean> holes = Optional.empty();

  private Qcow2Node(
      ImageFile file, Header header, Optional<BlockNode> backing, Encryption encryption, Qcow2Tuning tuning)
      throws BlockException {
    this.file = file;
    this.header = header;
    this.backing = backing;
    this.encryption = encryption;
    this.data = encryption.data();
    this.tuning = tuning;
    this.meta = new Metadata(file, header, data, tuning);
    this.reader = new ClusterReader(file, header, meta.clusters, data, backing, encryption.byGuestSector());
    this.writer = new ClusterWriter(meta, reader, data);
    ReadWriteLock lock = new ReentrantReadWriteLock();
    this.shared = lock.readLock();
    this.exclusive = lock.writeLock();
    this.bitmaps = file.node().readOnly() ? Optional.empty() : Optional.of(new Bitmaps(meta, exclusive));
  }

  /**
   * Opens an image; one that was not closed properly with lazy refcounts is repaired first, if it may be written.
   *
   * @param node what holds the image, growable; the new node closes it, also when this fails
   * @param unmap whether what the guest discards is discarded in the file too
   * @throws BlockException naming the file and what is wrong with it
   */
  public static Qcow2Node open(BlockNode node, Files files, boolean unmap) throws BlockException {
    return open(node, files, unmap, Map.of(), ImageKey.MISSING);
  }

  /** Whether {@link #open} understands a tuning option of that name. */
  public static boolean isTuning(String name) {
    return Qcow2Tuning.isNamed(name);
  }

  /**
   * As {@link #open(BlockNode, Files, boolean)}.
   *
   * @param tuning options that change how it is used, not what is in it, as {@link #isTuning} knows them
   * @param key of an encrypted image
   */
  public static Qcow2Node open(
      BlockNode node, Files files, boolean unmap, Map<String, String> tuning, ImageKey key) throws BlockException {
    ImageFile file = new ImageFile(node);
    Optional<BlockNode> backing = Optional.empty();
    Optional<BlockNode> data = Optional.empty();
    try {
      Header header = Header.read(file);
      Qcow2Tuning tuned = Qcow2Tuning.read(tuning, header, unmap);
      if (!node.readOnly()) {
        if ((header.incompatible & Features.CORRUPT) != 0) {
          throw file.failure("qcow2: Image is corrupt; cannot be opened read/write");
        }
        if ((header.incompatible & Features.DIRTY) != 0) {
          Qcow2Check.repairDirty(file, header);
        }
      }
      if (header.externalData()) {
        data = Optional.of(files.data(header.dataFile));
      }
      Encryption encryption = Encryption.open(file, header, data.orElse(node), key);
      if (!header.backingFile.isEmpty()) {
        backing = files.backing(header.backingFile, header.backingFormat);
      }
      return new Qcow2Node(file, header, backing, encryption, tuned);
    } catch (BlockException e) {
      closeAll(e, Optional.of(node), data, backing);
      throw e;
    }
  }

  @SafeVarargs
  private static void closeAll(BlockException because, Optional<BlockNode>... nodes) {
    for (Optional<BlockNode> node : nodes) {
      try {
        if (node.isPresent()) {
          node.get().close();
        }
      } catch (BlockException e) {
        because.addSuppressed(e);
      }
    }
  }

  /**
   * Makes an image and opens it.
   *
   * @param node what is to hold it, growable; its bytes are lost
   */
  public static Qcow2Node create(BlockNode node, Qcow2Options options, Files files) throws BlockException {
    return create(node, options, files, Optional.empty());
  }

  /** A LUKS volume in a new image, and the passphrase of its first key. */
  public record NewLuks(LuksOptions options, Secret passphrase) {}

  /** As {@link #create(BlockNode, Qcow2Options, Files)}, encrypted if {@code luks} is there. */
  public static Qcow2Node create(BlockNode node, Qcow2Options options, Files files, Optional<NewLuks> luks)
      throws BlockException {
    try {
      options.format(node);
      if (luks.isPresent()) {
        Encryption.create(node, luks.get().options(), luks.get().passphrase().toBytes());
      }
    } catch (BlockException e) {
      closeAll(e, Optional.of(node));
      throw e;
    }
    Qcow2Node made =
        open(node, files, false, Map.of(), luks.map(l -> ImageKey.of(l.passphrase())).orElse(ImageKey.MISSING));
    try {
      made.changeSize(Math.ceilDiv(options.size(), 512L) * 512);
      made.flush();
      return made;
    } catch (BlockException e) {
      closeAll(e, Optional.of(made));
      throw e;
    }
  }

  @Override
  public String name() {
    return file.node().name();
  }

  @Override
  public String format() {
    return "qcow2";
  }

  @Override
  public long size() {
    return header.size;
  }

  @Override
  public boolean readOnly() {
    return file.node().readOnly();
  }

  /** Name of the file that the guest's bytes are in. */
  public String dataName() {
    return data.name();
  }

  /** The backing file, if it has one. */
  public Optional<BlockNode> backing() {
    return backing;
  }

  @Override
  public void read(long offset, ByteBuffer target) throws BlockException {
    shared.lock();
    try {
      checkRange(offset, target.remaining());
      reader.read(offset, target);
    } finally {
      shared.unlock();
    }
  }

  private interface Body {
    void run() throws BlockException;
  }

  private void exclusively(Body body) throws BlockException {
    exclusive.lock();
    try {
      body.run();
    } finally {
      exclusive.unlock();
    }
  }

  private void begin() throws BlockException {
    checkWritable();
    if (!begun) {
      exclusively(
          () -> {
            if (!begun) {
              meta.begin();
              bitmaps.orElseThrow().begin();
              begun = true;
            }
          });
    }
  }

  @Override
  public void write(long offset, ByteBuffer source) throws BlockException {
    checkRange(offset, source.remaining());
    begin();
    written(offset, source.remaining());
    long base = offset - source.position();
    while (source.hasRemaining()) {
      writeInPlace(base, source);
      if (source.hasRemaining()) {
        exclusively(() -> writer.write(base + source.position(), source));
      }
    }
  }

  /** What lies in one run of the file is one request to it. */
  @Override
  public void read(long offset, ByteBuffer[] targets) throws BlockException {
    long length = BlockNode.remaining(targets);
    checkRange(offset, length);
    if (!onePlace(() -> reader.run(offset, length), length, place -> data.read(place, targets))) {
      BlockNode.super.read(offset, targets);
    }
  }

  @Override
  public void write(long offset, ByteBuffer[] sources) throws BlockException {
    long length = BlockNode.remaining(sources);
    checkRange(offset, length);
    begin();
    written(offset, length);
    if (!onePlace(() -> writer.inPlace(offset, length), length, place -> data.write(place, sources))) {
      BlockNode.super.write(offset, sources);
    }
  }

  private interface Find {
    Mapping place() throws BlockException;
  }

  private interface Request {
    void at(long place) throws BlockException;
  }

  private boolean onePlace(Find find, long length, Request request) throws BlockException {
    shared.lock();
    try {
      Mapping mapping = find.place();
      boolean one = length > 0 && mapping.kind() == Mapping.Kind.DATA && mapping.length() == length;
      if (one) {
        request.at(mapping.host());
      }
      return one;
    } finally {
      shared.unlock();
    }
  }

  private void written(long offset, long length) throws BlockException {
    bitmaps.orElseThrow().written(offset, length);
  }

  /** Writes the first part of {@code source} that needs no change of tables. */
  private void writeInPlace(long base, ByteBuffer source) throws BlockException {
    shared.lock();
    try {
      int end = source.limit();
      while (source.position() < end) {
        Mapping place = writer.inPlace(base + source.position(), end - source.position());
        if (place.length() == 0) {
          return;
        }
        source.limit(source.position() + (int) place.length());
        try {
          data.write(place.host(), source);
        } finally {
          source.limit(end);
        }
      }
    } finally {
      shared.unlock();
    }
  }

  @Override
  public void flush() throws BlockException {
    if (readOnly()) {
      return;
    }
    exclusively(
        () -> {
          if (meta.isDirty()) {
            meta.commit();
          }
        });
    data.flush();
    if (header.externalData()) {
      file.flush();
    }
  }

  @Override
  public void discard(long offset, long length) throws BlockException {
    checkRange(offset, length);
    begin();
    written(offset, length);
    long unit = header.clusterSize();
    long first = Math.ceilDiv(offset, unit) * unit;
    long end = offset + length == size() ? size() : (offset + length) / unit * unit;
    if (first < end) {
      exclusively(() -> writer.discard(first, end - first));
    }
  }

  @Override
  public void writeZeroes(long offset, long length, boolean mayUnmap) throws BlockException {
    checkRange(offset, length);
    begin();
    if (length == 0) {
      return;
    }
    written(offset, length);
    exclusively(
        () -> {
          long unit = header.version < 3 ? header.clusterSize() : header.unitSize();
          long first = Math.min(Math.ceilDiv(offset, unit) * unit, offset + length);
          long end = offset + length == size() ? size() : (offset + length) / unit * unit;
          zeroPart(offset, first);
          if (first < end) {
            if (header.version < 3 && !mayUnmap) {
              writer.writeZeroData(first, end);
            } else {
              writer.zeroUnits(first, end - first, mayUnmap);
            }
          }
          zeroPart(Math.max(first, end), offset + length);
        });
  }

  private void zeroPart(long from, long to) throws BlockException {
    if (from < to && !reader.isZero(from, to - from)) {
      writer.writeZeroData(from, to);
    }
  }

  /** Whether the file has clusters in use of which its disk has nothing: those that a preallocation left. */
  private boolean hasHoles() throws BlockException {
    if (holes.isEmpty()) {
      exclusively(() -> holes = Optional.of(meta.refcounts.exceed(file.node().allocatedBytes())));
    }
    return holes.get();
  }

  @Override
  public Extent extent(long offset, long length) throws BlockException {
    boolean look = hasHoles();
    shared.lock();
    try {
      checkRange(offset, length);
      Mapping mapping = meta.clusters.find(offset, length);
      OptionalLong place = OptionalLong.of(mapping.host());
      return switch (mapping.kind()) {
        case DATA -> {
          if (header.crypt != 0 || !look) {
            yield new Extent(mapping.length(), 0, true, false, true, false,
                header.crypt != 0 ? OptionalLong.empty() : place);
          }
          Extent below = data.extent(mapping.host(), mapping.length());
          yield new Extent(below.length(), 0, true, below.zero(), true, false, place);
        }
        case ZERO -> Extent.zero(mapping.length(), OptionalLong.empty());
        case ZERO_ALLOCATED -> Extent.zero(mapping.length(), place);
        case COMPRESSED -> new Extent(mapping.length(), 0, true, false, true, true, OptionalLong.empty());
        case UNALLOCATED -> {
          if (!reader.backed(offset)) {
            boolean placed = mapping.host() != 0 || meta.clusters.hasPlace(offset);
            yield new Extent(mapping.length(), 0, false, true, false, false, placed ? place : OptionalLong.empty());
          }
          long there = Math.min(mapping.length(), backing.get().size() - offset);
          yield backing.get().extent(offset, there).deeper();
        }
      };
    } finally {
      shared.unlock();
    }
  }

  /** Like {@link #extent}, but not looking into the backing file: its bytes are not present. */
  public Extent ownExtent(long offset, long length) throws BlockException {
    shared.lock();
    try {
      checkRange(offset, length);
      Mapping mapping = meta.clusters.find(offset, length);
      boolean own = mapping.kind() != Mapping.Kind.UNALLOCATED;
      return new Extent(mapping.length(), 0, own, mapping.isZero(), own && !mapping.isZero(),
          mapping.kind() == Mapping.Kind.COMPRESSED, OptionalLong.empty());
    } finally {
      shared.unlock();
    }
  }

  /**
   * Stores a cluster compressed, if that makes it smaller; for images that are written once.
   *
   * @param offset start of a cluster
   * @param source the cluster, or the end of the disk
   */
  public void writeCompressed(long offset, ByteBuffer source) throws BlockException {
    checkRange(offset, source.remaining());
    begin();
    byte[] cluster = new byte[header.clusterSize()];
    if (offset % cluster.length != 0 || source.remaining() != Math.min(cluster.length, size() - offset)) {
      throw file.failure("compressed writes are whole clusters");
    }
    if (header.externalData() || header.crypt != 0) {
      throw file.failure("an image that is encrypted or has an external data file holds no compressed clusters");
    }
    int start = source.position();
    source.get(cluster, 0, source.remaining());
    Optional<byte[]> small = Compression.shrink(header.compression, cluster);
    if (small.isPresent()) {
      written(offset, source.position() - start);
      exclusively(() -> writer.writeCompressed(offset, small.get()));
    } else {
      source.position(start);
      write(offset, source);
    }
  }

  /** Header and keys of an image that is encrypted with LUKS. */
  public Optional<LuksVolume> luks() {
    return encryption.luks();
  }

  /** Whether it is encrypted, one way or the other. */
  public boolean encrypted() {
    return header.crypt != 0;
  }

  public int clusterSize() {
    return header.clusterSize();
  }

  /**
   * What the header says.
   *
   * @param refcountBits width of a reference count
   * @param dirty whether it was not closed properly
   * @param dataFile external data file, or empty
   */
  public record Info(
      int version, boolean zstd, boolean lazyRefcounts, int refcountBits, String dataFile, boolean rawData,
      boolean corrupt, boolean dirty, boolean extendedL2, String backingFile, String backingFormat) {}

  public Info info() {
    return new Info(header.version, header.compression == Compression.ZSTD, header.lazyRefcounts(),
        1 << header.refcountOrder, header.externalData() ? header.dataFile : "", header.rawData(),
        (header.incompatible & Features.CORRUPT) != 0, (header.incompatible & Features.DIRTY) != 0,
        header.extendedL2(), header.backingFile, header.backingFormat);
  }

  /** Names another backing file in the header, or none; this node goes on with the one that it has. */
  public void renameBacking(String name, String format) throws BlockException {
    begin();
    exclusively(
        () -> {
          meta.commit();
          header.backingFile = name;
          header.backingFormat = name.isEmpty() ? "" : format;
          header.writeAll(file);
          file.flush();
        });
  }

  /** Changes the version or the feature bits; this fails before it has changed anything, or does it all. */
  public void amend(Amendment amendment) throws BlockException {
    begin();
    exclusively(
        () -> {
          amendment.check(meta);
          amendment.apply(meta, reader, writer);
        });
  }

  /** Forgets all that this image has of its own; it reads as its backing file then. */
  public void makeEmpty() throws BlockException {
    begin();
    exclusively(
        () -> {
          writer.drop(0, header.size);
          meta.commit();
        });
  }

  /** Bitmaps inside the image; those of an image that is only read cannot be changed. */
  public Bitmaps bitmaps() throws BlockException {
    return bitmaps.isPresent() ? bitmaps.get() : new Bitmaps(meta, exclusive);
  }

  /** Snapshots inside the image. */
  public Snapshots snapshots() throws BlockException {
    return new Snapshots(meta, reader, exclusive, bytes -> {
      begin();
      if (bytes != size()) {
        changeSize(bytes);
      }
      written(0, size());
    });
  }

  /**
   * The image as it was when a snapshot was taken. It must have been opened read-only; the new node has its files, so
   * that this one is not to be used any more.
   */
  public Qcow2Node asOf(Snapshots.Snapshot snapshot) throws BlockException {
    if (!readOnly()) {
      throw file.failure("Device is not readonly");
    }
    Header then = Header.read(file);
    if (then.l1EntriesFor(snapshot.diskSize()) > snapshot.l1Entries()) {
      throw file.corrupt("the L1 table of snapshot '" + snapshot.name() + "' has " + snapshot.l1Entries()
          + " entries for " + snapshot.diskSize() + " bytes");
    }
    then.size = snapshot.diskSize();
    then.l1Offset = snapshot.l1Offset();
    then.l1Entries = snapshot.l1Entries();
    return new Qcow2Node(file, then, backing, encryption, tuning);
  }

  @Override
  public void resize(long bytes) throws BlockException {
    checkWritable();
    begin();
    if (bytes % 512 != 0) {
      throw file.failure("The new size must be a multiple of 512");
    }
    changeSize(bytes);
  }

  private void changeSize(long bytes) throws BlockException {
    exclusively(
        () -> {
          meta.begin();
          long old = header.size;
          if (header.snapshotCount > 0 && header.version < 3) {
            throw file.failure("Can't resize a v2 image which has snapshots");
          }
          long entries = header.l1EntriesFor(bytes);
          if (entries * Long.BYTES > Header.MAX_L1_BYTES) {
            throw file.failure("Image size too large for a cluster size of " + header.clusterSize() + " bytes");
          }
          if (bytes < old) {
            long first = Math.ceilDiv(bytes, (long) header.clusterSize()) << header.clusterBits;
            writer.drop(first, Math.max(0, old - first));
            zeroPart(bytes, Math.min(first, old));
            meta.commit();
            file.flush();
          } else if (entries > header.l1Entries) {
            growL1((int) entries);
          }
          header.size = bytes;
          header.writeSizeAndL1(file);
          bitmaps.orElseThrow().resized(old);
          if (header.externalData() && data.size() != bytes) {
            data.resize(bytes);
          }
          if (bytes > old && reader.backed(old)) {
            long unit = header.clusterSize();
            long first = Math.min(bytes, Math.ceilDiv(old, unit) * unit);
            zeroPart(old, first);
            writer.zeroUnits(first, bytes - first, true);
          }
        });
  }

  private void growL1(int entries) throws BlockException {
    meta.commit();
    long[] grown = Arrays.copyOf(meta.clusters.l1(), entries);
    int count = (int) Math.ceilDiv((long) entries * Long.BYTES, (long) header.clusterSize());
    file.event(DebugEvent.L1_GROW_ALLOC_TABLE);
    long place = meta.refcounts.allocate(count);
    file.event(DebugEvent.L1_GROW_WRITE_TABLE);
    file.writeLongs(place, grown);
    meta.commit();
    meta.refcounts.write();
    file.flush();
    if (header.l1Entries > 0) {
      meta.refcounts.free(header.l1Offset, (long) header.l1Entries * Long.BYTES);
    }
    header.l1Offset = place;
    header.l1Entries = entries;
    file.event(DebugEvent.L1_GROW_ACTIVATE_TABLE);
    header.writeL1(file);
    meta.clusters.replaceL1(grown);
    file.flush();
  }

  /** Gives every cluster from {@code first} on a place, so that writes change no tables; new places read as zero. */
  public void preallocate(long first) throws BlockException {
    begin();
    exclusively(() -> writer.preallocate(first));
  }

  @Override
  public void close() throws BlockException {
    if (closed) {
      return;
    }
    closed = true;
    BlockException failure = null;
    try {
      if (!readOnly()) {
        exclusively(
            () -> {
              bitmaps.orElseThrow().finish();
              meta.finish();
            });
      }
    } catch (BlockException e) {
      failure = e;
    }
    for (BlockNode node : new BlockNode[] {data, file.node(), backing.orElse(data)}) {
      try {
        node.close();
      } catch (BlockException e) {
        failure = failure == null ? e : failure;
      }
    }
    if (failure != null) {
      throw failure;
    }
  }
}
