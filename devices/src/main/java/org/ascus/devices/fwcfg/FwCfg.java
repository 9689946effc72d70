package org.ascus.devices.fwcfg;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import org.ascus.machine.bus.AddressSpace;
import org.ascus.machine.bus.BusDevice;
import org.ascus.machine.bus.BusFault;
import org.ascus.machine.bus.FlatView;
import org.ascus.machine.bus.MmioRegion;
import org.ascus.machine.bus.RamRegion;
import org.ascus.machine.device.Device;
import org.ascus.machine.state.StateException;
import org.ascus.machine.state.StateReader;
import org.ascus.machine.state.StateWriter;
import org.ascus.machine.trace.Log;

/**
 * QEMU's firmware configuration device, with memory-mapped registers (QEMU's "Firmware Configuration (fw_cfg) Device"
 * specification): read-only items by number, and named files found through a directory.
 *
 * <pre>
 * 0x00  data      8 bytes; reads give the next bytes of the selected item in memory order, zeros after its end
 * 0x08  selector  16 bits, big-endian; a write selects an item from its first byte on
 * 0x10  DMA       64 bits, big-endian; reads "QEMU CFG"; a write of the address, or of its low half last, starts
 * </pre>
 *
 * <p>A DMA descriptor in guest memory is control (4 bytes), length (4) and address (8), big-endian. Control bits: 0
 * error, 1 read, 2 skip, 3 select item of bits 31:16, 4 write; it reads 0 when done. Guests cannot write items. Data
 * goes to and comes from RAM alone.
 */
public final class FwCfg extends Device implements BusDevice {
  /** Bytes of the register window. */
  public static final long SIZE = 0x18;

  /** Number of harts, 16 bits. */
  public static final int CPUS = 0x05;

  public static final int KERNEL_ADDRESS = 0x07;
  public static final int KERNEL_SIZE = 0x08;
  public static final int INITRD_ADDRESS = 0x0a;
  public static final int INITRD_SIZE = 0x0b;
  public static final int KERNEL_DATA = 0x11;
  public static final int INITRD_DATA = 0x12;
  public static final int COMMAND_LINE_ADDRESS = 0x13;
  public static final int COMMAND_LINE_SIZE = 0x14;
  public static final int COMMAND_LINE_DATA = 0x15;

  private static final int SIGNATURE = 0x00;
  private static final int FEATURES = 0x01;
  private static final int UUID = 0x02;
  private static final int NO_GRAPHICS = 0x04;
  private static final int BOOT_MENU = 0x0e;
  private static final int DIRECTORY = 0x19;
  private static final int FIRST_FILE = 0x20;
  private static final int NAME_LENGTH = 56;

  /** Traditional interface and DMA. */
  private static final int HAS_DMA = 3;

  private static final long DMA_SIGNATURE = 0x51454d5520434647L;
  private static final int ERROR = 1;
  private static final int READ = 2;
  private static final int SKIP = 4;
  private static final int SELECT = 8;
  private static final int WRITE = 16;
  private static final int CHUNK = 1 << 16;

  private final AddressSpace memory;
  private final Log log;
  private final MmioRegion region;
  private final Map<Integer, byte[]> items = new HashMap<>();
  private final TreeMap<String, byte[]> files = new TreeMap<>();
  private int selected;
  private long position;
  private long dmaHigh;
  private boolean inDma;

  /**
   * @param memory where DMA descriptors and data lie
   */
  public FwCfg(String id, AddressSpace memory, Log log) {
    super("fw_cfg_mem", id);
    this.memory = memory;
    this.log = log;
    this.region = new MmioRegion("fwcfg", SIZE, this, lock());
    add(SIGNATURE, "QEMU".getBytes(StandardCharsets.US_ASCII));
    addInt(FEATURES, HAS_DMA);
    add(UUID, new byte[16]);
    addShort(NO_GRAPHICS, 1);
    addShort(BOOT_MENU, 0);
    rebuild();
  }

  public MmioRegion region() {
    return region;
  }

  /** Adds an item, before the guest runs. */
  public void add(int key, byte[] data) {
    items.put(key, data.clone());
  }

  /** Adds a 16-bit item, little-endian. */
  public void addShort(int key, int value) {
    add(key, new byte[] {(byte) value, (byte) (value >>> 8)});
  }

  /** Adds a 32-bit item, little-endian. */
  public void addInt(int key, int value) {
    add(key, new byte[] {(byte) value, (byte) (value >>> 8), (byte) (value >>> 16), (byte) (value >>> 24)});
  }

  /**
   * Adds a file, before the guest runs.
   *
   * @param name such as {@code opt/org.example/name}; at most 55 bytes of ASCII
   * @throws IllegalArgumentException when there is one of that name, or the name is too long
   */
  public void addFile(String name, byte[] data) {
    if (name.isEmpty() || name.length() >= NAME_LENGTH || !StandardCharsets.US_ASCII.newEncoder().canEncode(name)) {
      throw new IllegalArgumentException("fw_cfg file name '" + name + "': not 1 to 55 ASCII characters");
    }
    if (files.putIfAbsent(name, data.clone()) != null) {
      throw new IllegalArgumentException("fw_cfg file '" + name + "' exists already");
    }
    rebuild();
  }

  /** Numbers the files by name and writes their directory. */
  private void rebuild() {
    ByteBuffer directory = ByteBuffer.allocate(4 + files.size() * (8 + NAME_LENGTH));
    directory.putInt(files.size());
    int key = FIRST_FILE;
    for (Map.Entry<String, byte[]> file : files.entrySet()) {
      directory.putInt(file.getValue().length).putShort((short) key).putShort((short) 0);
      byte[] name = new byte[NAME_LENGTH];
      byte[] text = file.getKey().getBytes(StandardCharsets.US_ASCII);
      System.arraycopy(text, 0, name, 0, text.length);
      directory.put(name);
      items.put(key++, file.getValue());
    }
    items.put(DIRECTORY, directory.array());
  }

  private byte[] item() {
    return items.getOrDefault(selected, new byte[0]);
  }

  private void select(int key) {
    selected = key & 0xffff;
    position = 0;
  }

  /** Copies the next bytes of the selected item; zeros after its end. */
  private void next(byte[] target, int length) {
    byte[] item = item();
    for (int i = 0; i < length; i++) {
      target[i] = position < item.length ? item[(int) position++] : 0;
    }
  }

  @Override
  public long read(long offset, int width) {
    if (offset < 8) {
      byte[] bytes = new byte[8];
      next(bytes, width);
      return Long.reverseBytes(ByteBuffer.wrap(bytes).getLong());
    }
    if (offset >= 0x10) {
      return Long.reverseBytes(DMA_SIGNATURE) >>> 8 * (offset - 0x10);
    }
    return 0;
  }

  @Override
  public void write(long offset, int width, long value) {
    if (offset == 8 && width >= 2) {
      select(Short.reverseBytes((short) value) & 0xffff);
    } else if (offset == 0x10 && width == 8) {
      transfer(Long.reverseBytes(value));
    } else if (offset == 0x10 && width == 4) {
      dmaHigh = Integer.reverseBytes((int) value) & 0xffffffffL;
    } else if (offset == 0x14 && width == 4) {
      transfer(dmaHigh << 32 | Integer.reverseBytes((int) value) & 0xffffffffL);
      dmaHigh = 0;
    }
  }

  // ---- DMA ----

  private void transfer(long descriptor) {
    if (inDma) {
      return;
    }
    inDma = true;
    try {
      byte[] bytes = new byte[16];
      checkRam(descriptor, bytes.length);
      memory.read(descriptor, bytes, 0, bytes.length);
      ByteBuffer fields = ByteBuffer.wrap(bytes);
      int control = fields.getInt();
      long length = fields.getInt() & 0xffffffffL;
      boolean done = carryOut(control, length, fields.getLong());
      byte[] result = {0, 0, 0, (byte) (done ? 0 : ERROR)};
      memory.write(descriptor, result, 0, result.length);
    } catch (BusFault e) {
      complain("no RAM at DMA descriptor 0x" + Long.toHexString(descriptor));
    } finally {
      inDma = false;
    }
  }

  private boolean carryOut(int control, long length, long address) {
    if ((control & SELECT) != 0) {
      select(control >>> 16);
    }
    if ((control & READ) != 0) {
      return read(length, address);
    }
    if ((control & WRITE) != 0) {
      complain("write to read-only item 0x" + Integer.toHexString(selected));
      return false;
    }
    if ((control & SKIP) != 0) {
      position = Math.min(position + length, item().length);
    }
    return true;
  }

  private boolean read(long length, long address) {
    try {
      checkRam(address, length);
      byte[] chunk = new byte[(int) Math.min(CHUNK, length)];
      for (long done = 0; done < length; ) {
        int count = (int) Math.min(chunk.length, length - done);
        next(chunk, count);
        memory.write(address + done, chunk, 0, count);
        done += count;
      }
      return true;
    } catch (BusFault e) {
      complain("DMA to 0x" + Long.toHexString(address) + ", which is no RAM");
      return false;
    }
  }

  /** DMA to devices, this one among them, would take their locks inside this one's. */
  private void checkRam(long address, long length) throws BusFault {
    if (address < 0 || address > AddressSpace.SIZE - length) {
      throw BusFault.UNASSIGNED;
    }
    FlatView view = memory.view();
    for (long at = address; at < address + length; ) {
      FlatView.Range range = view.find(at, 1);
      if (!(range.region() instanceof RamRegion ram) || !ram.writable()) {
        throw BusFault.UNASSIGNED;
      }
      at = range.end();
    }
  }

  private void complain(String what) {
    log.log(Log.Category.GUEST_ERRORS, () -> id() + ": " + what);
  }

  // ---- reset and state ----

  @Override
  public void resetEnter() {
    select(0);
    dmaHigh = 0;
  }

  @Override
  public Map<String, String> properties() {
    Map<String, String> result = new LinkedHashMap<>();
    result.put("dma_enabled", "true");
    result.put("files", String.join(" ", files.keySet()));
    return result;
  }

  @Override
  public void save(StateWriter out) {
    out.putLong("selected", selected);
    out.putLong("position", position);
    out.putLong("dmaHigh", dmaHigh);
  }

  @Override
  public void load(StateReader in, int version) throws StateException {
    selected = (int) in.getLong("selected", 0, 0xffff);
    position = in.getLong("position", 0, Integer.MAX_VALUE);
    dmaHigh = in.getLong("dmaHigh", 0, 0xffffffffL);
  }
}
