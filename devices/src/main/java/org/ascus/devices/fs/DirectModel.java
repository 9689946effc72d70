package org.ascus.devices.fs;

import java.util.Optional;
import org.ascus.devices.host.Errno;

/** Everything is on the host as the guest has it: {@code passthrough} and {@code none}. */
final class DirectModel implements SecurityModel {
  private static final int PRIVATE = 0600;
  private static final int PRIVATE_FOLDER = 0700;

  private final LinuxCalls calls;
  private final boolean mustOwn;

  /**
   * @param mustOwn whether a file that cannot be given to its owner is an error
   */
  DirectModel(LinuxCalls calls, boolean mustOwn) {
    this.calls = calls;
    this.mustOwn = mustOwn;
  }

  @Override
  public FileStatus status(int folder, byte[] name) throws FileException {
    return calls.statusAt(folder, name);
  }

  @Override
  public FileStatus status(int fd, int folder, byte[] name) throws FileException {
    return calls.status(fd);
  }

  /** Gives a new file to its owner; the mode comes last, because that takes bits from it. */
  private void settle(int folder, byte[] name, int permissions, Owner owner) throws FileException {
    try {
      calls.changeOwner(folder, name, owner.uid(), owner.gid());
    } catch (FileException e) {
      if (mustOwn) {
        throw e;
      }
    }
    if (permissions >= 0) {
      changeMode(folder, name, permissions);
    }
  }

  @Override
  public int create(int folder, byte[] name, int flags, int permissions, Owner owner) throws FileException {
    int fd = calls.openAt(folder, name, flags | LinuxCalls.CREAT | LinuxCalls.EXCL, PRIVATE);
    try {
      settle(folder, name, permissions, owner);
      return fd;
    } catch (FileException e) {
      calls.close(fd);
      calls.unlink(folder, name);
      throw e;
    }
  }

  @Override
  public void makeFolder(int folder, byte[] name, int permissions, Owner owner) throws FileException {
    calls.makeFolder(folder, name, PRIVATE_FOLDER);
    try {
      settle(folder, name, permissions, owner);
    } catch (FileException e) {
      calls.removeFolder(folder, name);
      throw e;
    }
  }

  @Override
  public void makeNode(int folder, byte[] name, int mode, long rdev, Owner owner) throws FileException {
    calls.makeNode(folder, name, mode & FileStatus.TYPE | PRIVATE, rdev);
    settleOrUnlink(folder, name, mode & FileStatus.PERMISSIONS, owner);
  }

  private void settleOrUnlink(int folder, byte[] name, int permissions, Owner owner) throws FileException {
    try {
      settle(folder, name, permissions, owner);
    } catch (FileException e) {
      calls.unlink(folder, name);
      throw e;
    }
  }

  @Override
  public void makeSymlink(byte[] target, int folder, byte[] name, Owner owner) throws FileException {
    calls.makeSymlink(target, folder, name);
    settleOrUnlink(folder, name, -1, owner);
  }

  @Override
  public byte[] readLink(int folder, byte[] name) throws FileException {
    return calls.readLink(folder, name);
  }

  @Override
  public void changeMode(int folder, byte[] name, int permissions) throws FileException {
    int fd = calls.openAt(folder, name, LinuxCalls.PATH, 0);
    try {
      if (calls.status(fd).type() == FileStatus.SYMLINK) {
        throw new FileException(Errno.EOPNOTSUPP);
      }
      calls.changeMode(fd, permissions);
    } finally {
      calls.close(fd);
    }
  }

  @Override
  public void changeOwner(int folder, byte[] name, int uid, int gid) throws FileException {
    try {
      calls.changeOwner(folder, name, uid, gid);
    } catch (FileException e) {
      if (mustOwn) {
        throw e;
      }
    }
  }

  @Override
  public void link(int folder, byte[] name, int newFolder, byte[] newName) throws FileException {
    calls.link(folder, name, newFolder, newName);
  }

  @Override
  public void rename(int folder, byte[] name, int newFolder, byte[] newName) throws FileException {
    calls.rename(folder, name, newFolder, newName);
  }

  @Override
  public void unlink(int folder, byte[] name) throws FileException {
    calls.unlink(folder, name);
  }

  @Override
  public void removeFolder(int folder, byte[] name) throws FileException {
    calls.removeFolder(folder, name);
  }

  @Override
  public boolean hides(byte[] name) {
    return false;
  }

  @Override
  public boolean typesInFolders() {
    return true;
  }

  @Override
  public Optional<byte[]> hostAttribute(byte[] name) {
    return Optional.of(name);
  }

  @Override
  public Optional<byte[]> guestAttribute(byte[] name) {
    return Optional.of(name);
  }
}
