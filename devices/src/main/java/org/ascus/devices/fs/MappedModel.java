package org.ascus.devices.fs;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.ascus.devices.host.Errno;

/**
 * Owners, modes and types are kept beside the files, which belong to whoever runs the machine; links and device nodes
 * are regular files on the host, the former with the target as contents. What has no such record, as files and links
 * that the host put there, is shown as it is.
 */
final class MappedModel implements SecurityModel {
  /** What begins the names of the host's own attributes. */
  static final String OWN = "user.virtfs.";

  private static final String USER = "user.";
  private static final List<String> ACCESS_LISTS = List.of("system.posix_acl_access", "system.posix_acl_default");
  private static final int ALL = 0777;
  private static final int MOST_TARGET = 4096;

  private final LinuxCalls calls;
  private final CredentialStore store;
  private final int fileMode;
  private final int folderMode;

  /**
   * @param fileMode permission bits on the host of what is not a folder
   */
  MappedModel(LinuxCalls calls, CredentialStore store, int fileMode, int folderMode) {
    this.calls = calls;
    this.store = store;
    this.fileMode = fileMode;
    this.folderMode = folderMode;
  }

  @Override
  public FileStatus status(int folder, byte[] name) throws FileException {
    int fd = calls.openAt(folder, name, LinuxCalls.PATH, 0);
    try {
      return status(fd, folder, name);
    } finally {
      calls.close(fd);
    }
  }

  @Override
  public FileStatus status(int fd, int folder, byte[] name) throws FileException {
    FileStatus own = calls.status(fd);
    return own.as(store.load(fd, own, folder, name));
  }

  private interface Change {
    Credentials apply(FileStatus shown) throws FileException;
  }

  private void change(int folder, byte[] name, Change change) throws FileException {
    int fd = calls.openAt(folder, name, LinuxCalls.PATH, 0);
    try {
      FileStatus own = calls.status(fd);
      Credentials old = store.load(fd, own, folder, name);
      store.save(fd, own, folder, name, change.apply(own.as(old)).or(old));
    } finally {
      calls.close(fd);
    }
  }

  private void settle(int folder, byte[] name, int mode, long rdev, Owner owner) throws FileException {
    change(folder, name, _ -> Credentials.of(owner.uid(), owner.gid(), mode, rdev));
  }

  @Override
  public int create(int folder, byte[] name, int flags, int permissions, Owner owner) throws FileException {
    int fd = calls.openAt(folder, name, flags | LinuxCalls.CREAT | LinuxCalls.EXCL, fileMode);
    try {
      settle(folder, name, FileStatus.REGULAR | permissions, 0, owner);
      return fd;
    } catch (FileException e) {
      calls.close(fd);
      calls.unlink(folder, name);
      throw e;
    }
  }

  @Override
  public void makeFolder(int folder, byte[] name, int permissions, Owner owner) throws FileException {
    calls.makeFolder(folder, name, folderMode);
    try {
      settle(folder, name, FileStatus.FOLDER | permissions, 0, owner);
    } catch (FileException e) {
      removeFolder(folder, name);
      throw e;
    }
  }

  @Override
  public void makeNode(int folder, byte[] name, int mode, long rdev, Owner owner) throws FileException {
    calls.makeNode(folder, name, FileStatus.REGULAR | fileMode, 0);
    try {
      settle(folder, name, mode, rdev, owner);
    } catch (FileException e) {
      calls.unlink(folder, name);
      throw e;
    }
  }

  @Override
  public void makeSymlink(byte[] target, int folder, byte[] name, Owner owner) throws FileException {
    int flags = LinuxCalls.WRONLY | LinuxCalls.CREAT | LinuxCalls.EXCL;
    int fd = calls.openAt(folder, name, flags, fileMode);
    try {
      int done = 0;
      while (done < target.length) {
        done += calls.write(fd, done, target, done, target.length - done);
      }
      settle(folder, name, FileStatus.SYMLINK | ALL, 0, owner);
    } catch (FileException e) {
      calls.unlink(folder, name);
      throw e;
    } finally {
      calls.close(fd);
    }
  }

  @Override
  public byte[] readLink(int folder, byte[] name) throws FileException {
    if (calls.statusAt(folder, name).type() == FileStatus.SYMLINK) {
      return calls.readLink(folder, name);
    }
    if (status(folder, name).type() != FileStatus.SYMLINK) {
      throw new FileException(Errno.EINVAL);
    }
    int fd = calls.openAt(folder, name, LinuxCalls.RDONLY, 0);
    try {
      byte[] target = new byte[MOST_TARGET];
      return Arrays.copyOf(target, calls.read(fd, 0, target, 0, target.length));
    } finally {
      calls.close(fd);
    }
  }

  @Override
  public void changeMode(int folder, byte[] name, int permissions) throws FileException {
    change(
        folder,
        name,
        shown ->
            new Credentials(
                OptionalInt.empty(), OptionalInt.empty(), OptionalInt.of(shown.type() | permissions),
                OptionalLong.empty()));
  }

  @Override
  public void changeOwner(int folder, byte[] name, int uid, int gid) throws FileException {
    change(
        folder,
        name,
        _ ->
            new Credentials(
                uid == LinuxCalls.KEEP ? OptionalInt.empty() : OptionalInt.of(uid),
                gid == LinuxCalls.KEEP ? OptionalInt.empty() : OptionalInt.of(gid),
                OptionalInt.empty(),
                OptionalLong.empty()));
  }

  @Override
  public void link(int folder, byte[] name, int newFolder, byte[] newName) throws FileException {
    calls.link(folder, name, newFolder, newName);
    store.linked(folder, name, newFolder, newName);
  }

  @Override
  public void rename(int folder, byte[] name, int newFolder, byte[] newName) throws FileException {
    boolean wasFolder = calls.statusAt(folder, name).isFolder();
    if (wasFolder) {
      emptied(newFolder, newName);
    }
    calls.rename(folder, name, newFolder, newName);
    store.renamed(folder, name, newFolder, newName);
  }

  @Override
  public void unlink(int folder, byte[] name) throws FileException {
    calls.unlink(folder, name);
    store.removed(folder, name);
  }

  @Override
  public void removeFolder(int folder, byte[] name) throws FileException {
    emptied(folder, name);
    calls.removeFolder(folder, name);
    store.removed(folder, name);
  }

  /** A folder that is empty for the guest shall be so for the host. */
  private void emptied(int folder, byte[] name) throws FileException {
    int fd;
    try {
      fd = calls.openAt(folder, name, LinuxCalls.PATH | LinuxCalls.DIRECTORY, 0);
    } catch (FileException e) {
      return;
    }
    try {
      store.emptied(fd);
    } finally {
      calls.close(fd);
    }
  }

  @Override
  public boolean hides(byte[] name) {
    return store.hides(name);
  }

  @Override
  public boolean typesInFolders() {
    return false;
  }

  @Override
  public Optional<byte[]> hostAttribute(byte[] name) {
    String text = new String(name, StandardCharsets.ISO_8859_1);
    if (ACCESS_LISTS.contains(text)) {
      return Optional.of((OWN + text).getBytes(StandardCharsets.ISO_8859_1));
    }
    return text.startsWith(USER) && !text.startsWith(OWN) ? Optional.of(name) : Optional.empty();
  }

  @Override
  public Optional<byte[]> guestAttribute(byte[] name) {
    String text = new String(name, StandardCharsets.ISO_8859_1);
    if (text.startsWith(OWN)) {
      String inner = text.substring(OWN.length());
      return ACCESS_LISTS.contains(inner)
          ? Optional.of(inner.getBytes(StandardCharsets.ISO_8859_1))
          : Optional.empty();
    }
    return text.startsWith(USER) ? Optional.of(name) : Optional.empty();
  }
}
