package org.ascus.devices.fs;

/**
 * What {@code stat} tells of a file.
 *
 * @param device of the host that the file is on, unique among them
 * @param inode unique on that device
 * @param mode type and permission bits as in {@code st_mode}
 * @param rdev of a device node, as Linux encodes it: minor bits 0 to 7, major bits 8 to 19, rest of minor from 20 up
 * @param blocks of 512 bytes
 * @param accessed when it was read last; so {@code modified} and {@code changed}
 */
public record FileStatus(
    long device,
    long inode,
    int mode,
    long links,
    int uid,
    int gid,
    long rdev,
    long size,
    long blockSize,
    long blocks,
    Time accessed,
    Time modified,
    Time changed) {
  /** Bits of the mode that tell the type. */
  public static final int TYPE = 0xf000;

  public static final int FOLDER = 0x4000;
  public static final int REGULAR = 0x8000;
  public static final int SYMLINK = 0xa000;

  /** Bits of the mode that are permissions. */
  public static final int PERMISSIONS = 0xfff;

  /** Since 1970. */
  public record Time(long seconds, int nanos) {}

  public int type() {
    return mode & TYPE;
  }

  public boolean isFolder() {
    return type() == FOLDER;
  }

  /** The same file with what a guest was told of it in place of the host's. */
  FileStatus as(Credentials shown) {
    return new FileStatus(
        device, inode, shown.mode().orElse(mode), links, shown.uid().orElse(uid), shown.gid().orElse(gid),
        shown.rdev().orElse(rdev), size, blockSize, blocks, accessed, modified, changed);
  }
}
