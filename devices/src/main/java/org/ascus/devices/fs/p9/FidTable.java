package org.ascus.devices.fs.p9;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.ascus.devices.fs.FileException;
import org.ascus.devices.fs.NameTree;
import org.ascus.devices.fs.NameTree.Place;
import org.ascus.devices.fs.SharedFolder;
import org.ascus.devices.host.Errno;
import org.ascus.machine.state.StateException;

/**
 * The handles that a driver has, by its numbers for them, and what they keep: places, open files and attributes on
 * their way, all of which are bounded.
 */
final class FidTable {
  private static final int MOST_FIDS = 1 << 18;
  private static final int MOST_PLACES = 1 << 17;
  private static final int MOST_OPEN = 1 << 13;
  private static final int MOST_ATTRIBUTES = 256;
  private static final int TRUNCATE = 01000;

  /** Descriptor of a file that could not be opened again: the host has none of that number. */
  private static final int LOST = -2;

  private final SharedFolder folder;
  private final NameTree names = new NameTree(MOST_PLACES);
  private final Map<Integer, Fid> fids = new HashMap<>();
  private int openFiles;
  private int attributes;

  FidTable(SharedFolder folder) {
    this.folder = folder;
  }

  /** The names that places are made of. */
  NameTree names() {
    return names;
  }

  /** The handle of a number. */
  Fid get(int number) throws FileException {
    Fid fid = fids.get(number);
    if (fid == null) {
      throw new FileException(Errno.EBADF);
    }
    return fid;
  }

  /** The handle that the next field names, which stands for a place, whether it is open or not. */
  Fid plain(Request in) throws FileException {
    Fid fid = get(in.u32());
    if (fid.attribute.isPresent()) {
      throw new FileException(Errno.EINVAL);
    }
    return fid;
  }

  /** Whether a number stands for that handle. */
  boolean is(int number, Fid fid) {
    return fids.get(number) == fid;
  }

  /** Fails if there can be no new handle of that number. */
  void checkNew(int number) throws FileException {
    if (fids.containsKey(number)) {
      throw new FileException(Errno.EINVAL);
    }
    if (fids.size() >= MOST_FIDS) {
      throw new FileException(Errno.EMFILE);
    }
  }

  /** Makes a handle, for whose number {@link #checkNew} was asked, of a place that it lets go of in the end. */
  Fid add(int number, Place place, int uid) {
    Fid fid = new Fid(place, uid);
    fids.put(number, fid);
    return fid;
  }

  /** Takes a handle out of the table; what it keeps is kept until {@link #forget}. */
  Fid remove(int number) throws FileException {
    Fid fid = get(number);
    fids.remove(number);
    return fid;
  }

  /** Fails if no more files can be open. */
  void checkOpen() throws FileException {
    if (openFiles >= MOST_OPEN) {
      throw new FileException(Errno.EMFILE);
    }
  }

  /** The handle has a file open. */
  void opened(Fid fid, int fd, int flags) {
    fid.fd = fd;
    fid.flags = flags & ~TRUNCATE;
    openFiles++;
  }

  /** Fails if no more attributes can be on their way. */
  void checkAttributes() throws FileException {
    if (attributes >= MOST_ATTRIBUTES) {
      throw new FileException(Errno.ENFILE);
    }
  }

  /** The handle stands for an attribute. */
  void attach(Fid fid, AttributeTransfer attribute) {
    fid.attribute = Optional.of(attribute);
    attributes++;
  }

  /** Lets go of what a handle keeps that is not in the table any more. */
  void forget(Fid fid) {
    if (fid.attribute.isPresent()) {
      attributes--;
    }
    if (fid.isOpen()) {
      folder.close(fid.fd);
      openFiles--;
    }
    names.release(fid.place);
  }

  /** Forgets all. */
  void clear() {
    fids.values().forEach(this::forget);
    fids.clear();
  }

  /** The handles, with the paths of what they stand for. */
  byte[] save() {
    FidState state = new FidState();
    fids.forEach(state::put);
    return state.toBytes();
  }

  /** Takes the handles up again, in an empty table. */
  void load(byte[] state) throws StateException {
    for (FidState.Saved saved : FidState.parse(state)) {
      if (fids.size() >= MOST_FIDS || fids.containsKey(saved.number())) {
        throw new StateException("9p: handle " + saved.number() + " is there twice");
      }
      try {
        restore(saved);
      } catch (FileException e) {
        throw new StateException("9p: handle " + saved.number() + " of no path (" + e.getMessage() + ")");
      }
    }
  }

  private void restore(FidState.Saved saved) throws FileException {
    Place place = names.root();
    for (byte[] name : saved.path()) {
      Place next;
      try {
        next = names.below(place, name);
      } finally {
        names.release(place);
      }
      place = next;
    }
    Fid fid = add(saved.number(), place, saved.uid());
    saved.attribute().ifPresent(attribute -> attach(fid, attribute));
    if (saved.open()) {
      opened(fid, reopen(place, saved.flags()), saved.flags());
      fid.folder = saved.folder();
      fid.cursor = -1;
    }
  }

  private int reopen(Place place, int flags) {
    try {
      checkOpen();
      return folder.open(place, flags & ~TRUNCATE);
    } catch (FileException e) {
      return LOST;
    }
  }
}
