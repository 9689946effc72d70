package org.ascus.devices.block.nbd;

import java.util.List;
import org.ascus.devices.block.BlockNode;

/**
 * What clients of a server can use.
 *
 * @param name by which they ask for it, maybe empty
 * @param description for people
 * @param node stays the caller's
 * @param readOnly whether they may not write; a node that is read-only never is written
 * @param allocationDepth offer the context {@code qemu:allocation-depth}
 * @param bitmaps offered as contexts {@code qemu:dirty-bitmap:NAME}
 */
public record NbdExport(
    String name,
    String description,
    BlockNode node,
    boolean readOnly,
    boolean allocationDepth,
    List<DirtyRanges> bitmaps) {
  /** An export without bitmaps. */
  public NbdExport(String name, String description, BlockNode node, boolean readOnly, boolean allocationDepth) {
    this(name, description, node, readOnly, allocationDepth, List.of());
  }

  /** Checks that name and description can be sent. */
  public NbdExport {
    if (name.length() > Wire.MOST_NAME || description.length() > Wire.MOST_NAME) {
      throw new IllegalArgumentException("name or description of more than " + Wire.MOST_NAME + " characters");
    }
  }

  boolean isReadOnly() {
    return readOnly || node.readOnly();
  }
}
