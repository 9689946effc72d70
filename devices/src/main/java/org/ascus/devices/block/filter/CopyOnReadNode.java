package org.ascus.devices.block.filter;

import java.nio.ByteBuffer;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.BlockNode;
import org.ascus.devices.block.Extent;

/**
 * {@code copy-on-read}: what a read finds in a backing file is written to the image, too, so that it is found there the
 * next time. A copy keeps writes away, which else could be overwritten by what was read before them.
 */
public final class CopyOnReadNode extends FilterNode {
  /** What is copied at once begins and ends at multiples of this. */
  private static final int UNIT = 64 * 1024;

  private final Lock writing;
  private final Lock copying;

  CopyOnReadNode(BlockNode node) {
    super(node);
    ReentrantReadWriteLock lock = new ReentrantReadWriteLock();
    this.writing = lock.readLock();
    this.copying = lock.writeLock();
  }

  @Override
  public void read(long offset, ByteBuffer target) throws BlockException {
    checkRange(offset, target.remaining());
    long end = offset + target.remaining();
    for (long at = offset; at < end; ) {
      Extent extent = super.extent(at, end - at);
      if (extent.depth() > 0) {
        long from = at - at % UNIT;
        long to = Math.min(size(), Math.ceilDiv(Math.min(end, at + extent.length()), UNIT) * (long) UNIT);
        copy(from, to);
        at = to;
      } else {
        at += extent.length();
      }
    }
    super.read(offset, target);
  }

  private void copy(long from, long to) throws BlockException {
    copying.lock();
    try {
      ByteBuffer buffer = ByteBuffer.allocate((int) Math.min(to - from, 16L * UNIT));
      for (long at = from; at < to; ) {
        Extent extent = super.extent(at, to - at);
        long length = Math.min(extent.length(), buffer.capacity());
        if (extent.depth() > 0 && extent.zero()) {
          super.writeZeroes(at, length, false);
        } else if (extent.depth() > 0) {
          super.read(at, buffer.clear().limit((int) length));
          super.write(at, buffer.flip());
        }
        at += length;
      }
    } finally {
      copying.unlock();
    }
  }

  private interface Body {
    void run() throws BlockException;
  }

  private void whileNothingIsCopied(Body body) throws BlockException {
    writing.lock();
    try {
      body.run();
    } finally {
      writing.unlock();
    }
  }

  @Override
  public void write(long offset, ByteBuffer source) throws BlockException {
    whileNothingIsCopied(() -> super.write(offset, source));
  }

  @Override
  public void discard(long offset, long length) throws BlockException {
    whileNothingIsCopied(() -> super.discard(offset, length));
  }

  @Override
  public void writeZeroes(long offset, long length, boolean mayUnmap) throws BlockException {
    whileNothingIsCopied(() -> super.writeZeroes(offset, length, mayUnmap));
  }

  @Override
  public void resize(long bytes) throws BlockException {
    whileNothingIsCopied(() -> super.resize(bytes));
  }
}
