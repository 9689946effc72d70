package org.ascus.devices.fs.p9;

import java.util.Optional;
import org.ascus.devices.fs.NameTree.Place;

/** A driver's handle of a place, which may be open as a file, as a folder or for an extended attribute. */
final class Fid {
  static final int CLOSED = -1;

  Place place;
  final int uid;

  /** Descriptor of the host; {@link #CLOSED} if not open. */
  int fd = CLOSED;

  /** Flags it was opened with. */
  int flags;

  boolean folder;

  /** Where the descriptor is in its folder; -1 if nobody knows. */
  long cursor;

  Optional<AttributeTransfer> attribute = Optional.empty();

  Fid(Place place, int uid) {
    this.place = place;
    this.uid = uid;
  }

  boolean isOpen() {
    return fd != CLOSED;
  }

  /** True for a handle of a place only. */
  boolean isPlain() {
    return !isOpen() && attribute.isEmpty();
  }
}
