package org.ascus.devices.block.crypto;

import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.BlockNode;
import org.ascus.devices.block.Extent;

/**
 * Encrypts what goes to the node below, from an offset on, sector by sector; sectors are counted from there. It is as
 * large as the node below. Without a key it can be looked at, but neither read nor written.
 */
public final class CryptNode implements BlockNode {
  /** Bytes that are worked on at once. */
  private static final int PIECE = 64 * 1024;

  private static final int SECTOR = SectorCipher.SECTOR;

  private final BlockNode below;
  private final long start;
  private final Optional<SectorCiphers> ciphers;
  private final Lock aligned;
  private final Lock unaligned;

  /** @param below what holds the encrypted bytes, closed with this node */
  public CryptNode(BlockNode below, long start, Optional<SectorCiphers> ciphers) {
    this.below = below;
    this.start = start;
    this.ciphers = ciphers;
    ReentrantReadWriteLock lock = new ReentrantReadWriteLock();
    this.aligned = lock.readLock();
    this.unaligned = lock.writeLock();
  }

  private SectorCiphers ciphers() throws BlockException {
    return ciphers.orElseThrow(() -> new BlockException("'" + name() + "' is encrypted and its key was not given"));
  }

  @Override
  public String name() {
    return below.name();
  }

  @Override
  public long size() {
    return Math.max(0, below.size() - start);
  }

  @Override
  public boolean readOnly() {
    return below.readOnly();
  }

  @Override
  public void checkRange(long offset, long length) throws BlockException {
    if (offset < 0 || offset > Long.MAX_VALUE - start) {
      BlockNode.super.checkRange(offset, length);
    }
    below.checkRange(start + offset, length);
  }

  @Override
  public void read(long offset, ByteBuffer target) throws BlockException {
    checkRange(offset, target.remaining());
    if (!target.hasRemaining()) {
      return;
    }
    byte[] piece = new byte[(int) Math.min(PIECE, target.remaining() + 2L * SECTOR)];
    long at = offset;
    while (target.hasRemaining()) {
      int inside = (int) (at % SECTOR);
      int count = Math.min(target.remaining(), piece.length / SECTOR * SECTOR - inside);
      readSectors(at - inside, piece, (inside + count + SECTOR - 1) / SECTOR * SECTOR);
      target.put(piece, inside, count);
      at += count;
    }
  }

  private void readSectors(long at, byte[] piece, int length) throws BlockException {
    SectorCiphers cipher = ciphers();
    below.read(start + at, ByteBuffer.wrap(piece, 0, length));
    cipher.decrypt(at / SECTOR, piece, 0, length);
  }

  @Override
  public void write(long offset, ByteBuffer source) throws BlockException {
    checkWritable();
    checkRange(offset, source.remaining());
    if (!source.hasRemaining()) {
      return;
    }
    boolean whole = offset % SECTOR == 0 && source.remaining() % SECTOR == 0;
    Lock lock = whole ? aligned : unaligned;
    byte[] piece = new byte[(int) Math.min(PIECE, source.remaining() + 2L * SECTOR)];
    lock.lock();
    try {
      long at = offset;
      while (source.hasRemaining()) {
        int inside = (int) (at % SECTOR);
        int count = Math.min(source.remaining(), piece.length / SECTOR * SECTOR - inside);
        int length = (inside + count + SECTOR - 1) / SECTOR * SECTOR;
        if (inside + count < length || inside > 0) {
          readSectors(at - inside, piece, length);
        }
        source.get(piece, inside, count);
        ciphers().encrypt((at - inside) / SECTOR, piece, 0, length);
        below.write(start + at - inside, ByteBuffer.wrap(piece, 0, length));
        at += count;
      }
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void flush() throws BlockException {
    below.flush();
  }

  /** Changes nothing: what the storage would have there afterwards would decrypt to noise. */
  @Override
  public void discard(long offset, long length) throws BlockException {
    checkWritable();
    checkRange(offset, length);
  }

  @Override
  public void writeZeroes(long offset, long length, boolean mayUnmap) throws BlockException {
    checkWritable();
    checkRange(offset, length);
    ByteBuffer zeroes = ByteBuffer.allocate((int) Math.min(length, PIECE));
    for (long at = offset; at < offset + length; at += zeroes.limit()) {
      zeroes.clear().limit((int) Math.min(zeroes.capacity(), offset + length - at));
      write(at, zeroes);
    }
  }

  @Override
  public Extent extent(long offset, long length) throws BlockException {
    checkRange(offset, length);
    return new Extent(length, 0, true, false, true, false, OptionalLong.empty());
  }

  /** New bytes are zero below, so they read as noise. */
  @Override
  public void resize(long bytes) throws BlockException {
    below.resize(start + bytes);
  }

  @Override
  public void close() throws BlockException {
    below.close();
  }
}
