package org.ascus.devices.virtio.transport.pci;

import java.util.function.Consumer;
import org.ascus.devices.pci.PciConfig;
import org.ascus.devices.virtio.VirtioDevice;
import org.ascus.devices.virtio.queue.Virtqueue;
import org.ascus.machine.bus.BusDevice;
import org.ascus.machine.state.StateException;
import org.ascus.machine.state.StateReader;
import org.ascus.machine.state.StateWriter;

/**
 * The registers of VIRTIO 1 (VIRTIO 1.2, sections 4.1.4.3 to 4.1.4.6), a page each: common configuration at 0, ISR at
 * 0x1000, the device's configuration space at 0x2000, and from 0x3000 on a word for each queue to notify it.
 */
final class ModernRegisters implements BusDevice {
  /** Bytes of the BAR. */
  static final int SIZE = 0x4000;

  private static final AccessSizes SIZES = new AccessSizes(1, 4, false);
  private static final int VENDOR_CAPABILITY = 0x09;
  private static final int CAPABILITY_LENGTH = 16;
  private static final int NOTIFY_CAPABILITY_LENGTH = 20;
  private static final int COMMON = 1;
  private static final int NOTIFY = 2;
  private static final int ISR = 3;
  private static final int DEVICE = 4;
  private static final int PAGE_SHIFT = 12;
  private static final int PAGE = 1 << PAGE_SHIFT;
  private static final int NOTIFY_MULTIPLIER = 4;

  private final VirtioPci pci;
  private final VirtioDevice device;
  private int deviceFeatureSelect;
  private int driverFeatureSelect;
  private long driverFeatures;

  ModernRegisters(VirtioPci pci, VirtioDevice device) {
    this.pci = pci;
    this.device = device;
  }

  /** Tells in configuration space where the registers are. */
  static void addCapabilities(PciConfig config, int bar) {
    addCapability(config, COMMON, bar, 0, CAPABILITY_LENGTH);
    addCapability(config, ISR, bar, PAGE, CAPABILITY_LENGTH);
    addCapability(config, DEVICE, bar, 2 * PAGE, CAPABILITY_LENGTH);
    int notify = addCapability(config, NOTIFY, bar, 3 * PAGE, NOTIFY_CAPABILITY_LENGTH);
    config.init(notify + CAPABILITY_LENGTH, 4, NOTIFY_MULTIPLIER);
  }

  private static int addCapability(PciConfig config, int type, int bar, int offset, int length) {
    int at = config.addCapability(VENDOR_CAPABILITY, length);
    config.init(at + 2, 1, length);
    config.init(at + 3, 1, type);
    config.init(at + 4, 1, bar);
    config.init(at + 8, 4, offset);
    config.init(at + 12, 4, PAGE);
    return at;
  }

  void reset() {
    deviceFeatureSelect = 0;
    driverFeatureSelect = 0;
    driverFeatures = 0;
  }

  void save(StateWriter out) {
    out.putLongs("featureSelects", deviceFeatureSelect, driverFeatureSelect);
    out.putLong("driverFeatures", driverFeatures);
  }

  void load(StateReader in) throws StateException {
    long[] selects = in.getLongs("featureSelects", 2);
    deviceFeatureSelect = (int) selects[0];
    driverFeatureSelect = (int) selects[1];
    driverFeatures = in.getLong("driverFeatures");
  }

  @Override
  public AccessSizes accessSizes() {
    return SIZES;
  }

  @Override
  public long read(long offset, int width) {
    int at = (int) offset & PAGE - 1;
    device.lock().lock();
    try {
      pci.spoken(false);
      return switch ((int) (offset >>> PAGE_SHIFT)) {
        case 0 -> readCommon(at, width);
        case 1 -> at == 0 ? pci.takeIsr() : 0;
        case 2 -> device.readConfig(at, width);
        default -> 0;
      };
    } finally {
      device.lock().unlock();
    }
  }

  @Override
  public void write(long offset, int width, long value) {
    int at = (int) offset & PAGE - 1;
    device.lock().lock();
    try {
      pci.spoken(false);
      switch ((int) (offset >>> PAGE_SHIFT)) {
        case 0 -> writeCommon(at, width, (int) value);
        case 1 -> {}
        case 2 -> device.writeConfig(at, width, value);
        default -> device.notifyQueue(at / NOTIFY_MULTIPLIER);
      }
    } finally {
      device.lock().unlock();
    }
  }

  private long readCommon(int at, int width) {
    return switch (Common.at(at, width)) {
      case DEVICE_FEATURE_SELECT -> deviceFeatureSelect;
      case DEVICE_FEATURE -> word(device.offeredFeatures(), deviceFeatureSelect);
      case DRIVER_FEATURE_SELECT -> driverFeatureSelect;
      case DRIVER_FEATURE -> word(driverFeatures, driverFeatureSelect);
      case CONFIG_VECTOR -> pci.configVector();
      case NUM_QUEUES -> device.queueCount();
      case STATUS -> device.status();
      case CONFIG_GENERATION -> device.configGeneration() & 0xff;
      case QUEUE_SELECT -> pci.queueSelect();
      case QUEUE_SIZE -> pci.selected().map(Virtqueue::size).orElse(0);
      case QUEUE_VECTOR -> pci.queueVector();
      case QUEUE_ENABLE -> pci.selected().map(q -> q.isReady() ? 1 : 0).orElse(0);
      case QUEUE_NOTIFY_OFFSET -> pci.queueSelect();
      case DESC_LOW -> pci.selected().map(Virtqueue::descriptors).orElse(0L);
      case DESC_HIGH -> pci.selected().map(q -> q.descriptors() >>> 32).orElse(0L);
      case DRIVER_LOW -> pci.selected().map(Virtqueue::driver).orElse(0L);
      case DRIVER_HIGH -> pci.selected().map(q -> q.driver() >>> 32).orElse(0L);
      case DEVICE_LOW -> pci.selected().map(Virtqueue::device).orElse(0L);
      case DEVICE_HIGH -> pci.selected().map(q -> q.device() >>> 32).orElse(0L);
      case UNKNOWN -> {
        pci.guestError("read of " + width + " bytes at 0x" + Integer.toHexString(at));
        yield 0;
      }
    };
  }

  private void writeCommon(int at, int width, int value) {
    switch (Common.at(at, width)) {
      case DEVICE_FEATURE_SELECT -> deviceFeatureSelect = value;
      case DRIVER_FEATURE_SELECT -> driverFeatureSelect = value;
      case DRIVER_FEATURE -> writeFeatures(value & 0xffffffffL);
      case CONFIG_VECTOR -> pci.setConfigVector(value & 0xffff);
      case STATUS -> pci.writeStatus(value & 0xff);
      case QUEUE_SELECT -> pci.selectQueue(value & 0xffff);
      case QUEUE_SIZE -> configure(q -> resize(q, value & 0xffff));
      case QUEUE_VECTOR -> pci.setQueueVector(value & 0xffff);
      case QUEUE_ENABLE -> {
        if ((value & 1) != 0) {
          pci.selected().ifPresent(Virtqueue::start);
        }
      }
      case DESC_LOW -> configure(q -> q.setAddresses(low(q.descriptors(), value), q.driver(), q.device()));
      case DESC_HIGH -> configure(q -> q.setAddresses(high(q.descriptors(), value), q.driver(), q.device()));
      case DRIVER_LOW -> configure(q -> q.setAddresses(q.descriptors(), low(q.driver(), value), q.device()));
      case DRIVER_HIGH -> configure(q -> q.setAddresses(q.descriptors(), high(q.driver(), value), q.device()));
      case DEVICE_LOW -> configure(q -> q.setAddresses(q.descriptors(), q.driver(), low(q.device(), value)));
      case DEVICE_HIGH -> configure(q -> q.setAddresses(q.descriptors(), q.driver(), high(q.device(), value)));
      case DEVICE_FEATURE, NUM_QUEUES, CONFIG_GENERATION, QUEUE_NOTIFY_OFFSET, UNKNOWN ->
          pci.guestError("write of " + width + " bytes at 0x" + Integer.toHexString(at));
    }
  }

  /** Changes the selected queue, which must not be enabled. */
  private void configure(Consumer<Virtqueue> change) {
    pci.selected()
        .ifPresent(
            q -> {
              if (q.isReady()) {
                pci.guestError("queue " + q.index() + " changed while enabled");
              } else {
                change.accept(q);
              }
            });
  }

  private void resize(Virtqueue queue, int entries) {
    if (queue.acceptsSize(entries)) {
      queue.setSize(entries);
    } else {
      pci.guestError("queue " + queue.index() + " cannot have " + entries + " entries");
    }
  }

  private void writeFeatures(long half) {
    if (driverFeatureSelect < 0 || driverFeatureSelect > 1) {
      return;
    }
    driverFeatures =
        driverFeatureSelect == 0 ? driverFeatures & ~0xffffffffL | half : driverFeatures & 0xffffffffL | half << 32;
    device.setDriverFeatures(driverFeatures);
  }

  private static long word(long features, int select) {
    return switch (select) {
      case 0 -> features;
      case 1 -> features >>> 32;
      default -> 0;
    };
  }

  private static long low(long old, int value) {
    return old & ~0xffffffffL | value & 0xffffffffL;
  }

  private static long high(long old, int value) {
    return old & 0xffffffffL | (long) value << 32;
  }

  /** Fields of the common configuration, with offset and width in bytes. */
  private enum Common {
    DEVICE_FEATURE_SELECT(0x00, 4),
    DEVICE_FEATURE(0x04, 4),
    DRIVER_FEATURE_SELECT(0x08, 4),
    DRIVER_FEATURE(0x0c, 4),
    CONFIG_VECTOR(0x10, 2),
    NUM_QUEUES(0x12, 2),
    STATUS(0x14, 1),
    CONFIG_GENERATION(0x15, 1),
    QUEUE_SELECT(0x16, 2),
    QUEUE_SIZE(0x18, 2),
    QUEUE_VECTOR(0x1a, 2),
    QUEUE_ENABLE(0x1c, 2),
    QUEUE_NOTIFY_OFFSET(0x1e, 2),
    DESC_LOW(0x20, 4),
    DESC_HIGH(0x24, 4),
    DRIVER_LOW(0x28, 4),
    DRIVER_HIGH(0x2c, 4),
    DEVICE_LOW(0x30, 4),
    DEVICE_HIGH(0x34, 4),
    UNKNOWN(-1, 0);

    private final int offset;
    private final int width;

    Common(int offset, int width) {
      this.offset = offset;
      this.width = width;
    }

    static Common at(int offset, int width) {
      for (Common field : values()) {
        if (field.offset == offset && field.width == width) {
          return field;
        }
      }
      return UNKNOWN;
    }
  }
}
