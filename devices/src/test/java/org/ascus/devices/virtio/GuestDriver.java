package org.ascus.devices.virtio;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.ascus.devices.virtio.transport.mmio.VirtioMmio;
import org.ascus.machine.bus.BusFault;
import org.ascus.machine.bus.GuestRam;
import org.ascus.machine.bus.RamRegion;
import org.ascus.machine.device.Device;
import org.ascus.machine.irq.IrqLine;
import org.ascus.machine.run.Machine;
import org.ascus.machine.trace.Log;

/**
 * A driver without a guest: it programs a transport and its rings as an operating system would. Registers go by the
 * offsets that they have in virtio-mmio, on every transport.
 */
public final class GuestDriver implements AutoCloseable {
  /** A transport and the interface of it that the driver speaks. */
  public enum Bus {
    MMIO_LEGACY(true, false),
    MMIO(false, false),
    PCI_LEGACY(true, true),
    PCI(false, true);

    private final boolean legacy;
    private final boolean pci;

    Bus(boolean legacy, boolean pci) {
      this.legacy = legacy;
      this.pci = pci;
    }

    public boolean legacy() {
      return legacy;
    }

    public boolean pci() {
      return pci;
    }
  }

  public static final long RAM = 0x8000_0000L;
  public static final int RAM_SIZE = 16 << 20;
  public static final long SLOT = 0x1000_8000L;

  private static final int NEXT = 1;
  private static final int WRITE = 2;
  private static final int INDIRECT = 4;

  /** Makes the device under test for a machine. */
  @FunctionalInterface
  public interface Maker {
    VirtioDevice make(VirtioHost host) throws Exception;
  }

  /** A part of a chain: guest address, bytes, direction. */
  public record Part(long address, long length, boolean write) {}

  /** A queue as the driver sees it. */
  public final class Queue {
    final int index;
    final int size;
    public final long desc;
    public final long avail;
    public final long used;
    int nextDesc;
    int availIndex;
    int seenUsed;

    public Queue(int index, int size, long desc, long avail, long used) {
      this.index = index;
      this.size = size;
      this.desc = desc;
      this.avail = avail;
      this.used = used;
    }

    /** Goes on where another driver stopped. */
    public void availIndex(int index) {
      availIndex = index;
    }

    public void putDescriptor(int slot, long address, long length, int flags, int next) {
      put(desc + 16L * slot, 8, address);
      put(desc + 16L * slot + 8, 4, length);
      put(desc + 16L * slot + 12, 2, flags);
      put(desc + 16L * slot + 14, 2, next);
    }

    /** Makes {@code head} available without telling the device. */
    public void offer(int head) {
      put(avail + 4 + 2L * (availIndex % size), 2, head);
      availIndex = (availIndex + 1) & 0xffff;
      put(avail + 2, 2, availIndex);
    }

    /** Lays out a chain and makes it available; returns its head. */
    public int add(Part... parts) {
      int head = nextDesc;
      for (int i = 0; i < parts.length; i++) {
        int slot = nextDesc;
        nextDesc = (nextDesc + 1) % size;
        boolean last = i == parts.length - 1;
        int flags = (last ? 0 : NEXT) | (parts[i].write() ? WRITE : 0);
        putDescriptor(slot, parts[i].address(), parts[i].length(), flags, last ? 0 : nextDesc);
      }
      offer(head);
      return head;
    }

    public int addIndirect(Part... parts) {
      long table = alloc(16L * parts.length);
      for (int i = 0; i < parts.length; i++) {
        boolean last = i == parts.length - 1;
        put(table + 16L * i, 8, parts[i].address());
        put(table + 16L * i + 8, 4, parts[i].length());
        put(table + 16L * i + 12, 2, (last ? 0 : NEXT) | (parts[i].write() ? WRITE : 0));
        put(table + 16L * i + 14, 2, last ? 0 : i + 1);
      }
      int head = nextDesc;
      nextDesc = (nextDesc + 1) % size;
      putDescriptor(head, table, 16L * parts.length, INDIRECT, 0);
      offer(head);
      return head;
    }

    public void kick() {
      write(0x50, index);
    }

    public int usedIndex() {
      return (int) get(used + 2, 2);
    }

    /** Waits until the device has used {@code count} more buffers; returns their lengths by order of use. */
    public List<Long> await(int count) {
      List<Long> lengths = new ArrayList<>();
      long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
      while (lengths.size() < count) {
        if (usedIndex() != seenUsed) {
          lengths.add(get(used + 4 + 8L * (seenUsed % size) + 4, 4));
          seenUsed = (seenUsed + 1) & 0xffff;
        } else {
          assertThat(System.nanoTime()).as("used %s of %s in time", lengths.size(), count).isLessThan(deadline);
          LockSupport.parkNanos(20_000);
        }
      }
      // The device publishes a request and raises its interrupt under one hold of its lock.
      device.lock().lock();
      device.lock().unlock();
      return lengths;
    }
  }

  public final Bus bus;
  public final boolean legacy;
  public final Machine machine;
  public final GuestRam ram;

  /** The transport. */
  public final Device slot;

  public final VirtioDevice device;
  private final ByteArrayOutputStream logged = new ByteArrayOutputStream();
  private volatile boolean irq;
  private long next = RAM;

  private final Optional<PciAccess> pci;

  /** On virtio-mmio. */
  public GuestDriver(boolean legacy, Maker maker) throws Exception {
    this(legacy ? Bus.MMIO_LEGACY : Bus.MMIO, maker);
  }

  public GuestDriver(Bus bus, Maker maker) throws Exception {
    this.bus = bus;
    this.legacy = bus.legacy();
    machine = new Machine(new Log(new PrintStream(logged, true), EnumSet.of(Log.Category.GUEST_ERRORS)));
    ram = new GuestRam("ram", RAM_SIZE);
    machine.addRam(ram);
    machine.memory().map(RAM, new RamRegion("ram", ram, true));
    IrqLine line = level -> irq = level;
    device = maker.make(VirtioHost.of(machine));
    if (bus.pci()) {
      PciAccess access = new PciAccess(machine, line, device, legacy);
      slot = access.function();
      pci = Optional.of(access);
    } else {
      VirtioMmio mmio = new VirtioMmio("virtio-mmio-bus.7", machine.log(), legacy, line);
      machine.memory().map(SLOT, mmio.region());
      mmio.plug(device);
      slot = mmio;
      pci = Optional.empty();
      machine.addDevice(slot);
    }
    machine.addDevice(device);
  }

  /** Does again what firmware does after a reset of the machine. */
  public void setUp() {
    pci.ifPresent(PciAccess::setUp);
  }

  /** Where the registers are, and how many bytes of them. */
  public long registers() {
    return pci.map(PciAccess::registers).orElse(SLOT);
  }

  public int registersSize() {
    return pci.map(PciAccess::registersSize).orElse(0x1000);
  }

  public String log() {
    return logged.toString(StandardCharsets.UTF_8);
  }

  public boolean irq() {
    return irq;
  }

  public long alloc(long bytes) {
    long result = next;
    next = (next + bytes + 15) & -16;
    assertThat(next).isLessThan(RAM + RAM_SIZE);
    return result;
  }

  public long allocPages(long bytes) {
    next = (next + 4095) & -4096;
    return alloc(bytes);
  }

  public void put(long address, int width, long value) {
    try {
      machine.memory().write(address, width, value);
    } catch (BusFault e) {
      throw new AssertionError("0x" + Long.toHexString(address), e);
    }
  }

  public long get(long address, int width) {
    try {
      return machine.memory().read(address, width);
    } catch (BusFault e) {
      throw new AssertionError("0x" + Long.toHexString(address), e);
    }
  }

  public long bytes(byte[] content) {
    long at = alloc(content.length);
    ram.write(at - RAM, content, 0, content.length);
    return at;
  }

  public byte[] bytesAt(long address, int length) {
    byte[] result = new byte[length];
    ram.read(address - RAM, result, 0, length);
    return result;
  }

  public Part in(long address, long length) {
    return new Part(address, length, true);
  }

  public Part out(long address, long length) {
    return new Part(address, length, false);
  }

  public int read(int register) {
    return pci.isPresent() ? pci.get().read(register) : (int) get(SLOT + register, 4);
  }

  public void write(int register, long value) {
    if (pci.isPresent()) {
      pci.get().write(register, value);
    } else {
      put(SLOT + register, 4, value & 0xffffffffL);
    }
  }

  public long offered() {
    write(0x14, 0);
    long low = read(0x10) & 0xffffffffL;
    write(0x14, 1);
    return low | (long) read(0x10) << 32;
  }

  /** Resets the device and negotiates {@code features} and, on a modern slot, VERSION_1. */
  public void start(long features) {
    if (legacy) {
      // Linux tells its page size when it finds the slot, before the reset that every driver starts with.
      write(0x28, 4096);
    }
    write(0x70, 0);
    next = Math.max(next, RAM + 4096);
    write(0x70, VirtioStatus.ACKNOWLEDGE | VirtioStatus.DRIVER);
    long wanted = features | (legacy ? 0 : VirtioFeatures.VERSION_1);
    write(0x24, 0);
    write(0x20, wanted);
    write(0x24, 1);
    write(0x20, wanted >>> 32);
    if (!legacy) {
      int status = VirtioStatus.ACKNOWLEDGE | VirtioStatus.DRIVER | VirtioStatus.FEATURES_OK;
      write(0x70, status);
      assertThat(read(0x70)).isEqualTo(status);
    }
  }

  /** Sets a queue up; the size is the device's choice with {@link Bus#PCI_LEGACY}. */
  public Queue queue(int index, int entries) {
    write(0x30, index);
    assertThat(read(0x34)).isGreaterThanOrEqualTo(entries);
    int size = bus == Bus.PCI_LEGACY ? read(0x34) : entries;
    write(0x38, size);
    long desc;
    long avail;
    long used;
    if (legacy) {
      desc = allocPages(16L * size + 6 + 2L * size + 4096 + 6 + 8L * size);
      avail = desc + 16L * size;
      used = (avail + 6 + 2L * size + 4095) & -4096;
      ram.fill(desc - RAM, used + 6 + 8L * size - desc, (byte) 0);
      write(0x3c, 4096);
      write(0x40, desc / 4096);
    } else {
      desc = alloc(16L * size);
      avail = alloc(6 + 2L * size);
      used = alloc(6 + 8L * size);
      ram.fill(desc - RAM, used + 6 + 8L * size - desc, (byte) 0);
      write(0x80, desc);
      write(0x84, desc >>> 32);
      write(0x90, avail);
      write(0x94, avail >>> 32);
      write(0xa0, used);
      write(0xa4, used >>> 32);
      write(0x44, 1);
      assertThat(read(0x44)).isEqualTo(1);
    }
    return new Queue(index, size, desc, avail, used);
  }

  public void ready() {
    write(0x70, read(0x70) | VirtioStatus.DRIVER_OK);
  }

  /** Forgets what was allocated so far. */
  public void freeAll() {
    next = RAM + 4096;
  }

  @Override
  public void close() {
    device.close();
    ram.release();
  }
}
