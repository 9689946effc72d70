package org.ascus.devices.fs;

import java.nio.file.Path;

/**
 * A folder of the host to lend, {@code -fsdev local}.
 *
 * @param path the folder
 * @param fileMode permission bits of files on the host with the mapped models
 * @param folderMode permission bits of folders on the host with the mapped models
 */
public record FolderOptions(
    Path path, Model model, boolean readOnly, int fileMode, int folderMode, Devices multidevs) {
  public static final int DEFAULT_FILE_MODE = 0600;
  public static final int DEFAULT_FOLDER_MODE = 0700;

  /** Where owners and modes that the guest sets are kept. */
  public enum Model {
    /** On the files themselves, which takes the rights to do so. */
    PASSTHROUGH("passthrough"),
    /** As before, but who has no right to give a file away keeps it. */
    NONE("none"),
    /** In extended attributes {@code user.virtfs.*}; links and device nodes are plain files on the host. */
    MAPPED_XATTR("mapped-xattr"),
    /** In files in a hidden folder {@code .virtfs_metadata}; otherwise as with attributes. */
    MAPPED_FILE("mapped-file");

    private final String label;

    Model(String label) {
      this.label = label;
    }

    /** As on the command line. */
    public String label() {
      return label;
    }

    public boolean isMapped() {
      return this == MAPPED_XATTR || this == MAPPED_FILE;
    }
  }

  /** What happens with files of another device below the folder, whose inode numbers may not be unique. */
  public enum Devices {
    WARN,
    REMAP,
    FORBID
  }
}
