package org.ascus.devices.block.format;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.BlockNode;
import org.ascus.devices.block.protocol.FileProtocol;

/**
 * {@code snapshot=on}: reads come from the base until they were written; writes go to a temporary sparse file, cluster
 * by cluster, and are gone when the node is closed. The base is never written.
 *
 * <p>A cluster is {@value #CLUSTER} bytes. Reads, and writes to clusters that have a place, go on side by side; what
 * changes a place has the overlay to itself.
 */
public final class SnapshotOverlay implements BlockNode {
  /** Bytes per cluster. */
  public static final int CLUSTER = 64 * 1024;

  private static final int IN_BASE = -1;
  private static final int ZERO = -2;
  private static final int SEVERAL = -3;

  private final BlockNode base;
  private final long size;
  private final BlockNode file;
  private final int[] places;
  private final ByteBuffer copy = ByteBuffer.allocate(CLUSTER);
  private final ReadWriteLock lock = new ReentrantReadWriteLock();
  private int nextPlace;
  private int[] free = new int[16];
  private int freeCount;
  private boolean closed;

  /** @param base what is under it; closed with this node */
  public SnapshotOverlay(BlockNode base) throws BlockException {
    this.base = base;
    this.size = base.size();
    long clusters = (size + CLUSTER - 1) / CLUSTER;
    if (clusters > Integer.MAX_VALUE - 8) {
      throw new BlockException("'" + base.name() + "' is too big for snapshot=on");
    }
    this.places = new int[(int) clusters];
    Arrays.fill(places, IN_BASE);
    this.file = FileProtocol.temporary(clusters * CLUSTER);
  }

  /** What is under the temporary changes. */
  public BlockNode base() {
    return base;
  }

  @Override
  public String name() {
    return base.name();
  }

  @Override
  public String format() {
    return base.format();
  }

  @Override
  public long size() {
    return size;
  }

  @Override
  public boolean readOnly() {
    return false;
  }

  private interface Body {
    void run() throws BlockException;
  }

  private static void locked(Lock lock, Body body) throws BlockException {
    lock.lock();
    try {
      body.run();
    } finally {
      lock.unlock();
    }
  }

  /** Where [offset, offset + length) lies if it is in one piece, as in {@link #places}; else {@link #SEVERAL}. */
  private int onePlace(long offset, long length) {
    int first = (int) (offset / CLUSTER);
    boolean one = length > 0 && offset % CLUSTER + length <= run(first, (int) Math.min(length + CLUSTER, 1 << 30));
    return one ? places[first] : SEVERAL;
  }

  private static long placed(int place, long offset) {
    return (long) place * CLUSTER + offset % CLUSTER;
  }

  @Override
  public void read(long offset, ByteBuffer[] targets) throws BlockException {
    long length = BlockNode.remaining(targets);
    checkRange(offset, length);
    lock.readLock().lock();
    try {
      int place = onePlace(offset, length);
      if (place == IN_BASE) {
        base.read(offset, targets);
        return;
      }
      if (place >= 0) {
        file.read(placed(place, offset), targets);
        return;
      }
    } finally {
      lock.readLock().unlock();
    }
    BlockNode.super.read(offset, targets);
  }

  @Override
  public void write(long offset, ByteBuffer[] sources) throws BlockException {
    long length = BlockNode.remaining(sources);
    checkRange(offset, length);
    lock.readLock().lock();
    try {
      int place = onePlace(offset, length);
      if (place >= 0) {
        file.write(placed(place, offset), sources);
        return;
      }
    } finally {
      lock.readLock().unlock();
    }
    BlockNode.super.write(offset, sources);
  }

  @Override
  public void read(long offset, ByteBuffer target) throws BlockException {
    checkRange(offset, target.remaining());
    locked(lock.readLock(), () -> readPieces(offset, target));
  }

  private void readPieces(long offset, ByteBuffer target) throws BlockException {
    int end = target.limit();
    long at = offset;
    while (target.position() < end) {
      int place = places[(int) (at / CLUSTER)];
      int inside = (int) (at % CLUSTER);
      int run = run((int) (at / CLUSTER), end - target.position() + inside) - inside;
      int count = Math.min(run, end - target.position());
      target.limit(target.position() + count);
      switch (place) {
        case IN_BASE -> base.read(at, target);
        case ZERO -> target.put(new byte[count]);
        default -> file.read((long) place * CLUSTER + inside, target);
      }
      target.limit(end);
      at += count;
    }
  }

  /** Bytes from the start of {@code cluster} on, about {@code wanted}, that lie one after another in the same place. */
  private int run(int cluster, int wanted) {
    int first = places[cluster];
    int count = 1;
    while ((long) count * CLUSTER < wanted && cluster + count < places.length) {
      int place = places[cluster + count];
      if (place != (first >= 0 ? first + count : first)) {
        break;
      }
      count++;
    }
    return (int) Math.min((long) count * CLUSTER, Integer.MAX_VALUE);
  }

  @Override
  public void write(long offset, ByteBuffer source) throws BlockException {
    checkRange(offset, source.remaining());
    lock.readLock().lock();
    try {
      int place = onePlace(offset, source.remaining());
      if (place >= 0) {
        file.write(placed(place, offset), source);
        return;
      }
    } finally {
      lock.readLock().unlock();
    }
    locked(lock.writeLock(), () -> writePieces(offset, source));
  }

  private void writePieces(long offset, ByteBuffer source) throws BlockException {
    int end = source.limit();
    long at = offset;
    while (source.position() < end) {
      int cluster = (int) (at / CLUSTER);
      int inside = (int) (at % CLUSTER);
      int count = Math.min(CLUSTER - inside, end - source.position());
      int place = places[cluster];
      if (place < 0) {
        place = allocate();
        if (count < bytesIn(cluster)) {
          fill(cluster, place);
        }
      }
      source.limit(source.position() + count);
      file.write((long) place * CLUSTER + inside, source);
      source.limit(end);
      places[cluster] = place;
      at += count;
    }
  }

  private int bytesIn(int cluster) {
    return (int) Math.min(CLUSTER, size - (long) cluster * CLUSTER);
  }

  private int allocate() {
    return freeCount > 0 ? free[--freeCount] : nextPlace++;
  }

  private void release(int place) {
    if (freeCount == free.length) {
      free = Arrays.copyOf(free, 2 * freeCount);
    }
    free[freeCount++] = place;
  }

  private void fill(int cluster, int place) throws BlockException {
    copy.clear().limit(bytesIn(cluster));
    if (places[cluster] == IN_BASE) {
      base.read((long) cluster * CLUSTER, copy);
    } else {
      copy.put(new byte[copy.remaining()]);
    }
    file.write((long) place * CLUSTER, copy.flip());
  }

  /** Nothing to make durable: all of it is to be forgotten. */
  @Override
  public void flush() {}

  @Override
  public void discard(long offset, long length) throws BlockException {
    checkRange(offset, length);
    locked(lock.writeLock(), () -> zeroClusters(offset, length));
  }

  @Override
  public void writeZeroes(long offset, long length, boolean mayUnmap) throws BlockException {
    checkRange(offset, length);
    long first = Math.min((offset + CLUSTER - 1) / CLUSTER * CLUSTER, offset + length);
    long last = Math.max(first, (offset + length) == size ? size : (offset + length) / CLUSTER * CLUSTER);
    locked(
        lock.writeLock(),
        () -> {
          writePieces(offset, ByteBuffer.allocate((int) (first - offset)));
          zeroClusters(first, last - first);
          writePieces(last, ByteBuffer.allocate((int) (offset + length - last)));
        });
  }

  /**
   * Writes what is in the temporary file to {@code target}, a writable node of the same bytes as the base, and forgets
   * it here. Requests wait meanwhile.
   */
  public void commit(BlockNode target) throws BlockException {
    locked(lock.writeLock(), () -> commitPieces(target));
  }

  private void commitPieces(BlockNode target) throws BlockException {
    for (int c = 0; c < places.length; c++) {
      long offset = (long) c * CLUSTER;
      if (places[c] == ZERO) {
        target.writeZeroes(offset, bytesIn(c), true);
      } else if (places[c] != IN_BASE) {
        copy.clear().limit(bytesIn(c));
        file.read((long) places[c] * CLUSTER, copy);
        target.write(offset, copy.flip());
      }
    }
    target.flush();
    for (int c = 0; c < places.length; c++) {
      if (places[c] >= 0) {
        release(places[c]);
      }
      places[c] = IN_BASE;
    }
  }

  /** Makes the clusters that lie wholly inside the range zero and gives their place back. */
  private void zeroClusters(long offset, long length) {
    for (long c = (offset + CLUSTER - 1) / CLUSTER; c < places.length; c++) {
      if (Math.min((c + 1) * CLUSTER, size) > offset + length) {
        break;
      }
      int place = places[(int) c];
      if (place >= 0) {
        release(place);
      }
      places[(int) c] = ZERO;
    }
  }

  @Override
  public void close() throws BlockException {
    locked(
        lock.writeLock(),
        () -> {
          if (!closed) {
            closed = true;
            try {
              file.close();
            } finally {
              base.close();
            }
          }
        });
  }
}
