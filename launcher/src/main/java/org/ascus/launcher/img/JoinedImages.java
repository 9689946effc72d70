package org.ascus.launcher.img;

import java.nio.ByteBuffer;
import java.util.List;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.BlockNode;
import org.ascus.devices.block.Extent;
import org.ascus.devices.block.ReadOnlyNode;

/** Images one behind the other, to be read as one. */
final class JoinedImages extends ReadOnlyNode {
  private final List<BlockNode> parts;

  /** @param parts closed with this */
  JoinedImages(List<BlockNode> parts) {
    this.parts = List.copyOf(parts);
  }

  @Override
  public String name() {
    return parts.getFirst().name();
  }

  @Override
  public long size() {
    return parts.stream().mapToLong(BlockNode::size).sum();
  }

  @Override
  public void read(long offset, ByteBuffer target) throws BlockException {
    checkRange(offset, target.remaining());
    int end = target.limit();
    long start = 0;
    long at = offset;
    for (BlockNode part : parts) {
      if (target.position() < end && at < start + part.size()) {
        int length = (int) Math.min(end - target.position(), start + part.size() - at);
        target.limit(target.position() + length);
        part.read(at - start, target);
        target.limit(end);
        at += length;
      }
      start += part.size();
    }
  }

  @Override
  public Extent extent(long offset, long length) throws BlockException {
    checkRange(offset, length);
    long start = 0;
    for (BlockNode part : parts) {
      if (offset < start + part.size()) {
        return part.extent(offset - start, Math.min(length, start + part.size() - offset));
      }
      start += part.size();
    }
    throw new IllegalArgumentException("nothing at " + offset);
  }

  @Override
  public void close() throws BlockException {
    closeAll(parts);
  }

  /** Closes them all, whatever happens. */
  static void closeAll(List<BlockNode> nodes) throws BlockException {
    BlockException failure = null;
    for (BlockNode node : nodes) {
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
