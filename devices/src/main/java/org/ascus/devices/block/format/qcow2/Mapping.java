package org.ascus.devices.block.format.qcow2;

/**
 * What a range of guest bytes is.
 *
 * @param host its place in the file; for compressed clusters the L2 entry; else 0
 * @param length bytes
 */
record Mapping(Kind kind, long host, long length) {
  /** Where a range's bytes come from. */
  enum Kind {
    /** The backing file, or zero; a subcluster may have a place in the file nevertheless. */
    UNALLOCATED,
    ZERO,
    /** Zero, with a place in the file that is kept for it. */
    ZERO_ALLOCATED,
    DATA,
    COMPRESSED
  }

  boolean isZero() {
    return kind == Kind.ZERO || kind == Kind.ZERO_ALLOCATED;
  }

  /** Whether {@code next}, which is {@code distance} bytes after this, continues it. */
  boolean continuedBy(Mapping next, long distance) {
    return switch (kind) {
      case UNALLOCATED -> next.kind == kind && next.host == (host == 0 ? 0 : host + distance);
      case ZERO -> next.kind == kind;
      case DATA, ZERO_ALLOCATED -> next.kind == kind && next.host == host + distance;
      case COMPRESSED -> false;
    };
  }

  Mapping withLength(long bytes) {
    return new Mapping(kind, host, bytes);
  }
}
