package org.ascus.devices.virtio.transport.pci;

import org.ascus.devices.virtio.VirtioDevice;
import org.ascus.devices.virtio.queue.Virtqueue;
import org.ascus.machine.bus.BusDevice;

/**
 * The registers of a driver from before VIRTIO 1 (VIRTIO 1.2, section 4.1.4.10): 0x00 device features, 0x04 driver
 * features, 0x08 queue address in pages of 4 KiB, 0x0c queue size (16 bits, read-only), 0x0e queue select (16), 0x10
 * queue notify (16), 0x12 status (8), 0x13 ISR (8), and, once messages are enabled, 0x14 configuration vector (16) and
 * 0x16 queue vector (16). The device's configuration space follows.
 */
final class LegacyRegisters implements BusDevice {
  private static final AccessSizes SIZES = new AccessSizes(1, 4, false);
  private static final int FEATURES = 0x00;
  private static final int DRIVER_FEATURES = 0x04;
  private static final int QUEUE_PAGE = 0x08;
  private static final int QUEUE_SIZE = 0x0c;
  private static final int QUEUE_SELECT = 0x0e;
  private static final int QUEUE_NOTIFY = 0x10;
  private static final int STATUS = 0x12;
  private static final int ISR = 0x13;
  private static final int CONFIG_VECTOR = 0x14;
  private static final int QUEUE_VECTOR = 0x16;
  private static final int MOST_HEADER = 0x18;
  private static final int PAGE_SHIFT = 12;
  private static final long PAGE = 1L << PAGE_SHIFT;

  private final VirtioPci pci;
  private final VirtioDevice device;

  LegacyRegisters(VirtioPci pci, VirtioDevice device) {
    this.pci = pci;
    this.device = device;
  }

  /** Bytes of the BAR, a power of two. */
  long size() {
    return Long.highestOneBit(MOST_HEADER + device.configSize() - 1) << 1;
  }

  @Override
  public AccessSizes accessSizes() {
    return SIZES;
  }

  private int header() {
    return pci.usesMessages() ? MOST_HEADER : CONFIG_VECTOR;
  }

  @Override
  public long read(long offset, int width) {
    device.lock().lock();
    try {
      pci.spoken(true);
      if (offset >= header()) {
        return device.readConfig(offset - header(), width);
      }
      return switch ((int) offset) {
        case FEATURES -> device.offeredFeatures();
        case DRIVER_FEATURES -> device.driverFeatures();
        case QUEUE_PAGE -> pci.selected().map(q -> q.descriptors() >>> PAGE_SHIFT).orElse(0L);
        case QUEUE_SIZE -> pci.selected().map(Virtqueue::maxSize).orElse(0);
        case QUEUE_SELECT -> pci.queueSelect();
        case STATUS -> device.status();
        case ISR -> pci.takeIsr();
        case CONFIG_VECTOR -> pci.configVector();
        case QUEUE_VECTOR -> pci.queueVector();
        default -> {
          pci.guestError("read of no register at 0x" + Long.toHexString(offset));
          yield 0;
        }
      };
    } finally {
      device.lock().unlock();
    }
  }

  @Override
  public void write(long offset, int width, long value) {
    device.lock().lock();
    try {
      pci.spoken(true);
      if (offset >= header()) {
        device.writeConfig(offset - header(), width, value);
        return;
      }
      int word = (int) value;
      switch ((int) offset) {
        case DRIVER_FEATURES -> device.setDriverFeatures(word & 0xffffffffL);
        case QUEUE_PAGE -> pci.selected().ifPresent(q -> place(q, word));
        case QUEUE_SELECT -> pci.selectQueue(word & 0xffff);
        case QUEUE_NOTIFY -> device.notifyQueue(word & 0xffff);
        case STATUS -> pci.writeStatus(word & 0xff);
        case CONFIG_VECTOR -> pci.setConfigVector(word & 0xffff);
        case QUEUE_VECTOR -> pci.setQueueVector(word & 0xffff);
        default -> pci.guestError("write of no register at 0x" + Long.toHexString(offset));
      }
    } finally {
      device.lock().unlock();
    }
  }

  private static void place(Virtqueue queue, int page) {
    queue.stop();
    if (page == 0) {
      queue.setAddresses(0, 0, 0);
      return;
    }
    long descriptors = (page & 0xffffffffL) << PAGE_SHIFT;
    long driver = descriptors + 16L * queue.size();
    queue.setAddresses(descriptors, driver, driver + 6 + 2L * queue.size() + PAGE - 1 & -PAGE);
    queue.start();
  }
}
