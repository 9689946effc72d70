package org.ascus.devices.block.format.foreign;

import java.util.Optional;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.BlockNode;

/** Opens the other files that an image names, in its folder. */
public interface ForeignFiles {
  /** A part of the image, raw. */
  BlockNode part(String name) throws BlockException;

  /**
   * The backing file.
   *
   * @param format what it must be; empty to look
   * @return empty to do without one
   */
  Optional<BlockNode> backing(String name, String format) throws BlockException;
}
