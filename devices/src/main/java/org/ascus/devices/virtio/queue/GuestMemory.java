package org.ascus.devices.virtio.queue;

import java.util.List;
import org.ascus.machine.bus.AddressSpace;
import org.ascus.machine.bus.BusFault;
import org.ascus.machine.bus.FlatView;
import org.ascus.machine.bus.GuestRam;
import org.ascus.machine.bus.RamRegion;

/**
 * Where virtio devices do their DMA: the RAM of an address space.
 *
 * <p>Device registers are out of reach on purpose. A driver that names them as a buffer could otherwise make a device
 * write its own notify register, or take the locks of two devices in the wrong order.
 */
public final class GuestMemory {
  private final AddressSpace space;
  private FlatView cachedView;
  private FlatView.Range cachedRange;

  public GuestMemory(AddressSpace space) {
    this.space = space;
  }

  /**
   * Bytes of one RAM block.
   *
   * @param offset in bytes from the start of {@code ram}
   * @param length in bytes
   */
  public record Segment(GuestRam ram, long offset, long length) {}

  /**
   * Adds the pieces of RAM that hold [address, address + length) to {@code target}, in order.
   *
   * @param address guest-physical, in bytes
   * @param length in bytes, at least 1
   * @param write whether the device writes there, which ROM forbids
   * @throws VirtqueueException naming the address when any byte is not RAM
   */
  void resolve(long address, long length, boolean write, List<Segment> target) throws VirtqueueException {
    long at = address;
    long left = length;
    while (left > 0) {
      FlatView.Range range = find(at, write);
      long count = Math.min(left, range.end() - at);
      target.add(new Segment(((RamRegion) range.region()).ram(), at - range.start() + range.offset(), count));
      at += count;
      left -= count;
    }
  }

  /** The single piece of RAM that holds all of [address, address + length). */
  Segment window(long address, long length) throws VirtqueueException {
    FlatView.Range range = find(address, true);
    if (!range.contains(address, length)) {
      throw new VirtqueueException("ring at 0x" + Long.toHexString(address) + " leaves its RAM");
    }
    return new Segment(((RamRegion) range.region()).ram(), address - range.start() + range.offset(), length);
  }

  /** The layout that {@link #window} resolved against; a window is good as long as this is the same object. */
  FlatView layout() {
    return space.view();
  }

  private synchronized FlatView.Range find(long address, boolean write) throws VirtqueueException {
    FlatView view = space.view();
    if (view != cachedView || !cachedRange.contains(address, 1)) {
      try {
        cachedRange = view.find(address, 1);
        cachedView = view;
      } catch (BusFault _) {
        throw new VirtqueueException("no memory at 0x" + Long.toHexString(address));
      }
    }
    if (!(cachedRange.region() instanceof RamRegion ram)) {
      throw new VirtqueueException("0x" + Long.toHexString(address) + " is not RAM");
    }
    if (write && !ram.writable()) {
      throw new VirtqueueException("0x" + Long.toHexString(address) + " is ROM");
    }
    return cachedRange;
  }
}
