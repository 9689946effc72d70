package org.ascus.machine.bus;

import java.util.concurrent.locks.ReentrantLock;

/**
 * Device registers. The region fits guest accesses to what the device handles and confines the device: {@code lock} is
 * held during each call, and is the lock that the device's timers and completions take too.
 */
public record MmioRegion(String name, long size, BusDevice device, ReentrantLock lock) implements Region {
  /** Reads {@code width} (1, 2, 4 or 8) bytes at {@code offset}, zero-extended, little-endian. */
  public long read(long offset, int width) {
    BusDevice.AccessSizes sizes = device.accessSizes();
    lock.lock();
    try {
      if (width < sizes.min()) {
        long wide = device.read(offset & -sizes.min(), sizes.min());
        return wide >>> ((offset & (sizes.min() - 1)) * 8) & mask(width);
      }
      if (width > sizes.max()) {
        long value = 0;
        for (int at = 0; at < width; at += sizes.max()) {
          value |= (device.read(offset + at, sizes.max()) & mask(sizes.max())) << (at * 8);
        }
        return value;
      }
      return device.read(offset, width) & mask(width);
    } finally {
      lock.unlock();
    }
  }

  /** Writes the low {@code width} bytes of {@code value} at {@code offset}, little-endian. */
  public void write(long offset, int width, long value) {
    BusDevice.AccessSizes sizes = device.accessSizes();
    lock.lock();
    try {
      if (width < sizes.min()) {
        device.write(offset & -sizes.min(), sizes.min(), (value & mask(width)) << ((offset & (sizes.min() - 1)) * 8));
      } else if (width > sizes.max()) {
        for (int at = 0; at < width; at += sizes.max()) {
          device.write(offset + at, sizes.max(), value >>> (at * 8) & mask(sizes.max()));
        }
      } else {
        device.write(offset, width, value & mask(width));
      }
    } finally {
      lock.unlock();
    }
  }

  private static long mask(int width) {
    return width == 8 ? -1L : (1L << (width * 8)) - 1;
  }
}
