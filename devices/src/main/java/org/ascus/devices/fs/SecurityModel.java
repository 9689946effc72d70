package org.ascus.devices.fs;

import java.util.Optional;

/**
 * How owners, modes and special files of a guest are kept on the host. Names are relative to open folders and are not
 * followed.
 */
interface SecurityModel {
  /** Whose a new file is. */
  record Owner(int uid, int gid) {}

  FileStatus status(int folder, byte[] name) throws FileException;

  /** The status of an open file that had that name. */
  FileStatus status(int fd, int folder, byte[] name) throws FileException;

  /** Makes a regular file that was not there and opens it. */
  int create(int folder, byte[] name, int flags, int permissions, Owner owner) throws FileException;

  void makeFolder(int folder, byte[] name, int permissions, Owner owner) throws FileException;

  /**
   * @param mode type and permissions
   */
  void makeNode(int folder, byte[] name, int mode, long rdev, Owner owner) throws FileException;

  void makeSymlink(byte[] target, int folder, byte[] name, Owner owner) throws FileException;

  byte[] readLink(int folder, byte[] name) throws FileException;

  void changeMode(int folder, byte[] name, int permissions) throws FileException;

  /** Sets owners; {@link LinuxCalls#KEEP} leaves one. */
  void changeOwner(int folder, byte[] name, int uid, int gid) throws FileException;

  void link(int folder, byte[] name, int newFolder, byte[] newName) throws FileException;

  void rename(int folder, byte[] name, int newFolder, byte[] newName) throws FileException;

  void unlink(int folder, byte[] name) throws FileException;

  void removeFolder(int folder, byte[] name) throws FileException;

  /** Whether the name is the host's own and the guest must not see it. */
  boolean hides(byte[] name);

  /** Whether a folder's entries tell the types that the guest gave them. */
  boolean typesInFolders();

  /** The name on the host of an attribute of the guest; empty when the guest cannot have it. */
  Optional<byte[]> hostAttribute(byte[] name);

  /** The name that the guest sees an attribute of the host by; empty when it does not. */
  Optional<byte[]> guestAttribute(byte[] name);
}
