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

  /** {@code preallocate}: see {@link PreallocateNode}. */
  record Preallocate(long align, long size) implements Filter {
    private static final int UNIT = 512;

    /**
     * @param align bytes of which the end of what is allocated is a multiple, 512 times a power of two
     * @param size bytes that are allocated ahead
     */
    public Preallocate {
      if (align < UNIT || Long.bitCount(align) != 1) {
        throw new IllegalArgumentException("align " + align);
      }
    }

    /** With the options of QEMU. */
    public static Preallocate of(long align, long size) throws BlockException {
      if (align < UNIT || align % UNIT != 0) {
        throw new BlockException("prealloc-align parameter of preallocate filter is not aligned to 512");
      }
      if (Long.bitCount(align) != 1) {
        throw new BlockException("prealloc-align parameter of preallocate filter is not a power of 2");
      }
      return new Preallocate(align, size);
    }

    @Override
    public BlockNode over(BlockNode node) {
      return new PreallocateNode(node, this);
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
