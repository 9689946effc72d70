package org.ascus.launcher.img;

import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.BlockNode;
import org.ascus.devices.block.Extent;

/**
 * What an image that nobody changes knows of its bytes. It is not asked again for what it has told: a file system may
 * look through all of a file to tell where its next hole is. For one thread.
 */
final class Extents {
  private final BlockNode node;
  private long start;
  private long end;
  private Extent told;

  Extents(BlockNode node) {
    this.node = node;
  }

  /** The extent that has the byte at an offset inside the image, from that byte on. */
  Extent at(long offset) throws BlockException {
    if (offset < start || offset >= end) {
      told = node.extent(offset, node.size() - offset);
      start = offset;
      end = offset + told.length();
    }
    return offset == start ? told : told.behind(offset - start);
  }
}
