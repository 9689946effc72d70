package org.ascus.devices.virtio.transport.mmio;

import java.util.Map;
import java.util.Optional;
import org.ascus.devices.virtio.VirtioBus;
import org.ascus.devices.virtio.VirtioDevice;
import org.ascus.devices.virtio.VirtioTransport;
import org.ascus.devices.virtio.queue.Virtqueue;
import org.ascus.machine.bus.BusDevice;
import org.ascus.machine.bus.MmioRegion;
import org.ascus.machine.device.Device;
import org.ascus.machine.device.DeviceException;
import org.ascus.machine.irq.IrqLine;
import org.ascus.machine.state.StateException;
import org.ascus.machine.state.StateReader;
import org.ascus.machine.state.StateWriter;
import org.ascus.machine.trace.Log;

/**
 * A virtio-mmio slot (VIRTIO 1.2, section 4.2; the legacy layout is section 4.2.4). Registers are 32 bits wide and
 * little-endian; the device's configuration space follows at 0x100 with accesses of 1, 2, 4 or 8 bytes.
 *
 * <p>A slot without a device shows device id 0. Its lock is taken before the plugged device's; everything that belongs
 * to the device, the interrupt status included, is guarded by the device's lock.
 */
public final class VirtioMmio extends Device implements BusDevice, VirtioBus, VirtioTransport {
  /** Bytes of address space of a slot. */
  public static final long SIZE = 0x1000;

  private static final int MAGIC = 0x74726976;
  private static final int VENDOR = 0x554d4551;
  private static final int CONFIG = 0x100;
  private static final int INT_QUEUE = 1;
  private static final int INT_CONFIG = 2;

  private final Log log;
  private final boolean legacy;
  private final IrqLine irq;
  private Optional<VirtioDevice> plugged = Optional.empty();
  private int interruptStatus;
  private int deviceFeaturesSel;
  private int driverFeaturesSel;
  private long driverFeatures;
  private int queueSel;
  private int guestPageShift;
  private final int[] queueAlign = new int[64];

  /**
   * @param id names the slot, as {@code virtio-mmio-bus.0}
   * @param legacy register layout version 1 instead of 2
   * @param irq level-triggered, high while an interrupt is not acknowledged
   */
  public VirtioMmio(String id, Log log, boolean legacy, IrqLine irq) {
    super("virtio-mmio", id);
    this.log = log;
    this.legacy = legacy;
    this.irq = irq;
  }

  /** The registers, to be mapped by the board. */
  public MmioRegion region() {
    return new MmioRegion(id(), SIZE, this, lock());
  }

  public Optional<VirtioDevice> plugged() {
    return plugged;
  }

  @Override
  public void plug(VirtioDevice device) throws DeviceException {
    if (plugged.isPresent()) {
      throw new DeviceException("Bus '" + id() + "' is full");
    }
    plugged = Optional.of(device);
    device.attach(this);
  }

  @Override
  public boolean modern() {
    return !legacy;
  }

  @Override
  public void queueInterrupt(int queue) {
    interruptStatus |= INT_QUEUE;
    irq.set(true);
  }

  @Override
  public void configInterrupt() {
    interruptStatus |= INT_CONFIG;
    irq.set(true);
  }

  @Override
  public long read(long offset, int width) {
    if (plugged.isEmpty()) {
      return switch ((int) offset) {
        case Register.MAGIC -> MAGIC;
        case Register.VERSION -> legacy ? 1 : 2;
        case Register.VENDOR -> VENDOR;
        default -> 0;
      };
    }
    VirtioDevice device = plugged.get();
    device.lock().lock();
    try {
      if (offset >= CONFIG) {
        return device.readConfig(offset - CONFIG, width);
      }
      if (width != 4 || (offset & 3) != 0) {
        guestError("read of " + width + " bytes at 0x" + Long.toHexString(offset));
        return 0;
      }
      return readRegister(device, (int) offset) & 0xffffffffL;
    } finally {
      device.lock().unlock();
    }
  }

  private long readRegister(VirtioDevice device, int offset) {
    return switch (offset) {
      case Register.MAGIC -> MAGIC;
      case Register.VERSION -> legacy ? 1 : 2;
      case Register.DEVICE_ID -> device.deviceId();
      case Register.VENDOR -> VENDOR;
      case Register.DEVICE_FEATURES ->
          switch (deviceFeaturesSel) {
            case 0 -> device.offeredFeatures();
            case 1 -> device.offeredFeatures() >>> 32;
            default -> 0;
          };
      case Register.QUEUE_NUM_MAX -> selected(device).map(Virtqueue::maxSize).orElse(0);
      case Register.QUEUE_PFN ->
          legacy ? selected(device).map(q -> q.descriptors() >>> guestPageShift).orElse(0L) : unknown("read", offset);
      case Register.QUEUE_READY ->
          legacy ? unknown("read", offset) : selected(device).map(q -> q.isReady() ? 1 : 0).orElse(0);
      case Register.INTERRUPT_STATUS -> interruptStatus;
      case Register.STATUS -> device.status();
      case Register.SHM_LEN_LOW, Register.SHM_LEN_HIGH, Register.SHM_BASE_LOW, Register.SHM_BASE_HIGH ->
          legacy ? unknown("read", offset) : 0xffffffffL;
      case Register.CONFIG_GENERATION -> legacy ? unknown("read", offset) : device.configGeneration();
      default -> unknown("read", offset);
    };
  }

  @Override
  public void write(long offset, int width, long value) {
    if (plugged.isEmpty()) {
      return;
    }
    VirtioDevice device = plugged.get();
    device.lock().lock();
    try {
      if (offset >= CONFIG) {
        device.writeConfig(offset - CONFIG, width, value);
      } else if (width != 4 || (offset & 3) != 0) {
        guestError("write of " + width + " bytes at 0x" + Long.toHexString(offset));
      } else {
        writeRegister(device, (int) offset, (int) value);
      }
    } finally {
      device.lock().unlock();
    }
  }

  private void writeRegister(VirtioDevice device, int offset, int value) {
    switch (offset) {
      case Register.DEVICE_FEATURES_SEL -> deviceFeaturesSel = value;
      case Register.DRIVER_FEATURES_SEL -> driverFeaturesSel = value;
      case Register.DRIVER_FEATURES -> writeFeatures(device, value);
      case Register.QUEUE_SEL -> queueSel = value;
      case Register.QUEUE_NUM -> selected(device).ifPresent(q -> writeQueueSize(q, value));
      case Register.QUEUE_NOTIFY -> device.notifyQueue(value);
      case Register.INTERRUPT_ACK -> {
        interruptStatus &= ~value;
        irq.set(interruptStatus != 0);
      }
      case Register.STATUS -> writeStatus(device, value & 0xff);
      default -> {
        if (legacy) {
          writeLegacy(device, offset, value);
        } else {
          writeModern(device, offset, value);
        }
      }
    }
  }

  private void writeFeatures(VirtioDevice device, int value) {
    long low = value & 0xffffffffL;
    switch (driverFeaturesSel) {
      case 0 -> driverFeatures = driverFeatures & ~0xffffffffL | low;
      case 1 -> driverFeatures = driverFeatures & 0xffffffffL | low << 32;
      default -> {
        return;
      }
    }
    device.setDriverFeatures(driverFeatures);
  }

  private void writeQueueSize(Virtqueue queue, int entries) {
    if (!queue.acceptsSize(entries) || queue.isReady()) {
      guestError("queue " + queue.index() + " cannot have " + Integer.toUnsignedString(entries) + " entries now");
    } else {
      queue.setSize(entries);
    }
  }

  private void writeStatus(VirtioDevice device, int value) {
    device.setStatus(value);
    if (value == 0) {
      resetRegisters();
    }
  }

  private void writeLegacy(VirtioDevice device, int offset, int value) {
    switch (offset) {
      case Register.GUEST_PAGE_SIZE -> {
        if (Integer.bitCount(value) == 1) {
          guestPageShift = Integer.numberOfTrailingZeros(value);
        } else {
          guestError("page size " + Integer.toUnsignedString(value));
        }
      }
      case Register.QUEUE_ALIGN ->
          selected(device)
              .ifPresent(
                  q -> {
                    if (Integer.bitCount(value) == 1) {
                      queueAlign[q.index()] = value;
                    } else {
                      guestError("queue alignment " + Integer.toUnsignedString(value));
                    }
                  });
      case Register.QUEUE_PFN -> selected(device).ifPresent(q -> writeQueuePage(q, value));
      default -> unknown("write", offset);
    }
  }

  private void writeQueuePage(Virtqueue queue, int page) {
    queue.stop();
    if (page == 0) {
      queue.setAddresses(0, 0, 0);
      return;
    }
    long align = Math.max(4, queueAlign[queue.index()] & 0xffffffffL);
    long descriptors = (page & 0xffffffffL) << guestPageShift;
    long driver = descriptors + 16L * queue.size();
    long device = (driver + 6 + 2L * queue.size() + align - 1) & -align;
    queue.setAddresses(descriptors, driver, device);
    queue.start();
  }

  private void writeModern(VirtioDevice device, int offset, int value) {
    switch (offset) {
      case Register.QUEUE_READY ->
          selected(device)
              .ifPresent(
                  q -> {
                    if ((value & 1) != 0) {
                      q.start();
                    } else {
                      q.stop();
                    }
                  });
      case Register.DESC_LOW,
          Register.DESC_HIGH,
          Register.DRIVER_LOW,
          Register.DRIVER_HIGH,
          Register.DEVICE_LOW,
          Register.DEVICE_HIGH ->
          selected(device).ifPresent(q -> writeQueueAddress(q, offset, value));
      case Register.SHM_SEL -> {}
      default -> unknown("write", offset);
    }
  }

  private void writeQueueAddress(Virtqueue q, int offset, int value) {
    if (q.isReady()) {
      guestError("queue " + q.index() + " moved while ready");
      return;
    }
    long desc = q.descriptors();
    long driver = q.driver();
    long device = q.device();
    switch (offset) {
      case Register.DESC_LOW -> desc = low(desc, value);
      case Register.DESC_HIGH -> desc = high(desc, value);
      case Register.DRIVER_LOW -> driver = low(driver, value);
      case Register.DRIVER_HIGH -> driver = high(driver, value);
      case Register.DEVICE_LOW -> device = low(device, value);
      default -> device = high(device, value);
    }
    q.setAddresses(desc, driver, device);
  }

  private static long low(long old, int value) {
    return old & ~0xffffffffL | value & 0xffffffffL;
  }

  private static long high(long old, int value) {
    return old & 0xffffffffL | (long) value << 32;
  }

  private Optional<Virtqueue> selected(VirtioDevice device) {
    return queueSel >= 0 && queueSel < device.queueCount() ? Optional.of(device.queue(queueSel)) : Optional.empty();
  }

  private long unknown(String what, int offset) {
    guestError(what + " of no register at 0x" + Integer.toHexString(offset));
    return 0;
  }

  private void guestError(String message) {
    log.log(Log.Category.GUEST_ERRORS, () -> id() + ": " + message);
  }

  private void resetRegisters() {
    interruptStatus = 0;
    irq.set(false);
    deviceFeaturesSel = 0;
    driverFeaturesSel = 0;
    driverFeatures = 0;
    queueSel = 0;
    java.util.Arrays.fill(queueAlign, 0);
  }

  @Override
  public void resetEnter() {
    if (plugged.isPresent()) {
      plugged.get().resetEnter();
      lock().lock();
      plugged.get().lock().lock();
      try {
        resetRegisters();
        // Not in a reset by status: legacy drivers tell their page size once, before they reset the device.
        guestPageShift = 0;
      } finally {
        plugged.get().lock().unlock();
        lock().unlock();
      }
    }
  }

  @Override
  public Map<String, String> properties() {
    return Map.of("force-legacy", Boolean.toString(legacy));
  }

  @Override
  public void save(StateWriter out) {
    out.putBoolean("legacy", legacy);
    out.putLong("device", plugged.map(VirtioDevice::deviceId).orElse(0));
    out.putLong("interruptStatus", interruptStatus);
    out.putLongs("selectors", deviceFeaturesSel, driverFeaturesSel, queueSel);
    out.putLong("driverFeatures", driverFeatures);
    out.putLong("guestPageShift", guestPageShift);
    out.putInts("queueAlign", queueAlign);
  }

  @Override
  public void load(StateReader in, int version) throws StateException {
    if (in.getBoolean("legacy") != legacy) {
      throw new StateException("slot " + id() + ": the state is for force-legacy=" + !legacy);
    }
    int device = plugged.map(VirtioDevice::deviceId).orElse(0);
    long saved = in.getLong("device");
    if (saved != device) {
      throw new StateException("slot " + id() + " holds device " + device + ", the state is for " + saved);
    }
    interruptStatus = (int) in.getLong("interruptStatus", 0, 3);
    long[] selectors = in.getLongs("selectors", 3);
    deviceFeaturesSel = (int) selectors[0];
    driverFeaturesSel = (int) selectors[1];
    queueSel = (int) selectors[2];
    driverFeatures = in.getLong("driverFeatures");
    guestPageShift = (int) in.getLong("guestPageShift", 0, 31);
    long[] align = in.getLongs("queueAlign", queueAlign.length);
    for (int i = 0; i < align.length; i++) {
      queueAlign[i] = (int) align[i];
    }
    irq.set(interruptStatus != 0);
  }

  /** Register offsets in bytes. */
  private static final class Register {
    static final int MAGIC = 0x00;
    static final int VERSION = 0x04;
    static final int DEVICE_ID = 0x08;
    static final int VENDOR = 0x0c;
    static final int DEVICE_FEATURES = 0x10;
    static final int DEVICE_FEATURES_SEL = 0x14;
    static final int DRIVER_FEATURES = 0x20;
    static final int DRIVER_FEATURES_SEL = 0x24;
    static final int GUEST_PAGE_SIZE = 0x28;
    static final int QUEUE_SEL = 0x30;
    static final int QUEUE_NUM_MAX = 0x34;
    static final int QUEUE_NUM = 0x38;
    static final int QUEUE_ALIGN = 0x3c;
    static final int QUEUE_PFN = 0x40;
    static final int QUEUE_READY = 0x44;
    static final int QUEUE_NOTIFY = 0x50;
    static final int INTERRUPT_STATUS = 0x60;
    static final int INTERRUPT_ACK = 0x64;
    static final int STATUS = 0x70;
    static final int DESC_LOW = 0x80;
    static final int DESC_HIGH = 0x84;
    static final int DRIVER_LOW = 0x90;
    static final int DRIVER_HIGH = 0x94;
    static final int DEVICE_LOW = 0xa0;
    static final int DEVICE_HIGH = 0xa4;
    static final int SHM_SEL = 0xac;
    static final int SHM_LEN_LOW = 0xb0;
    static final int SHM_LEN_HIGH = 0xb4;
    static final int SHM_BASE_LOW = 0xb8;
    static final int SHM_BASE_HIGH = 0xbc;
    static final int CONFIG_GENERATION = 0xfc;

    private Register() {}
  }
}
