package org.ascus.devices.scsi;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.BlockNode;
import org.ascus.devices.block.Drive;

/**
 * A logical unit: a disk (SBC-3) or a CD drive (MMC-6, as far as a read-only medium needs it), with the commands that
 * all units have (SPC-4). Any number of commands may run at once.
 */
public final class ScsiDisk implements Drive.User {
  private static final int MOST_PARAMETERS = 1 << 16;

  /** Media events of GET EVENT STATUS NOTIFICATION (MMC-6, section 6.6.3.5). */
  private static final int NO_EVENT = 0;

  private static final int EJECT_REQUEST = 1;
  private static final int NEW_MEDIUM = 2;
  private static final int MEDIUM_REMOVED = 3;

  private final String id;
  private final BlockNode node;
  private final ScsiDiskOptions options;
  private final InquiryPages inquiry;
  private final AtomicReference<Optional<SenseException>> attention =
      new AtomicReference<>(Optional.of(SenseException.UNIT_RESET));
  private volatile Consumer<SenseException> notices = _ -> {};
  private volatile boolean trayOpen;
  private volatile boolean locked;
  private volatile int mediaEvent;
  private volatile boolean writeCache;
  private volatile boolean unplugged;

  /** @param id the user's name for it */
  public ScsiDisk(String id, BlockNode node, ScsiDiskOptions options) {
    this.id = id;
    this.node = node;
    this.options = options;
    this.writeCache = !node.writeThrough();
    this.inquiry = new InquiryPages(options, isThin());
  }

  /** Whether space can be given back. */
  private boolean isThin() {
    return !options.cdrom() && !node.readOnly() && options.sizes().discard() > 0;
  }

  @Override
  public String id() {
    return id;
  }

  /** The next command learns that the unit was reset. */
  public void reset() {
    attention.set(Optional.of(SenseException.UNIT_RESET));
    writeCache = !node.writeThrough();
    locked = false;
  }

  /** It is not there any more for commands that come late. */
  public void unplug() {
    unplugged = true;
  }

  /** Has {@code listener} told of what the guest should look at soon. */
  public void onNotice(Consumer<SenseException> listener) {
    notices = listener;
  }

  private void notice(SenseException what) {
    attention.set(Optional.of(what));
    notices.accept(what);
  }

  @Override
  public void resized() {
    notice(options.cdrom() ? SenseException.MEDIUM_CHANGED : SenseException.CAPACITY_CHANGED);
  }

  @Override
  public boolean removable() {
    return options.removable();
  }

  @Override
  public boolean locked() {
    return locked;
  }

  @Override
  public boolean trayOpen() {
    return trayOpen;
  }

  @Override
  public void ejectRequested() {
    mediaEvent = EJECT_REQUEST;
  }

  @Override
  public void trayMoved(boolean open) {
    trayOpen = open;
    if (open) {
      locked = false;
    }
    mediaEvent = open ? MEDIUM_REMOVED : NEW_MEDIUM;
    notice(SenseException.MEDIUM_CHANGED);
  }

  private boolean hasMedium() {
    return !trayOpen && node.size() > 0;
  }

  /** Whether the next command is to learn about a reset. */
  public boolean hasAttention() {
    return attention.get().isPresent();
  }

  /** Goes on from a saved state. */
  public void restore(boolean withAttention, boolean withWriteCache) {
    attention.set(withAttention ? Optional.of(SenseException.UNIT_RESET) : Optional.empty());
    writeCache = withWriteCache;
  }

  /** Goes on from a saved state of the tray. */
  public void restoreTray(boolean open, boolean withLock) {
    trayOpen = open;
    locked = withLock;
  }

  /** Whether writes may stay in a cache until they are flushed. */
  public boolean hasWriteCache() {
    return writeCache;
  }

  public BlockNode node() {
    return node;
  }

  public ScsiDiskOptions options() {
    return options;
  }

  /** Whether a command of this operation code reads or writes blocks, and nothing else. */
  public static boolean transfers(byte code) {
    return switch (code & 0xff) {
      case 0x08, 0x0a, 0x28, 0x2a, 0xa8, 0xaa, 0x88, 0x8a -> true;
      default -> false;
    };
  }

  private long blocks() {
    return node.size() / options.sizes().logical();
  }

  /**
   * Runs a command.
   *
   * @param cdb 6 to 32 bytes, as long as its operation code says or longer
   * @return bytes that were given to the initiator or taken from it
   * @throws SenseException when it ends with CHECK CONDITION
   */
  public long execute(byte[] cdb, ScsiData data) throws SenseException {
    int code = cdb[0] & 0xff;
    if (unplugged) {
      throw SenseException.NO_SUCH_UNIT;
    }
    if (code != 0x12 && code != 0xa0 && code != 0x03 && code != 0x4a) {
      Optional<SenseException> news = attention.getAndSet(Optional.empty());
      if (news.isPresent()) {
        throw news.get();
      }
    }
    if (options.removable() && needsMedium(code) && !hasMedium()) {
      throw SenseException.NO_MEDIUM;
    }
    ByteBuffer c = ByteBuffer.wrap(cdb);
    int most = switch (code >> 5) {
      case 0 -> cdb[4] & 0xff;
      case 1, 2 -> c.getShort(7) & 0xffff;
      default -> (int) Math.min(c.getInt(code == 0xa0 ? 6 : 10) & 0xffffffffL, MOST_PARAMETERS);
    };
    return switch (code) {
      case 0x1b -> startStop(cdb[4]);
      case 0x1e -> prevent(cdb[4]);
      case 0x00, 0x16, 0x17, 0x2f, 0x56, 0x57, 0x8f -> 0;
      case 0x03 -> answer(SenseException.none(), most, data);
      case 0x12 -> answer(inquiry.page((cdb[1] & 1) != 0, cdb[2] & 0xff), c.getShort(3) & 0xffff, data);
      case 0x15 -> modeSelect(4, most, data);
      case 0x55 -> modeSelect(8, most, data);
      case 0x1a -> answer(modeSense(cdb[2] & 0x3f, cdb[2] >> 6 & 3, false), most, data);
      case 0x5a -> answer(modeSense(cdb[2] & 0x3f, cdb[2] >> 6 & 3, true), most, data);
      case 0x25 -> answer(capacity(), 8, data);
      case 0x9e -> serviceAction(cdb[1] & 0x1f, most, data);
      case 0x08 -> transfer(false, false, c.getInt(0) & 0x1fffff, six(cdb[4]), data);
      case 0x0a -> transfer(true, false, c.getInt(0) & 0x1fffff, six(cdb[4]), data);
      case 0x28 -> transfer(false, false, c.getInt(2) & 0xffffffffL, c.getShort(7) & 0xffff, data);
      case 0x2a, 0x2e -> transfer(true, fua(cdb), c.getInt(2) & 0xffffffffL, c.getShort(7) & 0xffff, data);
      case 0xa8 -> transfer(false, false, c.getInt(2) & 0xffffffffL, c.getInt(6) & 0xffffffffL, data);
      case 0xaa -> transfer(true, fua(cdb), c.getInt(2) & 0xffffffffL, c.getInt(6) & 0xffffffffL, data);
      case 0x88 -> transfer(false, false, c.getLong(2), c.getInt(10) & 0xffffffffL, data);
      case 0x8a, 0x8e -> transfer(true, fua(cdb), c.getLong(2), c.getInt(10) & 0xffffffffL, data);
      case 0x35, 0x91 -> flush();
      case 0x41 -> writeSame(cdb, c.getInt(2) & 0xffffffffL, c.getShort(7) & 0xffff, data);
      case 0x93 -> writeSame(cdb, c.getLong(2), c.getInt(10) & 0xffffffffL, data);
      case 0x42 -> unmap(most, data);
      case 0x43, 0x46, 0x4a -> cd(code, cdb, most, data);
      default -> throw SenseException.INVALID_COMMAND;
    };
  }

  private static boolean needsMedium(int code) {
    return switch (code) {
      case 0x00, 0x08, 0x0a, 0x25, 0x28, 0x2a, 0x2e, 0x2f, 0x35, 0x41, 0x42, 0x43, 0x88, 0x8a, 0x8e, 0x8f, 0x91, 0x93,
          0x9e, 0xa8, 0xaa -> true;
      default -> false;
    };
  }

  /** START STOP UNIT (MMC-6, section 6.42): bit 0 to start, bit 1 to move the tray. */
  private long startStop(byte flags) throws SenseException {
    if (options.removable() && (flags & 2) != 0) {
      boolean open = (flags & 1) == 0;
      if (open && locked) {
        throw SenseException.REMOVAL_PREVENTED;
      }
      if (open != trayOpen) {
        trayOpen = open;
        mediaEvent = open ? MEDIUM_REMOVED : NEW_MEDIUM;
        attention.set(Optional.of(SenseException.MEDIUM_CHANGED));
      }
    }
    return 0;
  }

  private long prevent(byte flags) {
    locked = options.removable() && (flags & 1) != 0;
    return 0;
  }

  private static int six(byte blocks) {
    return blocks == 0 ? 256 : blocks & 0xff;
  }

  private static boolean fua(byte[] cdb) {
    return (cdb[1] & 8) != 0;
  }

  private static long answer(byte[] bytes, int most, ScsiData data) {
    int count = (int) Math.min(Math.min(bytes.length, most), data.inSize());
    data.toInitiator(bytes, count);
    return count;
  }

  private void checkRange(long block, long count) throws SenseException {
    if (block < 0 || count < 0 || block > blocks() - count) {
      throw SenseException.OUT_OF_RANGE;
    }
  }

  private void checkWritable() throws SenseException {
    if (options.cdrom()) {
      throw SenseException.INVALID_COMMAND;
    }
    if (node.readOnly()) {
      throw SenseException.WRITE_PROTECTED;
    }
  }

  private long transfer(boolean write, boolean through, long block, long count, ScsiData data) throws SenseException {
    if (write) {
      checkWritable();
    }
    checkRange(block, count);
    long length = Math.min(count * options.sizes().logical(), write ? data.outSize() : data.inSize());
    long at = block * options.sizes().logical();
    try {
      if (write) {
        data.write(node, at, length);
      } else {
        data.read(node, at, length);
      }
      if (write && (through || !writeCache) && !node.writeThrough()) {
        node.flush();
      }
    } catch (BlockException e) {
      failed(!write, e);
    }
    return length;
  }

  /** Returns if the failure is to be ignored. */
  private void failed(boolean read, BlockException e) throws SenseException {
    switch (options.errors().of(read, e)) {
      case REPORT -> throw read ? SenseException.READ_ERROR : SenseException.WRITE_ERROR;
      case STOP -> throw read ? SenseException.READ_AGAIN : SenseException.WRITE_AGAIN;
      case IGNORE -> {}
    }
  }

  private long flush() throws SenseException {
    try {
      node.flush();
    } catch (BlockException e) {
      failed(false, e);
    }
    return 0;
  }

  private long writeSame(byte[] cdb, long block, long count, ScsiData data) throws SenseException {
    checkWritable();
    checkRange(block, count);
    byte[] pattern = new byte[options.sizes().logical()];
    boolean noData = (cdb[1] & 1) != 0;
    if (!noData && !data.fromInitiator(pattern, pattern.length) || count == 0
        || Long.compareUnsigned(count * pattern.length, options.maxIo()) > 0) {
      throw SenseException.INVALID_FIELD;
    }
    try {
      if (Arrays.equals(pattern, new byte[pattern.length])) {
        node.writeZeroes(block * pattern.length, count * pattern.length, (cdb[1] & 8) != 0);
      } else {
        for (long i = 0; i < count; i++) {
          node.write((block + i) * pattern.length, ByteBuffer.wrap(pattern));
        }
      }
    } catch (BlockException e) {
      failed(false, e);
    }
    return noData ? 0 : pattern.length;
  }

  private long unmap(int length, ScsiData data) throws SenseException {
    checkWritable();
    byte[] list = new byte[length];
    if (length < 8 || !data.fromInitiator(list, length)) {
      throw SenseException.INVALID_PARAMETER;
    }
    ByteBuffer b = ByteBuffer.wrap(list);
    int bytes = Math.min(b.getShort(2) & 0xffff, length - 8);
    for (int at = 8; at + 16 <= 8 + bytes; at += 16) {
      long block = b.getLong(at);
      long count = b.getInt(at + 8) & 0xffffffffL;
      checkRange(block, count);
      try {
        node.discard(block * options.sizes().logical(), count * options.sizes().logical());
      } catch (BlockException e) {
        failed(false, e);
      }
    }
    return length;
  }

  private byte[] capacity() {
    long last = blocks() - 1;
    return ByteBuffer.allocate(8)
        .putInt((int) Math.min(last, 0xffffffffL))
        .putInt(options.sizes().logical())
        .array();
  }

  private long serviceAction(int action, int most, ScsiData data) throws SenseException {
    if (action != 0x10) {
      throw SenseException.INVALID_FIELD;
    }
    byte[] answer =
        ByteBuffer.allocate(32)
            .putLong(blocks() - 1)
            .putInt(options.sizes().logical())
            .put((byte) 0)
            .put((byte) options.sizes().physicalExponent())
            .put((byte) (isThin() ? 0x80 : 0))
            .array();
    return answer(answer, most, data);
  }

  /** Mode parameters (SPC-4, section 7.5): the caching page, and for a CD drive its capabilities. */
  private byte[] modeSense(int page, int control, boolean ten) throws SenseException {
    if (control == 3) {
      throw SenseException.INVALID_FIELD;
    }
    ByteBuffer b = ByteBuffer.allocate(128);
    int header = ten ? 8 : 4;
    b.position(header);
    boolean all = page == 0x3f;
    if (!options.cdrom()) {
      long count = blocks();
      b.putInt(count > 0xffffffffL ? -1 : (int) count).putInt(options.sizes().logical());
    }
    int descriptors = b.position() - header;
    if (all || page == 0x08) {
      int at = b.position();
      b.put((byte) 0x08).put((byte) 18);
      b.put((byte) (control == 1 ? 4 : writeCache ? 4 : 0));
      b.position(at + 20);
    }
    if (options.cdrom() && (all || page == 0x2a)) {
      int at = b.position();
      b.put((byte) 0x2a).put((byte) 20).put((byte) 0x3b).put((byte) 0).put((byte) 0x7f).put((byte) 0xff);
      b.put((byte) 0x2d);
      b.position(at + 22);
    }
    int length = b.position();
    if (length == header + descriptors && !all) {
      throw SenseException.INVALID_FIELD;
    }
    byte device = (byte) (options.cdrom() ? 0 : (node.readOnly() ? 0x80 : 0) | (options.dpofua() ? 0x10 : 0));
    if (ten) {
      b.putShort(0, (short) (length - 2)).put(3, device).putShort(6, (short) descriptors);
    } else {
      b.put(0, (byte) (length - 1)).put(2, device).put(3, (byte) descriptors);
    }
    return Arrays.copyOf(b.array(), length);
  }

  private long modeSelect(int header, int length, ScsiData data) throws SenseException {
    byte[] list = new byte[length];
    if (!data.fromInitiator(list, length)) {
      throw SenseException.INVALID_PARAMETER;
    }
    if (length < header) {
      return length;
    }
    int descriptors = header == 4 ? list[3] & 0xff : (list[6] & 0xff) << 8 | list[7] & 0xff;
    int at = header + descriptors;
    while (at + 2 <= length) {
      int size = list[at + 1] & 0xff;
      boolean caching = (list[at] & 0x3f) == 0x08;
      if (!caching || at + 2 + size > length || size < 1) {
        throw SenseException.INVALID_PARAMETER;
      }
      writeCache = (list[at + 2] & 4) != 0;
      at += 2 + size;
    }
    if (!writeCache) {
      flush();
    }
    return length;
  }

  /** READ TOC, GET CONFIGURATION and GET EVENT STATUS NOTIFICATION of a drive with a data disc. */
  private long cd(int code, byte[] cdb, int most, ScsiData data) throws SenseException {
    if (!options.cdrom()) {
      throw SenseException.INVALID_COMMAND;
    }
    return switch (code) {
      case 0x43 -> answer(contents((cdb[1] & 2) != 0), most, data);
      case 0x46 -> {
        ByteBuffer b = ByteBuffer.allocate(20).putInt(16);
        b.putShort((short) 0).putShort((short) (hasMedium() ? 0x08 : 0));
        // The profile list; the profile of a CD-ROM is the current one if there is a disc.
        b.putShort((short) 0).put((byte) 3).put((byte) 4).putShort((short) 0x08).put((byte) (hasMedium() ? 1 : 0));
        yield answer(b.array(), most, data);
      }
      default -> mediaStatus(cdb, most, data);
    };
  }

  /** GET EVENT STATUS NOTIFICATION: bit 0 of the status is an open tray, bit 1 a disc. */
  private long mediaStatus(byte[] cdb, int most, ScsiData data) throws SenseException {
    if ((cdb[1] & 1) == 0) {
      throw SenseException.INVALID_FIELD;
    }
    if ((cdb[4] & 0x10) == 0) {
      return answer(new byte[] {0, 2, (byte) 0x80, 0x10}, most, data);
    }
    int event = mediaEvent;
    mediaEvent = NO_EVENT;
    int status = (trayOpen ? 1 : 0) | (hasMedium() ? 2 : 0);
    return answer(new byte[] {0, 6, 4, 0x10, (byte) event, (byte) status, 0, 0}, most, data);
  }

  private byte[] contents(boolean minutes) {
    ByteBuffer b = ByteBuffer.allocate(20).putShort((short) 18).put((byte) 1).put((byte) 1);
    b.put((byte) 0).put((byte) 0x14).put((byte) 1).put((byte) 0).putInt(minutes ? 0x200 : 0);
    b.put((byte) 0).put((byte) 0x16).put((byte) 0xaa).put((byte) 0);
    long end = blocks();
    long frames = end + 150;
    b.putInt(
        minutes ? (int) (frames / 4500 << 16 | frames / 75 % 60 << 8 | frames % 75) : (int) end);
    return b.array();
  }

  static byte[] padded(String text, int length) {
    byte[] result = new byte[length];
    Arrays.fill(result, (byte) ' ');
    byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
    System.arraycopy(bytes, 0, result, 0, Math.min(bytes.length, length));
    return result;
  }
}
