package org.ascus.devices.block;

import java.util.Locale;

/**
 * Something that an image format is about to do to its file, or that happens to a request: where the rules of {@code
 * blkdebug} take hold. The names are QEMU's.
 */
public enum DebugEvent {
  /** Anything. */
  NONE,
  READ_AIO,
  WRITE_AIO,
  PWRITEV_ZERO,
  FLUSH_TO_DISK,
  READ_BACKING_AIO,
  READ_COMPRESSED,
  WRITE_COMPRESSED,
  COW_READ,
  COW_WRITE,
  L1_UPDATE,
  L1_GROW_ALLOC_TABLE,
  L1_GROW_WRITE_TABLE,
  L1_GROW_ACTIVATE_TABLE,
  L2_LOAD,
  L2_UPDATE,
  L2_ALLOC_WRITE,
  REFTABLE_LOAD,
  REFBLOCK_LOAD,
  REFBLOCK_UPDATE,
  REFBLOCK_ALLOC_HOOKUP,
  REFBLOCK_ALLOC_WRITE,
  REFBLOCK_ALLOC_WRITE_TABLE,
  REFBLOCK_ALLOC_SWITCH_TABLE,
  CLUSTER_ALLOC,
  CLUSTER_FREE;

  /** As a rule has it. */
  public String text() {
    return name().toLowerCase(Locale.ROOT);
  }
}
