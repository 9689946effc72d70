package org.ascus.devices.fs;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import org.ascus.devices.fs.NameTree.Place;
import org.ascus.devices.fs.SecurityModel.Owner;
import org.ascus.devices.host.Errno;

/**
 * A folder of the host that is lent to a guest. Whatever is on the way to a file is opened relative to what was opened
 * before, and no symbolic link is followed on the way, so neither a name nor a link nor a race with another process of
 * the host leads out of the folder. Special files of the host are not opened.
 *
 * <p>Used by one thread at a time. All methods fail with the host's error number.
 */
public final class SharedFolder implements AutoCloseable {
  private static final byte[] SELF = {'.'};
  private static final int KEPT_FLAGS = LinuxCalls.ACCESS_MODE | LinuxCalls.APPEND | LinuxCalls.SYNC;
  private static final int ENTRY_NAME = 19;

  private final FolderOptions options;
  private final LinuxCalls calls;
  private final SecurityModel model;
  private final int root;
  private final boolean wholePaths;

  private SharedFolder(FolderOptions options, LinuxCalls calls, int root) {
    this.options = options;
    this.calls = calls;
    this.root = root;
    this.wholePaths = calls.opensBelow(root);
    this.model =
        switch (options.model()) {
          case PASSTHROUGH -> new DirectModel(calls, true);
          case NONE -> new DirectModel(calls, false);
          case MAPPED_XATTR -> mapped(new AttributeStore(calls));
          case MAPPED_FILE -> mapped(new MetadataStore(calls));
        };
  }

  private SecurityModel mapped(CredentialStore store) {
    return new MappedModel(calls, store, options.fileMode(), options.folderMode());
  }

  /**
   * Opens a folder.
   *
   * @throws IOException when it is none or cannot be opened, or the host is not Linux
   */
  public static SharedFolder open(FolderOptions options) throws IOException {
    LinuxCalls calls;
    try {
      calls = new LinuxCalls();
    } catch (UnsupportedOperationException e) {
      throw new IOException(e.getMessage(), e);
    }
    try {
      byte[] path = options.path().toString().getBytes(StandardCharsets.UTF_8);
      return new SharedFolder(options, calls, calls.open(path, LinuxCalls.PATH | LinuxCalls.DIRECTORY));
    } catch (FileException e) {
      calls.close();
      throw new IOException(
          switch (e.errno()) {
            case Errno.ENOENT -> "No such file or directory";
            case Errno.ENOTDIR -> "Not a directory";
            default -> "cannot be opened (error " + e.errno() + ")";
          }, e);
    }
  }

  public FolderOptions options() {
    return options;
  }

  /** Whether entries of folders tell the types of files. */
  public boolean typesInFolders() {
    return model.typesInFolders();
  }

  /** A name in an open folder. */
  private record At(int folder, byte[] name) {}

  @FunctionalInterface
  private interface Action<T> {
    T run(int folder, byte[] name) throws FileException;
  }

  @FunctionalInterface
  private interface Change {
    void run(int folder, byte[] name) throws FileException;
  }

  private At open(Place place) throws FileException {
    if (place.parent().isEmpty()) {
      return new At(root, SELF);
    }
    byte[] name = name(place.name());
    return new At(openFolder(place.parent().get()), name);
  }

  private byte[] name(byte[] name) throws FileException {
    if (model.hides(name)) {
      throw new FileException(Errno.ENOENT);
    }
    return name;
  }

  /** Opens the folder at a place for its path; to be closed by {@link #closeFolder}. */
  private int openFolder(Place place) throws FileException {
    Deque<byte[]> path = place.path();
    if (path.isEmpty()) {
      return root;
    }
    int bytes = 0;
    for (byte[] name : path) {
      bytes += name(name).length + 1;
    }
    // What was renamed into a deep folder may have a path that no call takes.
    return wholePaths && bytes <= LinuxCalls.MOST_PATH ? calls.openBelow(root, joined(path, bytes)) : openByNames(path);
  }

  private static byte[] joined(Deque<byte[]> path, int bytes) {
    byte[] all = new byte[bytes - 1];
    int at = 0;
    for (byte[] name : path) {
      if (at > 0) {
        all[at++] = '/';
      }
      System.arraycopy(name, 0, all, at, name.length);
      at += name.length;
    }
    return all;
  }

  private int openByNames(Deque<byte[]> path) throws FileException {
    int at = root;
    for (byte[] name : path) {
      int next;
      try {
        next = calls.openAt(at, name, LinuxCalls.PATH | LinuxCalls.DIRECTORY, 0);
      } finally {
        closeFolder(at);
      }
      at = next;
    }
    return at;
  }

  private void closeFolder(int folder) {
    if (folder != root) {
      calls.close(folder);
    }
  }

  private <T> T at(Place place, Action<T> action) throws FileException {
    At at = open(place);
    try {
      return action.run(at.folder(), at.name());
    } finally {
      closeFolder(at.folder());
    }
  }

  private void changeAt(Place place, Change change) throws FileException {
    checkWritable();
    at(
        place,
        (folder, name) -> {
          change.run(folder, name);
          return true;
        });
  }

  private void changeIn(Place folder, byte[] name, Change change) throws FileException {
    checkWritable();
    checkName(name);
    int fd = openFolder(folder);
    try {
      change.run(fd, name(name));
    } finally {
      closeFolder(fd);
    }
  }

  private static void checkName(byte[] name) throws FileException {
    if (!NameTree.isName(name)) {
      throw new FileException(name.length > 0 && name[0] == '.' ? Errno.EEXIST : Errno.ENOENT);
    }
  }

  private void checkWritable() throws FileException {
    if (options.readOnly()) {
      throw new FileException(Errno.EROFS);
    }
  }

  public FileStatus status(Place place) throws FileException {
    return at(place, model::status);
  }

  /** The status of an open file, which may have lost its name. */
  public FileStatus status(Place place, int fd) throws FileException {
    At at;
    try {
      at = open(place);
    } catch (FileException e) {
      return calls.status(fd);
    }
    try {
      return model.status(fd, at.folder(), at.name());
    } finally {
      closeFolder(at.folder());
    }
  }

  /**
   * Opens a regular file or a folder.
   *
   * @param flags as on Linux: access, append, sync and truncate count
   */
  public int open(Place place, int flags) throws FileException {
    boolean writes = (flags & LinuxCalls.ACCESS_MODE) != LinuxCalls.RDONLY || (flags & LinuxCalls.TRUNC) != 0;
    if (writes) {
      checkWritable();
    }
    return at(place, (folder, name) -> open(folder, name, flags));
  }

  private int open(int folder, byte[] name, int flags) throws FileException {
    int path = calls.openAt(folder, name, LinuxCalls.PATH, 0);
    try {
      int type = calls.status(path).type();
      if (type != FileStatus.REGULAR && type != FileStatus.FOLDER) {
        throw new FileException(Errno.ENXIO);
      }
      return calls.reopen(path, flags & (KEPT_FLAGS | LinuxCalls.TRUNC));
    } finally {
      calls.close(path);
    }
  }

  /** Opens a regular file that is made if it is not there. */
  public int create(Place folder, byte[] name, int flags, int permissions, int uid, int gid) throws FileException {
    checkWritable();
    checkName(name);
    int fd = openFolder(folder);
    try {
      return model.create(
          fd, name(name), flags & KEPT_FLAGS, permissions & FileStatus.PERMISSIONS, new Owner(uid, gid));
    } catch (FileException e) {
      if (e.errno() != Errno.EEXIST || (flags & LinuxCalls.EXCL) != 0) {
        throw e;
      }
      return open(fd, name, flags);
    } finally {
      closeFolder(fd);
    }
  }

  public void makeFolder(Place folder, byte[] name, int permissions, int uid, int gid) throws FileException {
    changeIn(
        folder, name, (fd, n) -> model.makeFolder(fd, n, permissions & FileStatus.PERMISSIONS, new Owner(uid, gid)));
  }

  public void makeNode(Place folder, byte[] name, int mode, long rdev, int uid, int gid) throws FileException {
    int type = mode & FileStatus.TYPE;
    if (type == FileStatus.FOLDER || type == FileStatus.SYMLINK) {
      throw new FileException(Errno.EINVAL);
    }
    changeIn(folder, name, (fd, n) -> model.makeNode(fd, n, mode & 0xffff, rdev, new Owner(uid, gid)));
  }

  public void makeSymlink(Place folder, byte[] name, byte[] target, int uid, int gid) throws FileException {
    if (target.length == 0 || target.length >= NameTree.MOST_PATH) {
      throw new FileException(target.length == 0 ? Errno.ENOENT : Errno.ENAMETOOLONG);
    }
    for (byte b : target) {
      if (b == 0) {
        throw new FileException(Errno.EINVAL);
      }
    }
    changeIn(folder, name, (fd, n) -> model.makeSymlink(target, fd, n, new Owner(uid, gid)));
  }

  /** The target, which means something to the guest only. */
  public byte[] readLink(Place place) throws FileException {
    return at(place, model::readLink);
  }

  public void link(Place target, Place folder, byte[] name) throws FileException {
    changeIn(folder, name, (to, n) -> at(target, (from, old) -> {
      model.link(from, old, to, n);
      return true;
    }));
  }

  public void rename(Place folder, byte[] name, Place newFolder, byte[] newName) throws FileException {
    changeIn(folder, name, (from, n) -> changeIn(newFolder, newName, (to, m) -> model.rename(from, n, to, m)));
  }

  /** Removes a file. */
  public void unlink(Place folder, byte[] name) throws FileException {
    changeIn(folder, name, model::unlink);
  }

  public void removeFolder(Place folder, byte[] name) throws FileException {
    changeIn(folder, name, model::removeFolder);
  }

  public void changeMode(Place place, int permissions) throws FileException {
    changeAt(place, (fd, name) -> model.changeMode(fd, name, permissions & FileStatus.PERMISSIONS));
  }

  /** Sets owners; -1 leaves one. */
  public void changeOwner(Place place, int uid, int gid) throws FileException {
    changeAt(place, (fd, name) -> model.changeOwner(fd, name, uid, gid));
  }

  /** A time to set: left as it is, that of now, or a given one. */
  public record TimeChange(long seconds, long nanos) {
    public static final TimeChange KEEP = new TimeChange(0, LinuxCalls.TIME_OMIT);
    public static final TimeChange NOW = new TimeChange(0, LinuxCalls.TIME_NOW);
  }

  public void changeTimes(Place place, TimeChange accessed, TimeChange modified) throws FileException {
    changeAt(
        place,
        (fd, name) ->
            calls.changeTimes(
                fd, name, accessed.seconds(), accessed.nanos(), modified.seconds(), modified.nanos()));
  }

  public void truncate(Place place, long size) throws FileException {
    int fd = open(place, LinuxCalls.WRONLY);
    try {
      calls.truncate(fd, size);
    } finally {
      calls.close(fd);
    }
  }

  /** Truncates an open file. */
  public void truncate(int fd, long size) throws FileException {
    calls.truncate(fd, size);
  }

  public int read(int fd, long offset, byte[] target, int start, int count) throws FileException {
    return calls.read(fd, offset, target, start, count);
  }

  public int write(int fd, long offset, byte[] source, int start, int count) throws FileException {
    return calls.write(fd, offset, source, start, count);
  }

  public void sync(int fd, boolean dataOnly) throws FileException {
    calls.sync(fd, dataOnly);
  }

  public void close(int fd) {
    calls.close(fd);
  }

  /**
   * An entry of a folder.
   *
   * @param next where to go on after it
   * @param type as in {@code d_type}: the type bits of a mode, shifted right by 12; 0 if not known
   */
  public record Entry(long inode, long next, int type, byte[] name) {}

  /** Goes to a place in a folder: 0 or what an entry has as its {@code next}. */
  public void seek(int fd, long offset) throws FileException {
    calls.seek(fd, offset);
  }

  /** The next entries of an open folder, about {@code bytes} of them; none at the end. */
  public List<Entry> entries(int fd, int bytes) throws FileException {
    byte[] raw = new byte[bytes];
    List<Entry> entries = new ArrayList<>();
    while (entries.isEmpty()) {
      int count = calls.entries(fd, raw);
      if (count == 0) {
        break;
      }
      ByteBuffer b = ByteBuffer.wrap(raw, 0, count).order(ByteOrder.nativeOrder());
      for (int at = 0; at < count; at += b.getShort(at + 16) & 0xffff) {
        int end = at + ENTRY_NAME;
        while (raw[end] != 0) {
          end++;
        }
        byte[] name = Arrays.copyOfRange(raw, at + ENTRY_NAME, end);
        if (!model.hides(name)) {
          int type = model.typesInFolders() ? raw[at + ENTRY_NAME - 1] : 0;
          entries.add(new Entry(b.getLong(at), b.getLong(at + 8), type, name));
        }
      }
    }
    return entries;
  }

  /** Type, block size, blocks, free blocks, blocks for users, files, free files, id and longest name. */
  public long[] fileSystem() throws FileException {
    return calls.fileSystem(root);
  }

  @FunctionalInterface
  private interface Attributes<T> {
    T run(int fd) throws FileException;
  }

  private <T> T attributes(Place place, Attributes<T> action) throws FileException {
    return at(
        place,
        (folder, name) -> {
          int fd = calls.openAt(folder, name, LinuxCalls.PATH, 0);
          try {
            return action.run(fd);
          } finally {
            calls.close(fd);
          }
        });
  }

  /** The value of an extended attribute. */
  public byte[] attribute(Place place, byte[] name) throws FileException {
    byte[] hostName = hostAttribute(name);
    return attributes(place, fd -> calls.attribute(fd, hostName));
  }

  private byte[] hostAttribute(byte[] name) throws FileException {
    return model.hostAttribute(name).orElseThrow(() -> new FileException(Errno.EOPNOTSUPP));
  }

  /** Names of all extended attributes that the guest may see, each with a zero behind it. */
  public byte[] attributes(Place place) throws FileException {
    byte[] all = attributes(place, calls::attributes);
    ByteArrayOutputStream shown = new ByteArrayOutputStream();
    int start = 0;
    for (int i = 0; i < all.length; i++) {
      if (all[i] == 0) {
        model.guestAttribute(Arrays.copyOfRange(all, start, i)).ifPresent(n -> {
          shown.writeBytes(n);
          shown.write(0);
        });
        start = i + 1;
      }
    }
    return shown.toByteArray();
  }

  /**
   * Sets an extended attribute.
   *
   * @param flags 1 for one that must be new, 2 for one that must be there
   */
  public void setAttribute(Place place, byte[] name, byte[] value, int flags) throws FileException {
    checkWritable();
    byte[] hostName = hostAttribute(name);
    attributes(
        place,
        fd -> {
          calls.setAttribute(fd, hostName, value, flags);
          return true;
        });
  }

  public void removeAttribute(Place place, byte[] name) throws FileException {
    checkWritable();
    byte[] hostName = hostAttribute(name);
    attributes(
        place,
        fd -> {
          calls.removeAttribute(fd, hostName);
          return true;
        });
  }

  @Override
  public void close() {
    calls.close(root);
    calls.close();
  }
}
