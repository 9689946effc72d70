package org.ascus.devices.block.filter;

import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.BlockNode;
import org.ascus.devices.block.format.ImageOptions;

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

  /** {@code blkdebug}: see {@link BlkdebugNode}. */
  record Blkdebug(BlkdebugRules rules) implements Filter {
    @Override
    public BlockNode over(BlockNode node) {
      return new BlkdebugNode(node, rules);
    }
  }

  /**
   * {@code blkverify}: see {@link BlkverifyNode}.
   *
   * @param raw the image that the one below is compared with
   */
  record Blkverify(ImageOptions raw) implements Filter {
    @Override
    public BlockNode over(BlockNode node) throws BlockException {
      BlockNode other = raw.open();
      if (other.size() != node.size()) {
        BlockException sizes = new BlockException("'" + node.name() + "' has " + node.size() + " bytes, '"
            + other.name() + "' has " + other.size());
        other.close();
        throw sizes;
      }
      return new BlkverifyNode(node, other);
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
