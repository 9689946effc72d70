package org.ascus.devices.fs;

/** Where the mapped models keep what a guest said of a file. The formats are QEMU's, so that folders can be shared. */
interface CredentialStore {
  /**
   * What is kept of a file.
   *
   * @param fd open on it, maybe for its path only
   * @param own what the host says of it
   */
  Credentials load(int fd, FileStatus own, int folder, byte[] name) throws FileException;

  void save(int fd, FileStatus own, int folder, byte[] name, Credentials credentials) throws FileException;

  default void linked(int folder, byte[] name, int newFolder, byte[] newName) throws FileException {}

  default void renamed(int folder, byte[] name, int newFolder, byte[] newName) throws FileException {}

  default void removed(int folder, byte[] name) throws FileException {}

  /** A folder is about to be removed: what the store has in it goes, if there is nothing else. */
  default void emptied(int folder) throws FileException {}

  default boolean hides(byte[] name) {
    return false;
  }
}
