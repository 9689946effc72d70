package org.ascus.devices.block.filter;

import java.nio.ByteBuffer;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.BlockNode;

/** {@code cache=writethrough} and {@code cache=directsync}: no write is done before it is on stable storage. */
public final class WriteThrough extends FilterNode {
  /** @param node what is written; closed with this node */
  public WriteThrough(BlockNode node) {
    super(node);
  }

  @Override
  public boolean writeThrough() {
    return true;
  }

  @Override
  public void write(long offset, ByteBuffer source) throws BlockException {
    super.write(offset, source);
    flush();
  }

  @Override
  public void read(long offset, ByteBuffer[] targets) throws BlockException {
    below().read(offset, targets);
  }

  @Override
  public void write(long offset, ByteBuffer[] sources) throws BlockException {
    below().write(offset, sources);
    flush();
  }

  @Override
  public void discard(long offset, long length) throws BlockException {
    super.discard(offset, length);
    flush();
  }

  @Override
  public void writeZeroes(long offset, long length, boolean mayUnmap) throws BlockException {
    super.writeZeroes(offset, length, mayUnmap);
    flush();
  }

  @Override
  public void resize(long bytes) throws BlockException {
    super.resize(bytes);
    flush();
  }
}
