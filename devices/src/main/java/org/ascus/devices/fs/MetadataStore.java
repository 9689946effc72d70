package org.ascus.devices.fs;

import java.nio.charset.StandardCharsets;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.ascus.devices.host.Errno;

/**
 * A hidden folder {@code .virtfs_metadata} in each folder, with a file for each of its files, of lines {@code
 * virtfs.uid=N}, {@code virtfs.gid=N}, {@code virtfs.mode=N} and {@code virtfs.rdev=N}; the root's own is {@code
 * .virtfs_metadata_root} in it.
 */
final class MetadataStore implements CredentialStore {
  private static final String FOLDER_TEXT = ".virtfs_metadata";
  private static final byte[] FOLDER = FOLDER_TEXT.getBytes(StandardCharsets.US_ASCII);
  private static final byte[] ROOT = ".virtfs_metadata_root".getBytes(StandardCharsets.US_ASCII);
  private static final byte[] SELF = {'.'};
  private static final int MOST = 1024;

  private final LinuxCalls calls;

  MetadataStore(LinuxCalls calls) {
    this.calls = calls;
  }

  private static boolean isRoot(byte[] name) {
    return name.length == SELF.length && name[0] == SELF[0];
  }

  @Override
  public Credentials load(int fd, FileStatus own, int folder, byte[] name) throws FileException {
    byte[] text = new byte[MOST];
    int count;
    try {
      int place = isRoot(name) ? folder : open(folder);
      try {
        int file = calls.openAt(place, isRoot(name) ? ROOT : name, LinuxCalls.RDONLY, 0);
        try {
          count = calls.read(file, 0, text, 0, text.length);
        } finally {
          calls.close(file);
        }
      } finally {
        if (place != folder) {
          calls.close(place);
        }
      }
    } catch (FileException e) {
      return Credentials.NONE;
    }
    return parse(new String(text, 0, count, StandardCharsets.US_ASCII));
  }

  private static Credentials parse(String text) {
    OptionalInt uid = OptionalInt.empty();
    OptionalInt gid = OptionalInt.empty();
    OptionalInt mode = OptionalInt.empty();
    OptionalLong rdev = OptionalLong.empty();
    for (String line : text.split("\n")) {
      int eq = line.indexOf('=');
      if (eq < 0 || !line.substring(eq + 1).matches("-?[0-9]{1,18}")) {
        continue;
      }
      long value = Long.parseLong(line.substring(eq + 1));
      switch (line.substring(0, eq)) {
        case "virtfs.uid" -> uid = OptionalInt.of((int) value);
        case "virtfs.gid" -> gid = OptionalInt.of((int) value);
        case "virtfs.mode" -> mode = OptionalInt.of((int) value);
        case "virtfs.rdev" -> rdev = OptionalLong.of(value);
        default -> {}
      }
    }
    return new Credentials(uid, gid, mode, rdev);
  }

  private int open(int folder) throws FileException {
    return calls.openAt(folder, FOLDER, LinuxCalls.PATH | LinuxCalls.DIRECTORY, 0);
  }

  private int openOrMake(int folder) throws FileException {
    try {
      calls.makeFolder(folder, FOLDER, FolderOptions.DEFAULT_FOLDER_MODE);
    } catch (FileException e) {
      if (e.errno() != Errno.EEXIST) {
        throw e;
      }
    }
    return open(folder);
  }

  @Override
  public void save(int fd, FileStatus own, int folder, byte[] name, Credentials c) throws FileException {
    StringBuilder text = new StringBuilder();
    c.uid().ifPresent(v -> text.append("virtfs.uid=").append(v).append('\n'));
    c.gid().ifPresent(v -> text.append("virtfs.gid=").append(v).append('\n'));
    c.mode().ifPresent(v -> text.append("virtfs.mode=").append(v).append('\n'));
    c.rdev().ifPresent(v -> text.append("virtfs.rdev=").append(v).append('\n'));
    int place = isRoot(name) ? folder : openOrMake(folder);
    try {
      write(place, isRoot(name) ? ROOT : name, text.toString().getBytes(StandardCharsets.US_ASCII));
    } finally {
      if (place != folder) {
        calls.close(place);
      }
    }
  }

  private void write(int place, byte[] name, byte[] text) throws FileException {
    int flags = LinuxCalls.WRONLY | LinuxCalls.CREAT | LinuxCalls.TRUNC;
    int file = calls.openAt(place, name, flags, FolderOptions.DEFAULT_FILE_MODE);
    try {
      calls.write(file, 0, text, 0, text.length);
    } finally {
      calls.close(file);
    }
  }

  @Override
  public void linked(int folder, byte[] name, int newFolder, byte[] newName) throws FileException {
    move(folder, newFolder, newName, (from, to) -> calls.link(from, name, to, newName));
  }

  @Override
  public void renamed(int folder, byte[] name, int newFolder, byte[] newName) throws FileException {
    move(folder, newFolder, newName, (from, to) -> calls.rename(from, name, to, newName));
  }

  private interface Step {
    void run(int from, int to) throws FileException;
  }

  /** Carries a record to another name; a file without one takes away that of the file it replaces. */
  private void move(int folder, int newFolder, byte[] newName, Step step) throws FileException {
    int from;
    try {
      from = open(folder);
    } catch (FileException e) {
      removed(newFolder, newName);
      return;
    }
    try {
      int to = openOrMake(newFolder);
      try {
        step.run(from, to);
      } catch (FileException e) {
        removed(newFolder, newName);
      } finally {
        calls.close(to);
      }
    } finally {
      calls.close(from);
    }
  }

  @Override
  public void removed(int folder, byte[] name) throws FileException {
    try {
      int place = open(folder);
      try {
        calls.unlink(place, name);
      } finally {
        calls.close(place);
      }
    } catch (FileException e) {
      if (e.errno() != Errno.ENOENT) {
        throw e;
      }
    }
  }

  @Override
  public void emptied(int folder) {
    try {
      calls.removeFolder(folder, FOLDER);
    } catch (FileException e) {
      // Records of files that are there, or none at all: removing the folder tells.
    }
  }

  @Override
  public boolean hides(byte[] name) {
    return new String(name, StandardCharsets.ISO_8859_1).startsWith(FOLDER_TEXT);
  }
}
