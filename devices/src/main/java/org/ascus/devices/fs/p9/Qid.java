package org.ascus.devices.fs.p9;

import org.ascus.devices.fs.FileStatus;

/**
 * What tells files apart.
 *
 * @param type 0x80 for a folder, 2 for a symbolic link
 * @param version changes with the contents
 * @param path unique among the files of a share
 */
record Qid(int type, int version, long path) {
  static final int BYTES = 13;

  private static final int FOLDER = 0x80;
  private static final int SYMLINK = 2;
  private static final int TYPE_SHIFT = 12;

  static Qid of(FileStatus status, long path) {
    int version = (int) (status.modified().seconds() ^ status.modified().nanos() ^ status.size() << 8);
    return new Qid(type(status.type()), version, path);
  }

  /** Of an entry of a folder, whose version nobody knows. */
  static Qid of(int directoryType, long path) {
    return new Qid(type(directoryType << TYPE_SHIFT), 0, path);
  }

  private static int type(int mode) {
    return mode == FileStatus.FOLDER ? FOLDER : mode == FileStatus.SYMLINK ? SYMLINK : 0;
  }
}
