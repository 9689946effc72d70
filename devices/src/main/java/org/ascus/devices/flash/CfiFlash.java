package org.ascus.devices.flash;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.ascus.machine.bus.BusDevice;
import org.ascus.machine.bus.GuestRam;
import org.ascus.machine.bus.MmioRegion;
import org.ascus.machine.bus.RomDeviceRegion;
import org.ascus.machine.device.Device;
import org.ascus.machine.device.DeviceException;
import org.ascus.machine.state.StateException;
import org.ascus.machine.state.StateReader;
import org.ascus.machine.state.StateWriter;
import org.ascus.machine.trace.Log;

/**
 * A bank of NOR flash: two 16-bit chips side by side on a 32-bit bus, with Intel's command set (Intel StrataFlash J3
 * data sheet, "Device Commands"; CFI primary command set 0001h). Both chips get the same commands, each in its half of
 * the bus, and answer alike.
 *
 * <pre>
 * ff      read array                  70      read status, 50 clear it
 * 90      read identifier             98      read the CFI table
 * 40, 10  program a word: data        e8      program a buffer: count - 1, data..., d0
 * 20 d0   erase a block               60 01 / 60 d0  lock and unlock blocks: accepted, nothing is locked
 * </pre>
 *
 * <p>Status: bit 7 ready (always), 5 erase failed, 4 program failed; a bank that is read only fails both. Programming
 * only clears bits. In array mode reads are plain memory. A bank without contents is blank, all ones, and takes no host
 * memory until it is programmed.
 */
public final class CfiFlash extends Device {
  /** Bytes of an erase block of the virt board's banks, both chips together. */
  public static final int SECTOR = 256 << 10;

  private static final int PAGE = GuestRam.PAGE;
  private static final int CHIPS = 2;
  private static final int BUFFER_LOG2 = 11;
  private static final int BUFFER = CHIPS << BUFFER_LOG2;
  private static final int MANUFACTURER = 0x89;
  private static final int DEVICE = 0x18;

  private static final int READY = 0x80;
  private static final int ERASE_FAILED = 0x20;
  private static final int PROGRAM_FAILED = 0x10;

  /** What reads answer. */
  private enum Mode {
    ARRAY,
    STATUS,
    IDENTIFIER,
    QUERY
  }

  /** What the next write is. */
  private enum Next {
    COMMAND,
    WORD,
    ERASE_CONFIRM,
    LOCK,
    BUFFER_COUNT,
    BUFFER_DATA,
    BUFFER_CONFIRM
  }

  private final Log log;
  private final int sector;
  private final GuestRam ram;
  private final Optional<FlashFile> file;
  private final boolean readOnly;
  private final CfiTable cfi;
  private final RomDeviceRegion region;
  private boolean blank;

  private Mode mode = Mode.ARRAY;
  private Next next = Next.COMMAND;
  private int status = READY;
  private int wordsLeft;
  private long bufferStart;
  /** What the buffer program writes, as it will be in the array; unwritten bytes are ones. */
  private final byte[] buffer = new byte[BUFFER];

  private CfiFlash(String id, Log log, long size, int sector, Optional<FlashFile> file, boolean readOnly) {
    super("cfi.pflash01", id);
    if (Long.bitCount(size) != 1 || Integer.bitCount(sector) != 1 || sector < BUFFER || size < sector) {
      throw new IllegalArgumentException("flash of " + size + " bytes in sectors of " + sector);
    }
    this.log = log;
    this.sector = sector;
    this.ram = new GuestRam(id, size);
    this.file = file;
    this.readOnly = readOnly;
    this.cfi = new CfiTable(size / CHIPS, sector / CHIPS, BUFFER_LOG2);
    this.blank = true;
    this.region = new RomDeviceRegion(ram, new MmioRegion(id, size, new Commands(), lock()), false);
    Arrays.fill(buffer, (byte) 0xff);
  }

  /** A blank bank that forgets with the machine. */
  public static CfiFlash blank(String id, Log log, long size, int sector) {
    return new CfiFlash(id, log, size, sector, Optional.empty(), false);
  }

  /** A bank with {@code contents} from offset 0 on, at most {@code size} bytes, that forgets with the machine. */
  public static CfiFlash of(String id, Log log, long size, int sector, byte[] contents) {
    CfiFlash flash = blank(id, log, size, sector);
    flash.fill();
    flash.ram.write(0, contents, 0, contents.length);
    flash.region.setArrayMode(true);
    return flash;
  }

  /**
   * A bank that is kept in a file of its size, which is written as the guest programs unless {@code readOnly}.
   *
   * @throws DeviceException naming the file when it cannot be opened so or has another size
   */
  public static CfiFlash open(String id, Log log, long size, int sector, Path path, boolean readOnly)
      throws DeviceException {
    FlashFile file = FlashFile.open(path, readOnly, size);
    CfiFlash flash = new CfiFlash(id, log, size, sector, Optional.of(file), readOnly);
    file.load(flash.ram);
    flash.blank = false;
    flash.region.setArrayMode(true);
    return flash;
  }

  public RomDeviceRegion region() {
    return region;
  }

  /** The commands alone, which is the region when it is not in array mode. */
  public MmioRegion commands() {
    return new MmioRegion(id(), ram.size(), new Commands(), lock());
  }

  private void fill() {
    if (blank) {
      blank = false;
      ram.fill(0, ram.size(), (byte) 0xff);
    }
  }

  private void mode(Mode newMode) {
    mode = newMode;
    region.setArrayMode(mode == Mode.ARRAY && !blank);
  }

  private final class Commands implements BusDevice {
    private static final AccessSizes SIZES = new AccessSizes(1, 4, false);

    @Override
    public AccessSizes accessSizes() {
      return SIZES;
    }

    @Override
    public long read(long offset, int width) {
      if (offset > ram.size() - width) {
        return 0;
      }
      return switch (mode) {
        case ARRAY -> blank ? -1L : ram.get(offset, width);
        case STATUS -> lane(status, offset);
        case IDENTIFIER -> lane(identifier((int) (offset >>> 2) & 0xff), offset);
        case QUERY -> lane(cfi.get((int) (offset >>> 2) & 0xff), offset);
      };
    }

    @Override
    public void write(long offset, int width, long value) {
      if (offset <= ram.size() - width) {
        cycle(offset, width, value);
      }
    }
  }

  /** What both chips put on the bus, as seen from byte {@code offset} on. */
  private static long lane(int value, long offset) {
    return (value | value << 16) >>> (offset & 3) * 8 & 0xffffffffL;
  }

  /** By the address bits above the bus width: manufacturer, device, and for each block whether it is locked. */
  private static int identifier(int index) {
    return switch (index) {
      case 0 -> MANUFACTURER;
      case 1 -> DEVICE;
      default -> 0;
    };
  }

  private void cycle(long offset, int width, long value) {
    switch (next) {
      case COMMAND -> command(offset, (int) value & 0xff);
      case WORD -> {
        byte[] word = new byte[width];
        for (int i = 0; i < width; i++) {
          word[i] = (byte) (value >>> 8 * i);
        }
        program(offset, word, width);
        next = Next.COMMAND;
      }
      case ERASE_CONFIRM -> {
        if (confirmed(value)) {
          erase(offset & -sector);
        }
        next = Next.COMMAND;
      }
      case LOCK -> {
        int kind = (int) value & 0xff;
        if (kind == 0xff) {
          mode(Mode.ARRAY);
        }
        status |= kind == 0x01 || kind == 0xd0 || kind == 0xff ? 0 : PROGRAM_FAILED | ERASE_FAILED;
        next = Next.COMMAND;
      }
      case BUFFER_COUNT -> {
        // The number of bus words less one; each chip counts for itself and gets the same number.
        wordsLeft = (int) (value & 0xffff) + 1;
        bufferStart = offset & -BUFFER;
        next = Next.BUFFER_DATA;
        if (wordsLeft > BUFFER / 4) {
          failSequence("a buffer of " + wordsLeft + " words");
        }
      }
      case BUFFER_DATA -> {
        if ((offset & -BUFFER) != bufferStart) {
          failSequence("a buffer across its boundary");
          return;
        }
        for (int i = 0; i < width; i++) {
          buffer[(int) (offset + i) & BUFFER - 1] = (byte) (value >>> 8 * i);
        }
        if (--wordsLeft == 0) {
          next = Next.BUFFER_CONFIRM;
        }
      }
      case BUFFER_CONFIRM -> {
        if (confirmed(value)) {
          program(bufferStart, buffer, BUFFER);
        }
        Arrays.fill(buffer, (byte) 0xff);
        next = Next.COMMAND;
      }
    }
  }

  private void command(long offset, int command) {
    switch (command) {
      case 0xff, 0xf0, 0x00 -> mode(Mode.ARRAY);
      case 0x70 -> mode(Mode.STATUS);
      case 0x50 -> status = READY;
      case 0x90 -> mode(Mode.IDENTIFIER);
      case 0x98 -> mode(Mode.QUERY);
      case 0x10, 0x40 -> start(Next.WORD);
      case 0x20 -> start(Next.ERASE_CONFIRM);
      case 0x60 -> start(Next.LOCK);
      case 0xe8 -> {
        Arrays.fill(buffer, (byte) 0xff);
        start(Next.BUFFER_COUNT);
      }
      // Suspend and resume: nothing ever takes time.
      case 0xb0, 0xd0 -> {}
      default ->
          log.log(
              Log.Category.GUEST_ERRORS,
              () -> String.format("%s: unknown command 0x%02x at offset 0x%x", id(), command, offset));
    }
  }

  private void start(Next what) {
    next = what;
    mode(Mode.STATUS);
  }

  private boolean confirmed(long value) {
    if ((value & 0xff) == 0xd0) {
      return true;
    }
    failSequence("0x" + Long.toHexString(value & 0xff) + " where a confirmation belongs");
    return false;
  }

  /** Both failure bits together say that the sequence of commands was wrong. */
  private void failSequence(String why) {
    log.log(Log.Category.GUEST_ERRORS, () -> id() + ": " + why);
    status |= PROGRAM_FAILED | ERASE_FAILED;
    wordsLeft = 0;
    next = Next.COMMAND;
  }

  private void program(long offset, byte[] data, int length) {
    if (readOnly) {
      status |= PROGRAM_FAILED;
      return;
    }
    fill();
    byte[] array = new byte[length];
    ram.read(offset, array, 0, length);
    for (int i = 0; i < length; i++) {
      array[i] &= data[i];
    }
    ram.write(offset, array, 0, length);
    keep(offset, length, PROGRAM_FAILED);
  }

  private void erase(long offset) {
    if (readOnly) {
      status |= ERASE_FAILED;
      return;
    }
    if (!blank) {
      ram.fill(offset, sector, (byte) 0xff);
      keep(offset, sector, ERASE_FAILED);
    }
  }

  private void keep(long offset, int length, int failure) {
    if (file.isPresent()) {
      try {
        file.get().store(ram, offset, length);
      } catch (IOException e) {
        status |= failure;
      }
    }
  }

  /** The contents stay; the chips go back to array mode. */
  @Override
  public void resetEnter() {
    next = Next.COMMAND;
    status = READY;
    wordsLeft = 0;
    bufferStart = 0;
    Arrays.fill(buffer, (byte) 0xff);
    mode(Mode.ARRAY);
  }

  @Override
  public Map<String, String> properties() {
    Map<String, String> result = new LinkedHashMap<>();
    result.put("size", Long.toString(ram.size()));
    result.put("sector-length", Integer.toString(sector));
    result.put("read-only", Boolean.toString(readOnly));
    return result;
  }

  /** Contents are the pages that are not all ones. */
  @Override
  public void save(StateWriter out) {
    out.putString("mode", mode.name());
    out.putString("next", next.name());
    out.putLong("status", status);
    out.putLong("wordsLeft", wordsLeft);
    out.putLong("bufferStart", bufferStart);
    out.putBytes("buffer", buffer);
    out.putBoolean("blank", blank);
    byte[] page = new byte[PAGE];
    for (long at = 0; at < ram.size() && !blank; at += PAGE) {
      if (!isBlank(at)) {
        ram.read(at, page, 0, PAGE);
        out.putBytes("page." + at, page.clone());
      }
    }
  }

  private boolean isBlank(long page) {
    for (int at = 0; at < PAGE; at += 8) {
      if (ram.getLong(page + at) != -1L) {
        return false;
      }
    }
    return true;
  }

  @Override
  public void load(StateReader in, int version) throws StateException {
    Mode newMode = constant(Mode.class, in.getString("mode"));
    next = constant(Next.class, in.getString("next"));
    status = (int) in.getLong("status", 0, 0xff);
    wordsLeft = (int) in.getLong("wordsLeft", next == Next.BUFFER_DATA ? 1 : 0, BUFFER / 4);
    bufferStart = in.getLong("bufferStart", 0, ram.size() - BUFFER) & -BUFFER;
    byte[] bytes = in.getBytes("buffer");
    if (bytes.length != BUFFER) {
      throw new StateException("section " + id() + ", field buffer: " + bytes.length + " bytes");
    }
    System.arraycopy(bytes, 0, buffer, 0, BUFFER);
    if (!in.getBoolean("blank")) {
      loadContents(in);
    } else if (!blank) {
      for (long at = 0; at < ram.size(); at += sector) {
        erase(at);
      }
    }
    mode(newMode);
  }

  private void loadContents(StateReader in) throws StateException {
    fill();
    byte[] ones = new byte[PAGE];
    Arrays.fill(ones, (byte) 0xff);
    for (long at = 0; at < ram.size(); at += PAGE) {
      byte[] page = in.has("page." + at) ? in.getBytes("page." + at) : ones;
      if (page.length != PAGE) {
        throw new StateException("section " + id() + ", field page." + at + ": not a page");
      }
      byte[] old = new byte[PAGE];
      ram.read(at, old, 0, PAGE);
      if (!Arrays.equals(old, page)) {
        ram.write(at, page, 0, PAGE);
        if (!readOnly) {
          keep(at, PAGE, 0);
        }
      }
    }
  }

  private <E extends Enum<E>> E constant(Class<E> kind, String name) throws StateException {
    for (E constant : kind.getEnumConstants()) {
      if (constant.name().equals(name)) {
        return constant;
      }
    }
    throw new StateException("section " + id() + ": no such state as " + name);
  }

  @Override
  public void close() {
    file.ifPresent(FlashFile::close);
  }
}
