package org.ascus.devices.block.filter;

import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.BlockNode;

/** Puts a filter over a node. */
public interface Filter {
  /** @param node closed by the new one */
  BlockNode over(BlockNode node) throws BlockException;

  /** {@code copy-on-read}: see {@link CopyOnReadNode}. */
  record CopyOnRead() implements Filter {
    @Override
    public BlockNode over(BlockNode node) {
      return node.readOnly() ? node : new CopyOnReadNode(node);
    }
  }

  /** {@code throttle}: see {@link ThrottleNode}. */
  record Throttle(ThrottleGroup group) implements Filter {
    @Override
    public BlockNode over(BlockNode node) {
      return new ThrottleNode(node, group);
    }
  }

  /** {@code compress}: see {@link CompressNode}. */
  record Compress() implements Filter {
    @Override
    public BlockNode over(BlockNode node) throws BlockException {
      return CompressNode.over(node);
    }
  }
}
