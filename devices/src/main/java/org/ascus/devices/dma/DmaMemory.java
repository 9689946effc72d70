package org.ascus.devices.dma;

import org.ascus.machine.bus.AddressSpace;
import org.ascus.machine.bus.BusFault;
import org.ascus.machine.bus.FlatView;
import org.ascus.machine.bus.RamRegion;

/**
 * Where devices do their transfers: the RAM of an address space. Any thread may call.
 *
 * <p>Device registers are out of reach on purpose. A driver that names them as a buffer could otherwise make a device
 * write its own registers, or take the locks of two devices in the wrong order.
 */
public final class DmaMemory {
  private final AddressSpace space;
  private FlatView cachedView;
  private FlatView.Range cachedRange;

  public DmaMemory(AddressSpace space) {
    this.space = space;
  }

  /** The layout that {@link #find} looks in; what was found is good as long as this is the same object. */
  public FlatView layout() {
    return space.view();
  }

  /**
   * The RAM, as a {@link RamRegion}, that holds the byte at {@code address}.
   *
   * @param address guest-physical, in bytes
   * @param write whether the device writes there, which ROM forbids
   * @throws DmaException naming the address when it is not such RAM
   */
  public synchronized FlatView.Range find(long address, boolean write) throws DmaException {
    FlatView view = space.view();
    if (view != cachedView || !cachedRange.contains(address, 1)) {
      try {
        cachedRange = view.find(address, 1);
        cachedView = view;
      } catch (BusFault _) {
        throw new DmaException("no memory at 0x" + Long.toHexString(address));
      }
    }
    if (!(cachedRange.region() instanceof RamRegion ram)) {
      throw new DmaException("0x" + Long.toHexString(address) + " is not RAM");
    }
    if (write && !ram.writable()) {
      throw new DmaException("0x" + Long.toHexString(address) + " is ROM");
    }
    return cachedRange;
  }

  /** Copies {@code length} bytes at {@code address} from the guest; those before a bad address have been copied. */
  public void read(long address, byte[] target, int start, int length) throws DmaException {
    copy(address, target, start, length, false);
  }

  /** Copies {@code length} bytes to the guest at {@code address}; those before a bad address have been copied. */
  public void write(long address, byte[] source, int start, int length) throws DmaException {
    copy(address, source, start, length, true);
  }

  private void copy(long address, byte[] array, int start, int length, boolean toGuest) throws DmaException {
    int done = 0;
    while (done < length) {
      long at = address + done;
      FlatView.Range range = find(at, toGuest);
      RamRegion region = (RamRegion) range.region();
      long offset = at - range.start() + range.offset();
      int count = (int) Math.min(length - done, range.end() - at);
      if (toGuest) {
        region.ram().write(offset, array, start + done, count);
      } else {
        region.ram().read(offset, array, start + done, count);
      }
      done += count;
    }
  }
}
