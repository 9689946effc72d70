package org.ascus.devices.block.filter;

import java.nio.ByteBuffer;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.BlockNode;

/** {@code throttle}: requests that carry or change data wait until the group's limits let them. */
public final class ThrottleNode extends FilterNode {
  private final ThrottleGroup group;

  ThrottleNode(BlockNode node, ThrottleGroup group) {
    super(node);
    this.group = group;
  }

  @Override
  public void read(long offset, ByteBuffer target) throws BlockException {
    group.admit(false, target.remaining());
    super.read(offset, target);
  }

  @Override
  public void write(long offset, ByteBuffer source) throws BlockException {
    group.admit(true, source.remaining());
    super.write(offset, source);
  }

  @Override
  public void discard(long offset, long length) throws BlockException {
    group.admit(true, length);
    super.discard(offset, length);
  }

  @Override
  public void writeZeroes(long offset, long length, boolean mayUnmap) throws BlockException {
    group.admit(true, length);
    super.writeZeroes(offset, length, mayUnmap);
  }
}
