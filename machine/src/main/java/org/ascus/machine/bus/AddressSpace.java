package org.ascus.machine.bus;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.ascus.machine.trace.Log;

/**
 * What a bus master sees: regions at addresses. Safe for use by any thread; changing the layout publishes a new
 * {@link FlatView}.
 *
 * <p>Addresses are unsigned 64-bit values below the size of the root (2^56 here, beyond every guest's physical width).
 */
public final class AddressSpace {
  /** Size of the root container in bytes. */
  public static final long SIZE = 1L << 56;

  private final ContainerRegion root;
  private final Log log;
  private final List<Runnable> layoutListeners = new CopyOnWriteArrayList<>();
  private volatile FlatView view;

  public AddressSpace(String name, Log log) {
    this.root = new ContainerRegion(name, SIZE);
    this.log = log;
    this.view = FlatView.of(root);
  }

  public ContainerRegion root() {
    return root;
  }

  public Log log() {
    return log;
  }

  public void map(long address, Region region) {
    map(address, region, 0);
  }

  /** Maps {@code region} at {@code address}; where regions overlap the higher priority wins. */
  public synchronized void map(long address, Region region, int priority) {
    root.add(new ContainerRegion.Mapping(address, region, priority));
    follow(region);
    layoutChanged();
  }

  public synchronized void unmap(Region region) {
    root.remove(region);
    layoutChanged();
  }

  /** Resolves the layout again. A guest access that comes later, on any thread, sees the new one. */
  synchronized void layoutChanged() {
    view = FlatView.of(root);
    layoutListeners.forEach(Runnable::run);
  }

  /** Has the memories with modes in {@code region} report their changes. */
  private void follow(Region region) {
    switch (region) {
      case RomDeviceRegion rom -> rom.mappedIn(this);
      case AliasRegion alias -> follow(alias.target());
      case ContainerRegion container -> container.mappings().forEach(m -> follow(m.region()));
      case RamRegion _, MmioRegion _ -> {}
    }
  }

  /** {@code listener} runs after each change of the layout; CPUs drop their TLBs then. */
  public void addLayoutListener(Runnable listener) {
    layoutListeners.add(listener);
  }

  public FlatView view() {
    return view;
  }

  /** Reads {@code width} (1, 2, 4 or 8) bytes, zero-extended, little-endian. */
  public long read(long address, int width) throws BusFault {
    FlatView.Range range = view.find(address, width);
    long offset = address - range.start() + range.offset();
    return switch (range.region()) {
      case RamRegion ram -> ram.ram().get(offset, width);
      case MmioRegion mmio -> mmio.read(offset, width);
      case RomDeviceRegion _, AliasRegion _, ContainerRegion _ -> throw noLeaf();
    };
  }

  /** Writes the low {@code width} (1, 2, 4 or 8) bytes of {@code value}, little-endian. */
  public void write(long address, int width, long value) throws BusFault {
    FlatView.Range range = view.find(address, width);
    long offset = address - range.start() + range.offset();
    switch (range.region()) {
      case RamRegion ram -> {
        if (ram.writable()) {
          ram.ram().put(offset, width, value);
        } else if (ram.stores().isPresent()) {
          ram.stores().get().write(offset, width, value);
        } else {
          log.log(Log.Category.GUEST_ERRORS, () -> "write to ROM " + ram.name() + " at 0x" + Long.toHexString(address));
        }
      }
      case MmioRegion mmio -> mmio.write(offset, width, value);
      case RomDeviceRegion _, AliasRegion _, ContainerRegion _ -> throw noLeaf();
    }
  }

  /** DMA read of any length across any number of regions. Bytes before a fault have been read. */
  public void read(long address, byte[] target, int start, int length) throws BusFault {
    int done = 0;
    while (done < length) {
      long at = address + done;
      FlatView.Range range = view.find(at, 1);
      long offset = at - range.start() + range.offset();
      int count = (int) Math.min(length - done, range.end() - at);
      switch (range.region()) {
        case RamRegion ram -> ram.ram().read(offset, target, start + done, count);
        case MmioRegion mmio -> {
          count = mmioStep(offset, count);
          long value = mmio.read(offset, count);
          for (int i = 0; i < count; i++) {
            target[start + done + i] = (byte) (value >>> (8 * i));
          }
        }
        case RomDeviceRegion _, AliasRegion _, ContainerRegion _ -> throw noLeaf();
      }
      done += count;
    }
  }

  /** DMA write of any length across any number of regions. Bytes before a fault have been written; ROM drops them. */
  public void write(long address, byte[] source, int start, int length) throws BusFault {
    int done = 0;
    while (done < length) {
      long at = address + done;
      FlatView.Range range = view.find(at, 1);
      long offset = at - range.start() + range.offset();
      int count = (int) Math.min(length - done, range.end() - at);
      switch (range.region()) {
        case RamRegion ram -> {
          if (ram.writable()) {
            ram.ram().write(offset, source, start + done, count);
          } else if (ram.stores().isPresent()) {
            count = writeStep(ram.stores().get(), offset, source, start + done, count);
          }
        }
        case MmioRegion mmio -> count = writeStep(mmio, offset, source, start + done, count);
        case RomDeviceRegion _, AliasRegion _, ContainerRegion _ -> throw noLeaf();
      }
      done += count;
    }
  }

  /** Makes one access of the width that fits; returns it. */
  private static int writeStep(MmioRegion mmio, long offset, byte[] source, int start, int most) {
    int count = mmioStep(offset, most);
    long value = 0;
    for (int i = 0; i < count; i++) {
      value |= (source[start + i] & 0xffL) << (8 * i);
    }
    mmio.write(offset, count, value);
    return count;
  }

  /** Writes RAM and ROM alike: for loaders, before the guest runs. */
  public void load(long address, byte[] source, int start, int length) throws BusFault {
    int done = 0;
    while (done < length) {
      long at = address + done;
      FlatView.Range range = view.find(at, 1);
      if (!(range.region() instanceof RamRegion ram)) {
        throw BusFault.UNASSIGNED;
      }
      int count = (int) Math.min(length - done, range.end() - at);
      ram.ram().write(at - range.start() + range.offset(), source, start + done, count);
      done += count;
    }
  }

  private static int mmioStep(long offset, int count) {
    int width = Long.numberOfTrailingZeros(offset | 8) >= 3 ? 8 : (int) Long.lowestOneBit(offset | 8);
    while (width > count) {
      width >>= 1;
    }
    return width;
  }

  private static IllegalStateException noLeaf() {
    return new IllegalStateException("flat views hold leaves only");
  }
}
