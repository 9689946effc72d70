package org.ascus.devices.fs.p9;

import java.util.HashMap;
import java.util.Map;
import java.util.function.Consumer;
import org.ascus.devices.fs.FileException;
import org.ascus.devices.fs.FileStatus;
import org.ascus.devices.fs.FolderOptions;
import org.ascus.devices.host.Errno;

/** Numbers of files that are unique among all devices of the host that lie below a shared folder. */
final class QidPaths {
  private static final int INODE_BITS = 48;
  private static final int MOST_PREFIXES = 1 << 16;

  private final FolderOptions.Devices policy;
  private final Consumer<String> warnings;
  private final long rootDevice;
  private final Map<Prefix, Long> prefixes = new HashMap<>();
  private boolean warned;

  /**
   * @param rootDevice device of the shared folder itself
   * @param warnings told once, when there is a second device
   */
  QidPaths(FolderOptions.Devices policy, long rootDevice, Consumer<String> warnings) {
    this.policy = policy;
    this.rootDevice = rootDevice;
    this.warnings = warnings;
    prefixes.put(new Prefix(rootDevice, 0), 0L);
  }

  private record Prefix(long device, long top) {}

  boolean remaps() {
    return policy == FolderOptions.Devices.REMAP;
  }

  long path(FileStatus status) throws FileException {
    if (status.device() != rootDevice && !remaps()) {
      if (policy == FolderOptions.Devices.FORBID) {
        warn("is not shown to the guest (multidevs=forbid)");
        throw new FileException(Errno.ENODEV);
      }
      warn("may have the same inode numbers: files can be mixed up (use multidevs=remap)");
    }
    return remaps() ? remapped(status.device(), status.inode()) : status.inode();
  }

  private void warn(String text) {
    if (!warned) {
      warned = true;
      warnings.accept("another device of the host below the shared folder " + text);
    }
  }

  private long remapped(long device, long inode) throws FileException {
    Prefix prefix = new Prefix(device, inode >>> INODE_BITS);
    Long number = prefixes.get(prefix);
    if (number == null) {
      if (prefixes.size() >= MOST_PREFIXES) {
        throw new FileException(Errno.ENFILE);
      }
      number = (long) prefixes.size();
      prefixes.put(prefix, number);
    }
    return number << INODE_BITS | inode & (1L << INODE_BITS) - 1;
  }
}
