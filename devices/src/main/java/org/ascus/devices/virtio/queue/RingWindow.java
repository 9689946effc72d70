package org.ascus.devices.virtio.queue;

import org.ascus.machine.bus.FlatView;

/** A part of a ring in guest RAM, resolved again when the memory layout changes. Offsets are bytes; little-endian. */
final class RingWindow {
  private final GuestMemory memory;
  private final long address;
  private final long length;
  private FlatView layout;
  private GuestMemory.Segment segment;

  RingWindow(GuestMemory memory, long address, long length) {
    this.memory = memory;
    this.address = address;
    this.length = length;
  }

  GuestMemory.Segment segment() throws VirtqueueException {
    FlatView now = memory.layout();
    if (layout != now) {
      segment = memory.window(address, length);
      layout = now;
    }
    return segment;
  }

  int getShort(long offset) throws VirtqueueException {
    GuestMemory.Segment s = segment();
    return s.ram().getShort(s.offset() + offset) & 0xffff;
  }

  void putShort(long offset, int value) throws VirtqueueException {
    GuestMemory.Segment s = segment();
    s.ram().put(s.offset() + offset, 2, value & 0xffff);
  }

  void putInt(long offset, int value) throws VirtqueueException {
    GuestMemory.Segment s = segment();
    s.ram().put(s.offset() + offset, 4, value);
  }
}
