package org.ascus.devices.fs;

import java.util.OptionalInt;
import java.util.OptionalLong;

/** Owner, mode with type, and device number that a guest gave to a file, as far as they are kept beside it. */
record Credentials(OptionalInt uid, OptionalInt gid, OptionalInt mode, OptionalLong rdev) {
  static final Credentials NONE =
      new Credentials(OptionalInt.empty(), OptionalInt.empty(), OptionalInt.empty(), OptionalLong.empty());

  static Credentials of(int uid, int gid, int mode, long rdev) {
    return new Credentials(
        OptionalInt.of(uid), OptionalInt.of(gid), OptionalInt.of(mode),
        rdev == 0 ? OptionalLong.empty() : OptionalLong.of(rdev));
  }

  /** These, and of {@code other} what is not among them. */
  Credentials or(Credentials other) {
    return new Credentials(
        uid.isPresent() ? uid : other.uid,
        gid.isPresent() ? gid : other.gid,
        mode.isPresent() ? mode : other.mode,
        rdev.isPresent() ? rdev : other.rdev);
  }
}
