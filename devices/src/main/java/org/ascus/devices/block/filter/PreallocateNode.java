package org.ascus.devices.block.filter;

import java.nio.ByteBuffer;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.BlockNode;

/**
 * {@code preallocate}: a file under an image that grows gets its blocks far ahead of what is written, so that not every
 * write makes it longer. What nobody wrote is cut off when the node is closed; a process that is killed leaves it.
 */
public final class PreallocateNode extends FilterNode {
  private final Filter.Preallocate options;
  private long dataEnd;
  private long fileEnd;
  private boolean closed;

  PreallocateNode(BlockNode node, Filter.Preallocate options) {
    super(node);
    this.options = options;
    this.dataEnd = node.size();
    this.fileEnd = dataEnd;
  }

  /** Without what was allocated ahead. */
  @Override
  public synchronized long size() {
    return dataEnd;
  }

  /** Before bytes are written up to {@code end}. */
  private synchronized void grow(long end) throws BlockException {
    if (end <= dataEnd) {
      return;
    }
    dataEnd = end;
    if (end > fileEnd) {
      long to = Math.ceilDiv(end + options.size(), options.align()) * options.align();
      fileEnd = below().allocate(fileEnd, to - fileEnd) ? to : end;
    }
  }

  @Override
  public void write(long offset, ByteBuffer source) throws BlockException {
    checkRange(offset, source.remaining());
    grow(offset + source.remaining());
    super.write(offset, source);
  }

  @Override
  public void write(long offset, ByteBuffer[] sources) throws BlockException {
    long length = BlockNode.remaining(sources);
    checkRange(offset, length);
    grow(offset + length);
    below().write(offset, sources);
  }

  @Override
  public void read(long offset, ByteBuffer[] targets) throws BlockException {
    below().read(offset, targets);
  }

  @Override
  public void writeZeroes(long offset, long length, boolean mayUnmap) throws BlockException {
    checkRange(offset, length);
    grow(offset + length);
    super.writeZeroes(offset, length, mayUnmap);
  }

  @Override
  public boolean allocate(long offset, long length) throws BlockException {
    checkRange(offset, length);
    grow(offset + length);
    return super.allocate(offset, length);
  }

  @Override
  public synchronized void resize(long bytes) throws BlockException {
    super.resize(bytes);
    dataEnd = bytes;
    fileEnd = bytes;
  }

  @Override
  public synchronized void close() throws BlockException {
    if (closed) {
      return;
    }
    closed = true;
    try {
      if (fileEnd > dataEnd) {
        super.resize(dataEnd);
      }
    } finally {
      super.close();
    }
  }
}
