package org.ascus.devices.fs;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.ascus.devices.host.Errno;

/**
 * The names that a guest holds on to, as a tree, so that all that lies in a folder moves with it when it is renamed. A
 * place is a path and not a file: whatever has that path on the host is meant. Bounded in places and in depth. Used by
 * one thread at a time.
 */
public final class NameTree {
  /** Most bytes of a path, as the host's own calls have it. */
  static final int MOST_PATH = 4096;

  private static final int MOST_NAME = 255;

  private final int most;
  private final Place root = new Place(null, new byte[0]);
  private int count;

  /**
   * @param most places that are held at once
   */
  public NameTree(int most) {
    this.most = most;
  }

  /** A path below the root of the tree; held until it is released. */
  public static final class Place {
    private Place parent;
    private byte[] name;
    private final Map<ByteBuffer, Place> children = new HashMap<>();
    private int holders;

    private Place(Place parent, byte[] name) {
      this.parent = parent;
      this.name = name;
    }

    /** The folder that it lies in; nothing above the root. */
    public Optional<Place> parent() {
      return Optional.ofNullable(parent);
    }

    /** Name in that folder. */
    public byte[] name() {
      return name;
    }

    /** Names from the root down. */
    public Deque<byte[]> path() {
      Deque<byte[]> path = new ArrayDeque<>();
      for (Place at = this; at.parent != null; at = at.parent) {
        path.addFirst(at.name);
      }
      return path;
    }

    private boolean isBelow(Place other) {
      Place at = this;
      while (at != null && at != other) {
        at = at.parent;
      }
      return at != null;
    }

    private int pathBytes() {
      int bytes = 0;
      for (Place at = this; at.parent != null; at = at.parent) {
        bytes += at.name.length + 1;
      }
      return bytes;
    }
  }

  /** Whether a name can be that of a file in a folder: no separator, no end of text, none of the two dots. */
  public static boolean isName(byte[] name) {
    for (byte b : name) {
      if (b == '/' || b == 0) {
        return false;
      }
    }
    boolean dots = name.length > 0 && name.length <= 2 && name[0] == '.' && name[name.length - 1] == '.';
    return name.length > 0 && !dots;
  }

  /** The root, held once more. */
  public Place root() {
    root.holders++;
    return root;
  }

  /** {@code place}, held once more. */
  public Place hold(Place place) {
    place.holders++;
    return place;
  }

  /** The parent, or the root's own place: there is nothing above it. Held. */
  public Place above(Place place) {
    return hold(place.parent == null ? place : place.parent);
  }

  /**
   * The place of a name in a folder. Held.
   *
   * @throws FileException when the name, the path or the tree is too large
   */
  public Place below(Place folder, byte[] name) throws FileException {
    if (!isName(name)) {
      throw new FileException(Errno.ENOENT);
    }
    Place known = folder.children.get(ByteBuffer.wrap(name));
    if (known != null) {
      return hold(known);
    }
    if (name.length > MOST_NAME || folder.pathBytes() + name.length + 1 > MOST_PATH) {
      throw new FileException(Errno.ENAMETOOLONG);
    }
    if (count >= most) {
      throw new FileException(Errno.ENFILE);
    }
    Place made = new Place(folder, name);
    folder.children.put(ByteBuffer.wrap(name), made);
    folder.holders++;
    count++;
    return hold(made);
  }

  /** Ends a hold. */
  public void release(Place place) {
    Place at = place;
    while (--at.holders == 0 && at.parent != null) {
      at.parent.children.remove(ByteBuffer.wrap(at.name), at);
      count--;
      at = at.parent;
    }
  }

  /** A file was renamed on the host: who holds it or something in it follows. */
  public void move(Place folder, byte[] name, Place newFolder, byte[] newName) {
    Place moved = folder.children.get(ByteBuffer.wrap(name));
    // The host may have moved folders about meanwhile; then these places mean nothing any more.
    if (moved == null || newFolder.isBelow(moved)) {
      return;
    }
    folder.children.remove(ByteBuffer.wrap(name));
    newFolder.children.put(ByteBuffer.wrap(newName), moved);
    newFolder.holders++;
    moved.parent = newFolder;
    moved.name = newName;
    release(folder);
  }

  /** Places that are held. */
  int size() {
    return count;
  }
}
