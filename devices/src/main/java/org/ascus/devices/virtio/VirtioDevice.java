package org.ascus.devices.virtio;

import java.util.ArrayList;
import java.util.List;
import org.ascus.devices.virtio.queue.GuestMemory;
import org.ascus.devices.virtio.queue.Virtqueue;
import org.ascus.devices.virtio.queue.VirtqueueException;
import org.ascus.machine.device.Device;
import org.ascus.machine.state.StateException;
import org.ascus.machine.state.StateReader;
import org.ascus.machine.state.StateWriter;
import org.ascus.machine.trace.Log;

/**
 * A virtio device (VIRTIO 1.2, section 2), unaware of its transport.
 *
 * <p>Contract:
 *
 * <ul>
 *   <li>Everything but the constructor, {@link #attach} and the {@link Device} methods runs with {@link #lock} held;
 *       the transport takes it for each register access, workers take it to complete requests. A transport that has a
 *       lock of its own takes that one first.
 *   <li>A driver can do anything. What breaks the rules of a queue ends in {@link #fail}: the device sets
 *       DEVICE_NEEDS_RESET, logs a guest error and stays deaf until it is reset. Nothing is thrown.
 *   <li>After a reset no byte of guest memory is touched for a request from before it.
 * </ul>
 */
public abstract class VirtioDevice extends Device {
  private static final long ALWAYS = VirtioFeatures.ANY_LAYOUT | VirtioFeatures.VERSION_1;

  private final VirtioHost host;
  private final int deviceId;
  private final List<Virtqueue> queues = new ArrayList<>();
  private VirtioTransport transport = VirtioTransport.NONE;
  private long ringFeatures = VirtioFeatures.INDIRECT_DESC | VirtioFeatures.EVENT_IDX;
  private long driverFeatures;
  private boolean featuresRefused;
  private int status;
  private int configGeneration;
  private boolean loaded;

  /**
   * @param deviceId as in VIRTIO 1.2, section 5
   * @param queueSizes most entries of each queue
   */
  protected VirtioDevice(String type, String id, VirtioHost host, int deviceId, int... queueSizes) {
    super(type, id);
    this.host = host;
    this.deviceId = deviceId;
    GuestMemory memory = new GuestMemory(host.memory());
    for (int size : queueSizes) {
      queues.add(new Virtqueue(queues.size(), size, memory));
    }
  }

  protected final VirtioHost host() {
    return host;
  }

  /** Device-specific feature bits on offer, 0 to 23 and 50 up. */
  protected abstract long deviceFeatures();

  /** The configuration space as the driver sees it now; little-endian. */
  protected abstract byte[] configSpace();

  /** The driver wrote the low {@code width} bytes of {@code value} at {@code offset}, inside the space. */
  protected void configWritten(int offset, int width, long value) {}

  /** The driver says that {@code queue} has buffers. */
  protected abstract void queueNotified(Virtqueue queue);

  /** The driver set DRIVER_OK: features and queues are settled. */
  protected void driverReady() {}

  /** Forget all requests. Queues are reset already. */
  protected void deviceReset() {}

  /** Number that names the kind of device to the driver. */
  public final int deviceId() {
    return deviceId;
  }

  /** Connects the device to its transport, once, before the machine starts. */
  public final void attach(VirtioTransport transport) {
    this.transport = transport;
  }

  /** Chooses what the rings offer, before the machine starts. */
  public final void setRingFeatures(boolean indirect, boolean eventIndex, boolean packed) {
    ringFeatures =
        (indirect ? VirtioFeatures.INDIRECT_DESC : 0)
            | (eventIndex ? VirtioFeatures.EVENT_IDX : 0)
            | (packed ? VirtioFeatures.RING_PACKED : 0);
  }

  public final int queueCount() {
    return queues.size();
  }

  public final Virtqueue queue(int index) {
    return queues.get(index);
  }

  /** Those of the device's own bits that mean something to a legacy driver only. */
  protected long legacyFeatures() {
    return 0;
  }

  /** All bits on offer through this transport. */
  public final long offeredFeatures() {
    long all = deviceFeatures() | ringFeatures | ALWAYS;
    return transport.modern() ? all & ~(VirtioFeatures.LEGACY_ONLY | legacyFeatures()) : all & 0xffffffffL;
  }

  /** Bits that the driver accepted. */
  public final long driverFeatures() {
    return driverFeatures;
  }

  protected final boolean negotiated(long feature) {
    return (driverFeatures & feature) != 0;
  }

  /** Accepts what is on offer of {@code features}; too late once FEATURES_OK or DRIVER_OK is set. */
  public final void setDriverFeatures(long features) {
    if ((status & (VirtioStatus.FEATURES_OK | VirtioStatus.DRIVER_OK)) != 0 && transport.modern()) {
      guestError("features changed after FEATURES_OK");
      return;
    }
    driverFeatures = features & offeredFeatures();
    featuresRefused = driverFeatures != features;
    queues.forEach(this::applyFeatures);
  }

  private void applyFeatures(Virtqueue queue) {
    queue.setEventIndex(negotiated(VirtioFeatures.EVENT_IDX));
    queue.setPacked(negotiated(VirtioFeatures.RING_PACKED));
  }

  /** Device status bits, see {@link VirtioStatus}. */
  public final int status() {
    return status;
  }

  /** The driver writes the status; zero resets the device. */
  public final void setStatus(int value) {
    if (value == 0) {
      reset();
      return;
    }
    int set = value & ~status;
    status = value & 0xff & ~VirtioStatus.NEEDS_RESET | status & VirtioStatus.NEEDS_RESET;
    boolean acceptable = negotiated(VirtioFeatures.VERSION_1) && !featuresRefused;
    if ((set & VirtioStatus.FEATURES_OK) != 0 && transport.modern() && !acceptable) {
      guestError("FEATURES_OK without VIRTIO_F_VERSION_1 or with features that are not on offer");
      status &= ~VirtioStatus.FEATURES_OK;
    }
    if ((set & VirtioStatus.DRIVER_OK) != 0) {
      driverReady();
      queues.forEach(this::notify);
    }
  }

  /** True if requests are taken: the driver is up and has broken nothing. */
  protected final boolean live() {
    int need = transport.modern() ? VirtioStatus.DRIVER_OK : 0;
    return (status & (need | VirtioStatus.NEEDS_RESET)) == need && transport.reachesMemory();
  }

  /** The driver rings the bell of queue {@code index}, which may be any number. */
  public final void notifyQueue(int index) {
    if (index < 0 || index >= queues.size()) {
      guestError("notification for queue " + Integer.toUnsignedString(index) + " of " + queues.size());
      return;
    }
    notify(queues.get(index));
  }

  private void notify(Virtqueue queue) {
    if (queue.isReady() && live()) {
      queueNotified(queue);
    }
  }

  /** Back to the state after power-on. */
  public final void reset() {
    status = 0;
    driverFeatures = 0;
    featuresRefused = false;
    queues.forEach(Virtqueue::reset);
    deviceReset();
  }

  /** Bytes of configuration space. */
  public final int configSize() {
    return configSpace().length;
  }

  /** Reads {@code width} (1, 2, 4 or 8) bytes of configuration space; all ones outside of it. */
  public final long readConfig(long offset, int width) {
    byte[] space = configSpace();
    if (offset < 0 || offset > space.length - width) {
      return width == 8 ? -1L : (1L << (8 * width)) - 1;
    }
    long value = 0;
    for (int i = 0; i < width; i++) {
      value |= (space[(int) offset + i] & 0xffL) << (8 * i);
    }
    return value;
  }

  /** Writes configuration space; dropped outside of it. */
  public final void writeConfig(long offset, int width, long value) {
    if (offset >= 0 && offset <= configSpace().length - width) {
      configWritten((int) offset, width, value);
    }
  }

  /** Changes whenever the device changes its configuration space. */
  public final int configGeneration() {
    return configGeneration;
  }

  /** Tells the driver that the configuration space changed. */
  protected final void configChanged() {
    configGeneration++;
    if ((status & VirtioStatus.DRIVER_OK) != 0) {
      transport.configInterrupt();
    }
  }

  /** Shows the driver what was pushed to {@code queue} and interrupts it if it wants that. */
  protected final void publish(Virtqueue queue) {
    try {
      if (queue.publish()) {
        transport.queueInterrupt(queue.index());
      }
    } catch (VirtqueueException e) {
      fail(queue, e.getMessage());
    }
  }

  /** The driver broke the protocol: the device needs a reset and does nothing before it gets one. */
  protected final void fail(Virtqueue queue, String message) {
    guestError("queue " + queue.index() + ": " + message);
    if ((status & VirtioStatus.NEEDS_RESET) == 0) {
      status |= VirtioStatus.NEEDS_RESET;
      transport.configInterrupt();
    }
  }

  /** Logs something that a driver must not do. */
  protected final void guestError(String message) {
    host.log().log(Log.Category.GUEST_ERRORS, () -> type() + " " + id() + ": " + message);
  }

  @Override
  public void resetEnter() {
    confined(this::reset).run();
  }

  @Override
  public final void save(StateWriter out) {
    out.putLong("status", status);
    out.putLong("driverFeatures", driverFeatures);
    out.putLong("configGeneration", configGeneration);
    queues.forEach(q -> q.save(out));
    saveDevice(out);
  }

  /** Writes what the device adds to status, features and queues. */
  protected void saveDevice(StateWriter out) {}

  @Override
  public final void load(StateReader in, int version) throws StateException {
    lock().lock();
    try {
      reset();
      long features = in.getLong("driverFeatures");
      if ((features & ~offeredFeatures()) != 0) {
        throw new StateException(
            "device " + id() + " does not offer features 0x" + Long.toHexString(features & ~offeredFeatures()));
      }
      driverFeatures = features;
      configGeneration = in.getInt("configGeneration");
      for (Virtqueue queue : queues) {
        applyFeatures(queue);
        queue.load(in);
      }
      status = (int) in.getLong("status", 0, 0xff);
      loadDevice(in, version);
      loaded = true;
    } finally {
      lock().unlock();
    }
  }

  /** The machine runs again: buffers that were in flight in a state that was loaded are taken up once more. */
  public final void resumed() {
    lock().lock();
    try {
      running();
      if (loaded) {
        loaded = false;
        queues.forEach(this::notify);
      }
    } finally {
      lock().unlock();
    }
  }

  /** The machine runs again after a pause. */
  protected void running() {}

  /** Reads what {@link #saveDevice} wrote. Guest memory is loaded already. */
  protected void loadDevice(StateReader in, int version) throws StateException {}
}
