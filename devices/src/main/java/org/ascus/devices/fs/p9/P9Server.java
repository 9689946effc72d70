package org.ascus.devices.fs.p9;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import org.ascus.devices.fs.FileException;
import org.ascus.devices.fs.FileStatus;
import org.ascus.devices.fs.NameTree;
import org.ascus.devices.fs.NameTree.Place;
import org.ascus.devices.fs.SharedFolder;
import org.ascus.devices.fs.SharedFolder.Entry;
import org.ascus.devices.fs.SharedFolder.TimeChange;
import org.ascus.devices.host.Errno;
import org.ascus.machine.state.StateException;
import org.ascus.machine.state.StateReader;
import org.ascus.machine.state.StateWriter;

/**
 * A server of 9P2000.L, the dialect of Linux's v9fs (Documentation/filesystems/9p.rst and include/net/9p/9p.h of
 * Linux), for one share and one driver. Each request is done before the next begins, so what a driver flushes is done
 * already.
 *
 * <p>Whatever a driver sends is answered, with an error number if need be. What it makes the host keep is bounded:
 * handles, places, open files and attributes. Locks are granted, since the driver is alone. Used by one thread at a
 * time.
 */
public final class P9Server implements AutoCloseable {
  /** Most bytes of a message. */
  public static final int MOST_MESSAGE = 1 << 20;

  /** Bytes of a buffer that most messages fit in. */
  public static final int LEAST_BUFFER = 1 << 13;

  /** Fewest bytes that a message may be restricted to. */
  static final int LEAST_MESSAGE = 4096;

  /** Bytes that an answer needs room for in any case. */
  public static final int LEAST_ANSWER = Answer.ERROR;

  private static final byte[] VERSION = "9P2000.L".getBytes(StandardCharsets.US_ASCII);
  private static final byte[] UNKNOWN = "unknown".getBytes(StandardCharsets.US_ASCII);
  private static final byte[] PARENT = {'.', '.'};
  private static final int MOST_ATTRIBUTE = 1 << 16;
  private static final int MOST_WALK = 16;
  private static final long BASIC_FIELDS = 0x7ff;
  private static final int REMOVE_FOLDER = 0x200;
  private static final int UNLOCKED = 2;
  private static final int LEAST_ENTRIES = 1024;
  private static final int ACCESS = 3;

  private static final long SECOND = 1_000_000_000;

  private final SharedFolder folder;
  private final QidPaths paths;
  private final FidTable fids;
  private final NameTree names;
  private int messageSize;

  /**
   * @param folder what is shared; stays the caller's
   * @param warnings for the user
   */
  public P9Server(SharedFolder folder, Consumer<String> warnings) throws FileException {
    this.folder = folder;
    fids = new FidTable(folder);
    names = fids.names();
    Place root = names.root();
    paths = new QidPaths(folder.options().multidevs(), folder.status(root).device(), warnings);
    names.release(root);
  }

  /**
   * Does a request.
   *
   * @param length bytes of it
   * @param answer where the answer goes
   * @param room bytes that it may have, at least {@link #LEAST_ANSWER}
   * @return bytes of the answer
   */
  public int handle(byte[] request, int length, byte[] answer, int room) {
    int most = Math.clamp(messageSize, Answer.ERROR, room);
    Answer out = new Answer(answer, messageSize == 0 ? Math.min(room, LEAST_MESSAGE) : most);
    int type = 0;
    int tag = 0xffff;
    try {
      Request head = new Request(request, 0, length);
      int size = head.u32();
      type = head.u8();
      tag = head.u16();
      if (size < Answer.HEADER || size > length) {
        throw new FileException(Errno.EPROTO);
      }
      dispatch(type, new Request(request, Answer.HEADER, size), request, out);
      return out.finish(type + 1, tag);
    } catch (FileException e) {
      out.fail(e.errno());
      return out.finish(MessageType.LERROR_ANSWER, tag);
    }
  }

  private void dispatch(int type, Request in, byte[] message, Answer out) throws FileException {
    if (messageSize == 0 && type != MessageType.VERSION) {
      throw new FileException(Errno.EPROTO);
    }
    switch (type) {
      case MessageType.VERSION -> version(in, out);
      case MessageType.ATTACH -> attach(in, out);
      case MessageType.WALK -> walk(in, out);
      case MessageType.CLUNK -> clunk(in.u32());
      case MessageType.REMOVE -> remove(in);
      case MessageType.FLUSH -> in.u16();
      case MessageType.STATFS -> fileSystem(in, out);
      case MessageType.LOPEN -> open(in, out);
      case MessageType.LCREATE -> create(in, out);
      case MessageType.READ -> read(in, out);
      case MessageType.WRITE -> write(in, message, out);
      case MessageType.READDIR -> readFolder(in, out);
      case MessageType.FSYNC -> sync(in);
      case MessageType.GETATTR -> status(in, out);
      case MessageType.SETATTR -> change(in);
      case MessageType.READLINK -> out.text(folder.readLink(fids.plain(in).place));
      case MessageType.SYMLINK -> symlink(in, out);
      case MessageType.MKNOD -> makeNode(in, out);
      case MessageType.MKDIR -> makeFolder(in, out);
      case MessageType.LINK -> link(in);
      case MessageType.RENAME -> rename(in);
      case MessageType.RENAMEAT -> renameAt(in);
      case MessageType.UNLINKAT -> unlinkAt(in);
      case MessageType.XATTRWALK -> readAttribute(in, out);
      case MessageType.XATTRCREATE -> createAttribute(in);
      case MessageType.LOCK -> {
        fids.get(in.u32());
        out.u8(0);
      }
      case MessageType.GETLOCK -> getLock(in, out);
      default -> throw new FileException(Errno.EOPNOTSUPP);
    }
  }

  private void version(Request in, Answer out) throws FileException {
    int wanted = in.u32();
    byte[] version = in.text();
    reset();
    if (wanted >= 0 && wanted < LEAST_MESSAGE) {
      throw new FileException(Errno.EINVAL);
    }
    int size = wanted < 0 ? MOST_MESSAGE : Math.min(wanted, MOST_MESSAGE);
    boolean known = Arrays.equals(version, VERSION);
    out.u32(size).text(known ? VERSION : UNKNOWN);
    messageSize = known ? size : 0;
  }

  private void attach(Request in, Answer out) throws FileException {
    int number = in.u32();
    in.u32();
    in.text();
    in.text();
    int uid = in.u32();
    fids.checkNew(number);
    Place root = names.root();
    try {
      out.qid(qid(folder.status(root)));
    } catch (FileException e) {
      names.release(root);
      throw e;
    }
    fids.add(number, root, uid);
  }

  private Qid qid(FileStatus status) throws FileException {
    return Qid.of(status, paths.path(status));
  }

  private void walk(Request in, Answer out) throws FileException {
    Fid from = fids.plain(in);
    int number = in.u32();
    int count = in.u16();
    boolean same = fids.is(number, from);
    if (count > MOST_WALK || same && from.isOpen()) {
      throw new FileException(Errno.EINVAL);
    }
    if (!same) {
      fids.checkNew(number);
    }
    Place at = names.hold(from.place);
    Qid[] qids = new Qid[count];
    int done = 0;
    try {
      while (done < count) {
        byte[] name = in.text();
        Place next = step(at, name);
        names.release(at);
        at = next;
        qids[done] = qid(folder.status(at));
        done++;
      }
    } catch (FileException e) {
      if (done == 0) {
        names.release(at);
        throw e;
      }
    }
    out.u16(done);
    for (int i = 0; i < done; i++) {
      out.qid(qids[i]);
    }
    if (done < count) {
      names.release(at);
    } else if (same) {
      names.release(from.place);
      from.place = at;
    } else {
      fids.add(number, at, from.uid);
    }
  }

  private Place step(Place at, byte[] name) throws FileException {
    if (Arrays.equals(name, PARENT)) {
      return names.above(at);
    }
    return names.below(at, name);
  }

  /** Frees a handle, whatever comes of it. */
  private void clunk(int number) throws FileException {
    Fid fid = fids.remove(number);
    try {
      if (fid.attribute.isPresent()) {
        setAttribute(fid.place, fid.attribute.get());
      }
    } finally {
      fids.forget(fid);
    }
  }

  private void remove(Request in) throws FileException {
    int number = in.u32();
    Fid fid = fids.remove(number);
    try {
      Place place = fid.place;
      if (folder.status(place).isFolder()) {
        folder.removeFolder(above(place), place.name());
      } else {
        folder.unlink(above(place), place.name());
      }
    } finally {
      fids.forget(fid);
    }
  }

  // Contents.

  private void fileSystem(Request in, Answer out) throws FileException {
    fids.get(in.u32());
    long[] s = folder.fileSystem();
    out.u32(s[0]).u32(s[1]).u64(s[2]).u64(s[3]).u64(s[4]).u64(s[5]).u64(s[6]).u64(s[7]).u32(s[8]);
  }

  private void open(Request in, Answer out) throws FileException {
    Fid fid = fids.plain(in);
    int flags = in.u32();
    if (fid.isOpen()) {
      throw new FileException(Errno.EINVAL);
    }
    fids.checkOpen();
    Qid qid = qid(folder.status(fid.place));
    int fd = folder.open(fid.place, flags);
    fids.opened(fid, fd, flags);
    fid.folder = (qid.type() & 0x80) != 0;
    out.qid(qid).u32(0);
  }

  private void create(Request in, Answer out) throws FileException {
    Fid fid = fids.plain(in);
    byte[] name = in.text();
    int flags = in.u32();
    int mode = in.u32();
    int gid = in.u32();
    if (fid.isOpen()) {
      throw new FileException(Errno.EINVAL);
    }
    fids.checkOpen();
    Place place = names.below(fid.place, name);
    try {
      int fd = folder.create(fid.place, name, flags, mode, fid.uid, gid);
      names.release(fid.place);
      fid.place = place;
      fids.opened(fid, fd, flags);
    } catch (FileException e) {
      names.release(place);
      throw e;
    }
    out.qid(qid(folder.status(place, fid.fd))).u32(0);
  }

  private void read(Request in, Answer out) throws FileException {
    Fid fid = fids.get(in.u32());
    long offset = in.u64();
    int wanted = in.u32();
    int at = out.position() + 4;
    int count = Math.min(wanted < 0 ? Integer.MAX_VALUE : wanted, out.room() - 4);
    int done;
    if (fid.attribute.isPresent()) {
      byte[] value = fid.attribute.get().value;
      done = offset < 0 || offset >= value.length ? 0 : (int) Math.min(count, value.length - offset);
      System.arraycopy(value, done == 0 ? 0 : (int) offset, out.message(), at, done);
    } else if (fid.isOpen() && !fid.folder) {
      done = folder.read(fid.fd, offset, out.message(), at, count);
    } else {
      throw new FileException(Errno.EINVAL);
    }
    out.u32(done).skip(done);
  }

  private void write(Request in, byte[] message, Answer out) throws FileException {
    Fid fid = fids.get(in.u32());
    long offset = in.u64();
    int count = in.u32();
    int at = in.data(count);
    if (fid.attribute.isPresent()) {
      AttributeTransfer attribute = fid.attribute.get();
      if (attribute.name.isEmpty() || offset != attribute.filled || count > attribute.value.length - offset) {
        throw new FileException(Errno.EINVAL);
      }
      System.arraycopy(message, at, attribute.value, (int) offset, count);
      attribute.filled += count;
      out.u32(count);
    } else if (fid.isOpen() && !fid.folder) {
      out.u32(folder.write(fid.fd, offset, message, at, count));
    } else {
      throw new FileException(Errno.EINVAL);
    }
  }

  private void readFolder(Request in, Answer out) throws FileException {
    Fid fid = fids.get(in.u32());
    long offset = in.u64();
    int wanted = in.u32();
    if (!fid.isOpen() || !fid.folder) {
      throw new FileException(Errno.EINVAL);
    }
    int count = Math.min(wanted < 0 ? Integer.MAX_VALUE : wanted, out.room() - 4);
    if (offset != fid.cursor) {
      folder.seek(fid.fd, offset);
    }
    fid.cursor = -1;
    List<Entry> entries = folder.entries(fid.fd, Math.max(count, LEAST_ENTRIES));
    int start = out.position();
    out.u32(0);
    long next = offset;
    int left = count;
    int given = 0;
    for (Entry entry : entries) {
      int bytes = Qid.BYTES + 8 + 1 + 2 + entry.name().length;
      if (bytes > left) {
        break;
      }
      left -= bytes;
      out.qid(qid(fid, entry)).u64(entry.next()).u8(entry.type()).text(entry.name());
      next = entry.next();
      given++;
    }
    if (given == 0 && !entries.isEmpty()) {
      throw new FileException(Errno.EINVAL);
    }
    if (given == entries.size()) {
      fid.cursor = next;
    }
    out.u32At(start, count - left);
  }

  private Qid qid(Fid fid, Entry entry) throws FileException {
    if (paths.remaps() && NameTree.isName(entry.name())) {
      Place place = names.below(fid.place, entry.name());
      try {
        return qid(folder.status(place));
      } catch (FileException e) {
        // Gone by now.
      } finally {
        names.release(place);
      }
    }
    return Qid.of(entry.type(), entry.inode());
  }

  private void sync(Request in) throws FileException {
    Fid fid = fids.get(in.u32());
    boolean dataOnly = in.u32() != 0;
    if (!fid.isOpen()) {
      throw new FileException(Errno.EINVAL);
    }
    folder.sync(fid.fd, dataOnly);
  }

  private void getLock(Request in, Answer out) throws FileException {
    fids.get(in.u32());
    in.u8();
    long start = in.u64();
    long length = in.u64();
    int process = in.u32();
    out.u8(UNLOCKED).u64(start).u64(length).u32(process).text(in.text());
  }

  // Properties.

  private FileStatus status(Fid fid) throws FileException {
    return fid.isOpen() ? folder.status(fid.place, fid.fd) : folder.status(fid.place);
  }

  private void status(Request in, Answer out) throws FileException {
    Fid fid = fids.plain(in);
    in.u64();
    FileStatus s = status(fid);
    out.u64(BASIC_FIELDS).qid(qid(s)).u32(s.mode()).u32(s.uid()).u32(s.gid()).u64(s.links()).u64(s.rdev());
    out.u64(s.size()).u64(s.blockSize()).u64(s.blocks());
    for (FileStatus.Time time : List.of(s.accessed(), s.modified(), s.changed())) {
      out.u64(time.seconds()).u64(time.nanos());
    }
    out.u64(0).u64(0).u64(0).u64(0);
  }

  private void change(Request in) throws FileException {
    Fid fid = fids.plain(in);
    int valid = in.u32();
    int mode = in.u32();
    int uid = in.u32();
    int gid = in.u32();
    long size = in.u64();
    TimeChange accessed = time(in, valid, 0x10, 0x80);
    TimeChange modified = time(in, valid, 0x20, 0x100);
    boolean owner = (valid & 6) != 0;
    if ((valid & 1) != 0) {
      folder.changeMode(fid.place, mode);
    }
    if ((valid & 0x30) != 0) {
      folder.changeTimes(fid.place, accessed, modified);
    }
    // A change of nothing but the time of change is asked for by giving the file to its owner.
    if (owner || valid == 0x40) {
      folder.changeOwner(fid.place, (valid & 2) != 0 ? uid : -1, (valid & 4) != 0 ? gid : -1);
    }
    if ((valid & 8) != 0) {
      if (fid.isOpen() && (fid.flags & ACCESS) != 0) {
        folder.truncate(fid.fd, size);
      } else {
        folder.truncate(fid.place, size);
      }
    }
  }

  private static TimeChange time(Request in, int valid, int any, int given) throws FileException {
    long seconds = in.u64();
    long nanos = in.u64();
    if ((valid & any) == 0) {
      return TimeChange.KEEP;
    }
    if ((valid & given) == 0) {
      return TimeChange.NOW;
    }
    if (nanos < 0 || nanos >= SECOND) {
      throw new FileException(Errno.EINVAL);
    }
    return new TimeChange(seconds, nanos);
  }

  private void readAttribute(Request in, Answer out) throws FileException {
    Fid fid = fids.plain(in);
    int number = in.u32();
    byte[] name = in.text();
    fids.checkNew(number);
    fids.checkAttributes();
    byte[] value = name.length == 0 ? folder.attributes(fid.place) : folder.attribute(fid.place, attributeName(name));
    out.u64(value.length);
    fids.attach(fids.add(number, names.hold(fid.place), fid.uid), AttributeTransfer.toDriver(value));
  }

  private static byte[] attributeName(byte[] name) throws FileException {
    for (byte b : name) {
      if (b == 0) {
        throw new FileException(Errno.EINVAL);
      }
    }
    return name;
  }

  private void createAttribute(Request in) throws FileException {
    Fid fid = fids.plain(in);
    byte[] name = attributeName(in.text());
    long size = in.u64();
    int flags = in.u32();
    if (fid.isOpen() || (flags & ~3) != 0) {
      throw new FileException(Errno.EINVAL);
    }
    if (size < 0 || size > MOST_ATTRIBUTE) {
      throw new FileException(Errno.E2BIG);
    }
    fids.checkAttributes();
    fids.attach(fid, AttributeTransfer.fromDriver(name, (int) size, flags));
  }

  /** An attribute that is set to nothing is removed, as v9fs asks for it. */
  private void setAttribute(Place place, AttributeTransfer attribute) throws FileException {
    if (attribute.name.isEmpty()) {
      return;
    }
    if (attribute.filled != attribute.value.length) {
      throw new FileException(Errno.EINVAL);
    }
    if (attribute.value.length == 0) {
      folder.removeAttribute(place, attribute.name.get());
    } else {
      folder.setAttribute(place, attribute.name.get(), attribute.value, attribute.flags);
    }
  }

  // Names.

  private void answerQid(Place parent, byte[] name, Answer out) throws FileException {
    Place place = names.below(parent, name);
    try {
      out.qid(qid(folder.status(place)));
    } finally {
      names.release(place);
    }
  }

  private void symlink(Request in, Answer out) throws FileException {
    Fid fid = fids.plain(in);
    byte[] name = in.text();
    byte[] target = in.text();
    folder.makeSymlink(fid.place, name, target, fid.uid, in.u32());
    answerQid(fid.place, name, out);
  }

  private void makeNode(Request in, Answer out) throws FileException {
    Fid fid = fids.plain(in);
    byte[] name = in.text();
    int mode = in.u32();
    long major = in.u32() & 0xffffffffL;
    long minor = in.u32() & 0xffffffffL;
    long rdev = minor & 0xff | major << 8 | (minor & ~0xffL) << 12;
    folder.makeNode(fid.place, name, mode, rdev, fid.uid, in.u32());
    answerQid(fid.place, name, out);
  }

  private void makeFolder(Request in, Answer out) throws FileException {
    Fid fid = fids.plain(in);
    byte[] name = in.text();
    int mode = in.u32();
    folder.makeFolder(fid.place, name, mode, fid.uid, in.u32());
    answerQid(fid.place, name, out);
  }

  private void link(Request in) throws FileException {
    Fid parent = fids.plain(in);
    Fid target = fids.plain(in);
    folder.link(target.place, parent.place, in.text());
  }

  private void rename(Request in) throws FileException {
    Fid fid = fids.plain(in);
    Fid newFolder = fids.plain(in);
    byte[] newName = in.text();
    byte[] oldName = fid.place.name();
    Place oldFolder = above(fid.place);
    folder.rename(oldFolder, oldName, newFolder.place, newName);
    names.move(oldFolder, oldName, newFolder.place, newName);
  }

  private void renameAt(Request in) throws FileException {
    Fid oldFolder = fids.plain(in);
    byte[] oldName = in.text();
    Fid newFolder = fids.plain(in);
    byte[] newName = in.text();
    folder.rename(oldFolder.place, oldName, newFolder.place, newName);
    names.move(oldFolder.place, oldName, newFolder.place, newName);
  }

  private void unlinkAt(Request in) throws FileException {
    Fid fid = fids.plain(in);
    byte[] name = in.text();
    int flags = in.u32();
    if ((flags & ~REMOVE_FOLDER) != 0) {
      throw new FileException(Errno.EINVAL);
    }
    if (flags != 0) {
      folder.removeFolder(fid.place, name);
    } else {
      folder.unlink(fid.place, name);
    }
  }

  private static Place above(Place place) throws FileException {
    return place.parent().orElseThrow(() -> new FileException(Errno.EPERM));
  }

  /** Writes the handles, with the paths of what they stand for. */
  public void save(StateWriter out) {
    out.putLong("messageSize", messageSize);
    out.putBytes("fids", fids.save());
  }

  /**
   * Takes the handles up again: files are opened once more, and those that are not there any more fail all requests.
   *
   * @throws StateException when the state makes no sense
   */
  public void load(StateReader in) throws StateException {
    reset();
    int size = (int) in.getLong("messageSize", 0, MOST_MESSAGE);
    fids.load(in.getBytes("fids"));
    messageSize = size;
  }

  /** Forgets the driver. */
  public void reset() {
    fids.clear();
    messageSize = 0;
  }

  @Override
  public void close() {
    reset();
  }
}
