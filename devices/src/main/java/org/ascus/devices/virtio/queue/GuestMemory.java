package org.ascus.devices.virtio.queue;

import java.util.List;
import org.ascus.devices.dma.DmaException;
import org.ascus.devices.dma.DmaMemory;
import org.ascus.machine.bus.AddressSpace;
import org.ascus.machine.bus.FlatView;
import org.ascus.machine.bus.GuestRam;
import org.ascus.machine.bus.RamRegion;

/** The pieces of guest RAM that rings and buffers lie in, see {@link DmaMemory}. */
public final class GuestMemory {
  private final DmaMemory memory;

  public GuestMemory(AddressSpace space) {
    this.memory = new DmaMemory(space);
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
    return memory.layout();
  }

  private FlatView.Range find(long address, boolean write) throws VirtqueueException {
    try {
      return memory.find(address, write);
    } catch (DmaException e) {
      throw new VirtqueueException(e.getMessage());
    }
  }
}
