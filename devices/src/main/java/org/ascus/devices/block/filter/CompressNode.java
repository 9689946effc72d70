package org.ascus.devices.block.filter;

import java.nio.ByteBuffer;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.BlockNode;
import org.ascus.devices.block.format.qcow2.Qcow2Node;

/**
 * {@code compress}: every write is stored compressed, a cluster at a time; what of a cluster is not written is read
 * first. One write at a time.
 */
public final class CompressNode extends FilterNode {
  private final Qcow2Node image;

  private CompressNode(Qcow2Node image) {
    super(image);
    this.image = image;
  }

  /** @throws BlockException if {@code node}'s format stores nothing compressed */
  static CompressNode over(BlockNode node) throws BlockException {
    if (node instanceof Qcow2Node image && !image.encrypted() && image.info().dataFile().isEmpty()) {
      return new CompressNode(image);
    }
    throw new BlockException("Compression is not supported for '" + node.name() + "'");
  }

  @Override
  public synchronized void write(long offset, ByteBuffer source) throws BlockException {
    checkWritable();
    checkRange(offset, source.remaining());
    int size = image.clusterSize();
    long at = offset;
    while (source.hasRemaining()) {
      long start = at - at % size;
      int length = (int) Math.min(size, size() - start);
      int inside = (int) (at - start);
      int count = Math.min(source.remaining(), length - inside);
      ByteBuffer cluster = ByteBuffer.allocate(length);
      if (count < length) {
        image.read(start, cluster);
      }
      cluster.put(inside, source, source.position(), count);
      image.writeCompressed(start, cluster.clear());
      source.position(source.position() + count);
      at += count;
    }
  }

  @Override
  public synchronized void writeZeroes(long offset, long length, boolean mayUnmap) throws BlockException {
    super.writeZeroes(offset, length, mayUnmap);
  }

  @Override
  public synchronized void discard(long offset, long length) throws BlockException {
    super.discard(offset, length);
  }
}
