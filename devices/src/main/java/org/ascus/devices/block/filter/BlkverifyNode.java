package org.ascus.devices.block.filter;

import java.nio.ByteBuffer;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.BlockNode;

/**
 * {@code blkverify}: writes go to the node and to a raw one, reads come from both and fail if they differ. One request
 * at a time, so that both see them in the same order.
 */
public final class BlkverifyNode extends FilterNode {
  private final BlockNode raw;

  /** @param raw what is right; closed with this node */
  BlkverifyNode(BlockNode test, BlockNode raw) {
    super(test);
    this.raw = raw;
  }

  @Override
  public synchronized void read(long offset, ByteBuffer target) throws BlockException {
    checkRange(offset, target.remaining());
    ByteBuffer expected = ByteBuffer.allocate(target.remaining());
    ByteBuffer got = ByteBuffer.allocate(target.remaining());
    below().read(offset, got);
    raw.read(offset, expected);
    int differs = got.flip().mismatch(expected.flip());
    if (differs >= 0) {
      throw new BlockException("blkverify: " + name() + ": read offset " + offset + " bytes " + got.limit()
          + ": contents mismatch at offset " + (offset + differs));
    }
    target.put(got);
  }

  @Override
  public synchronized void write(long offset, ByteBuffer source) throws BlockException {
    checkWritable();
    checkRange(offset, source.remaining());
    // Guest memory may change in between.
    ByteBuffer copy = ByteBuffer.allocate(source.remaining()).put(source).flip();
    raw.write(offset, copy.duplicate());
    below().write(offset, copy);
  }

  @Override
  public synchronized void flush() throws BlockException {
    below().flush();
  }

  /** Nothing: nobody knows what the two would read as. */
  @Override
  public void discard(long offset, long length) throws BlockException {
    checkWritable();
    checkRange(offset, length);
  }

  @Override
  public synchronized void writeZeroes(long offset, long length, boolean mayUnmap) throws BlockException {
    below().writeZeroes(offset, length, mayUnmap);
    raw.writeZeroes(offset, length, mayUnmap);
  }

  @Override
  public synchronized void resize(long bytes) throws BlockException {
    throw new BlockException("'" + name() + "' cannot be resized");
  }

  @Override
  public void close() throws BlockException {
    try {
      below().close();
    } finally {
      raw.close();
    }
  }
}
