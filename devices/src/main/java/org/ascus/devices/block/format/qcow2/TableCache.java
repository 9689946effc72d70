package org.ascus.devices.block.format.qcow2;

import java.nio.ByteBuffer;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.DebugEvent;

/**
 * Pieces of on-disk tables, by their place in the file. Changed pieces stay until {@link #writeDirty}; of the others
 * the least recently used go when there are too many. Its methods may be called by any thread; whoever changes a piece
 * keeps readers away.
 */
final class TableCache {
  /** Bytes of a piece, unless something else is asked for. */
  static final int PIECE_BYTES = 4096;

  private static final int LEAST_PIECES = 64;

  /** A piece of a table. */
  static final class Slice {
    final ByteBuffer bytes;
    private final long offset;

    private Slice(long offset, ByteBuffer bytes) {
      this.offset = offset;
      this.bytes = bytes;
    }
  }

  private final ImageFile file;
  private final DebugEvent load;
  private final DebugEvent update;
  private final int sliceSize;
  private final int limit;
  private final Map<Long, Slice> slices = new LinkedHashMap<>(64, 0.75f, true);
  private final TreeMap<Long, Slice> dirty = new TreeMap<>();

  /**
   * @param sliceSize bytes of a piece, a power of two, at most those of a cluster
   * @param capacity bytes to keep
   * @param load what it is to read a piece
   * @param update what it is to write one
   */
  TableCache(ImageFile file, int sliceSize, long capacity, DebugEvent load, DebugEvent update) {
    this.file = file;
    this.load = load;
    this.update = update;
    this.sliceSize = sliceSize;
    this.limit = Math.clamp(capacity / sliceSize, LEAST_PIECES, Integer.MAX_VALUE);
  }

  int sliceSize() {
    return sliceSize;
  }

  /** The piece at {@code offset}, a multiple of the piece size. */
  synchronized Slice get(long offset) throws BlockException {
    Slice slice = slices.get(offset);
    if (slice == null) {
      file.event(load);
      slice = new Slice(offset, ByteBuffer.wrap(file.read(offset, sliceSize)));
      trim();
      slices.put(offset, slice);
    }
    return slice;
  }

  private void trim() {
    Iterator<Slice> oldest = slices.values().iterator();
    while (slices.size() >= limit && oldest.hasNext()) {
      if (!dirty.containsKey(oldest.next().offset)) {
        oldest.remove();
      }
    }
  }

  synchronized void changed(Slice slice) {
    dirty.put(slice.offset, slice);
  }

  synchronized boolean isDirty() {
    return !dirty.isEmpty();
  }

  /** Whether so much has changed that it should be written. */
  synchronized boolean isFull() {
    return dirty.size() > limit / 2;
  }

  /** Forgets the pieces of a table that is no more, changed or not. */
  synchronized void forget(long offset, long bytes) {
    for (long at = offset; at < offset + bytes; at += sliceSize) {
      slices.remove(at);
      dirty.remove(at);
    }
  }

  synchronized void forgetAll() {
    slices.clear();
    dirty.clear();
  }

  synchronized void writeDirty() throws BlockException {
    while (!dirty.isEmpty()) {
      Slice slice = dirty.firstEntry().getValue();
      file.event(update);
      file.write(slice.offset, slice.bytes.duplicate().clear());
      dirty.remove(slice.offset);
    }
  }
}
