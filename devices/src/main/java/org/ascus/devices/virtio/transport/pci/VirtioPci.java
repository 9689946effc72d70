package org.ascus.devices.virtio.transport.pci;

import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import org.ascus.devices.pci.ExpressCapability;
import org.ascus.devices.pci.MsiX;
import org.ascus.devices.pci.PciBar;
import org.ascus.devices.pci.PciConfig;
import org.ascus.devices.pci.PciFunction;
import org.ascus.devices.virtio.VirtioDevice;
import org.ascus.devices.virtio.VirtioTransport;
import org.ascus.devices.virtio.queue.Virtqueue;
import org.ascus.machine.bus.BusDevice;
import org.ascus.machine.bus.MmioRegion;
import org.ascus.machine.device.DeviceException;
import org.ascus.machine.state.StateException;
import org.ascus.machine.state.StateReader;
import org.ascus.machine.state.StateWriter;
import org.ascus.machine.trace.Log;

/**
 * A virtio device as a PCI function (VIRTIO 1.2, section 4.1). BAR 0 has the registers of {@link LegacyRegisters}, BAR
 * 1 the message vectors, BAR 4 those of {@link ModernRegisters}, each as far as they are on offer; the
 * capabilities in configuration space say where the modern ones are, and let a driver reach them without the BAR.
 *
 * <p>A function with both interfaces takes the one that its driver touches first after a reset. Its lock is taken
 * before the device's; what belongs to the device, the interrupt status included, is guarded by the device's lock.
 */
public final class VirtioPci extends PciFunction implements VirtioTransport {
  static final int INT_QUEUE = 1;
  static final int INT_CONFIG = 2;

  private static final int ISR_BITS = INT_QUEUE | INT_CONFIG;
  private static final int LEGACY_BAR = 0;
  private static final int MESSAGE_BAR = 1;
  private static final int MODERN_BAR = 4;
  private static final int POWER_CAPABILITY = 0x01;
  private static final int POWER_VERSION = 3;
  private static final int SPEED_2_5GT = 1;

  private final VirtioDevice device;
  private final Log log;
  private final VirtioPciOptions options;
  private final Optional<MsiX> messages;
  private final LegacyRegisters legacyRegisters;
  private final ModernRegisters modernRegisters;
  private final Optional<ConfigAccess> configAccess;
  private final int express;
  private boolean speaksLegacy;
  private int isr;
  private int configVector = MsiX.NONE;
  private final int[] queueVectors;
  private int queueSelect;

  /**
   * @param device gets this function as its transport
   * @throws DeviceException when the device does not exist with the interface that is asked for
   */
  @SuppressWarnings("this-escape")
  public VirtioPci(String type, String id, VirtioDevice device, Log log, VirtioPciOptions options)
      throws DeviceException {
    super(type, id, config(type, device, options));
    this.device = device;
    this.log = log;
    this.options = options;
    queueVectors = new int[device.queueCount()];
    Arrays.fill(queueVectors, MsiX.NONE);
    legacyRegisters = new LegacyRegisters(this, device);
    modernRegisters = new ModernRegisters(this, device);
    PciConfig config = config();
    useInterruptPin();
    if (options.legacy()) {
      addBar(bar(LEGACY_BAR, PciBar.Kind.IO, "virtio-pci", legacyRegisters.size(), legacyRegisters));
    }
    if (options.modern()) {
      ModernRegisters.addCapabilities(config, MODERN_BAR);
      configAccess = Optional.of(ConfigAccess.add(config, MODERN_BAR, modernRegisters));
      PciBar.Kind kind = PciBar.Kind.MEMORY64_PREFETCHABLE;
      addBar(bar(MODERN_BAR, kind, "virtio-pci-modern", ModernRegisters.SIZE, modernRegisters));
    } else {
      configAccess = Optional.empty();
    }
    if (options.vectors() > 0) {
      MsiX made = new MsiX(config, Math.min(options.vectors(), MsiX.MAX_VECTORS), MESSAGE_BAR, this::sendMessage);
      addBar(bar(MESSAGE_BAR, PciBar.Kind.MEMORY32, "msix", MsiX.REGION_SIZE, made));
      messages = Optional.of(made);
    } else {
      messages = Optional.empty();
    }
    express = options.express() ? addExpress(config) : 0;
    speaksLegacy = !options.modern();
    device.attach(this);
  }

  /** The device behind the function has the same id. */
  @Override
  public String stateId() {
    return id() + ".pci";
  }

  private PciBar bar(int index, PciBar.Kind kind, String name, long size, BusDevice registers) {
    return new PciBar(index, kind, new MmioRegion(name, size, registers, lock()));
  }

  private static PciConfig config(String type, VirtioDevice device, VirtioPciOptions options) throws DeviceException {
    if (!options.legacy() && !options.modern()) {
      throw new DeviceException("device cannot work as neither modern nor legacy mode is enabled");
    }
    int size = options.express() ? PciConfig.EXPRESS_SIZE : PciConfig.CONVENTIONAL_SIZE;
    VirtioPciKind kind = VirtioPciKind.of(device.deviceId());
    if (options.legacy() && kind.transitionalId().isEmpty()) {
      throw new DeviceException(type + " has no legacy interface");
    }
    return new PciConfig(size, 0, kind.identity(options.legacy()));
  }

  private static int addExpress(PciConfig config) {
    int power = config.addCapability(POWER_CAPABILITY, 8);
    config.init(power + 2, 2, POWER_VERSION);
    config.init(power + 4, 2, 1 << 3);
    config.setWritable(power + 4, 2, 3);
    return ExpressCapability.add(config, ExpressCapability.ENDPOINT, SPEED_2_5GT, 1);
  }

  /** The device behind the function. */
  public VirtioDevice device() {
    return device;
  }

  @Override
  public boolean modern() {
    return !speaksLegacy;
  }

  @Override
  public boolean reachesMemory() {
    return isMaster();
  }

  /** The driver uses the legacy interface or the modern one; the device's lock is held. */
  void spoken(boolean legacy) {
    if (device.status() == 0) {
      speaksLegacy = legacy;
    }
  }

  @Override
  public void queueInterrupt(int queue) {
    isr |= INT_QUEUE;
    signal(queueVectors[queue]);
  }

  @Override
  public void configInterrupt() {
    isr |= ISR_BITS;
    signal(configVector);
  }

  private void signal(int vector) {
    if (usesMessages()) {
      messages.get().raise(vector);
    } else {
      setInterrupt(isr != 0);
    }
  }

  boolean usesMessages() {
    return messages.isPresent() && messages.get().isEnabled();
  }

  /** The driver reads why it was interrupted, which acknowledges that. */
  int takeIsr() {
    int result = isr;
    isr = 0;
    setInterrupt(false);
    return result;
  }

  void writeStatus(int value) {
    device.setStatus(value);
    if (value == 0) {
      resetRegisters();
    }
  }

  private void resetRegisters() {
    takeIsr();
    configVector = MsiX.NONE;
    Arrays.fill(queueVectors, MsiX.NONE);
    queueSelect = 0;
    speaksLegacy = !options.modern();
    modernRegisters.reset();
  }

  int queueSelect() {
    return queueSelect;
  }

  void selectQueue(int index) {
    queueSelect = index;
  }

  /** The queue that the driver selected, if there is one of that number. */
  Optional<Virtqueue> selected() {
    return queueSelect < device.queueCount() ? Optional.of(device.queue(queueSelect)) : Optional.empty();
  }

  int configVector() {
    return configVector;
  }

  void setConfigVector(int vector) {
    configVector = valid(vector);
  }

  int queueVector() {
    return selected().map(q -> queueVectors[q.index()]).orElse(MsiX.NONE);
  }

  void setQueueVector(int vector) {
    selected().ifPresent(q -> queueVectors[q.index()] = valid(vector));
  }

  private int valid(int vector) {
    return messages.isPresent() && vector < messages.get().vectors() ? vector : MsiX.NONE;
  }

  void guestError(String message) {
    log.log(Log.Category.GUEST_ERRORS, () -> type() + " " + id() + ": " + message);
  }

  @Override
  protected void configRead(int offset, int width) {
    if (configAccess.isPresent() && configAccess.get().isData(offset, width)) {
      lock().lock();
      try {
        configAccess.get().read();
      } finally {
        lock().unlock();
      }
    }
  }

  @Override
  protected void configWritten(int offset, int width) {
    lock().lock();
    try {
      configAccess.filter(a -> a.isData(offset, width)).ifPresent(ConfigAccess::write);
      if (options.express() && ExpressCapability.takeFunctionReset(config(), express)) {
        resetEnter();
      }
      applyMessages();
    } finally {
      lock().unlock();
    }
  }

  @Override
  protected void configReplaced() {
    applyMessages();
  }

  private void applyMessages() {
    device.lock().lock();
    try {
      messages.ifPresent(MsiX::configChanged);
      setInterrupt(isr != 0 && !usesMessages());
    } finally {
      device.lock().unlock();
    }
  }

  @Override
  public void unplug() {
    device.resetEnter();
    super.unplug();
  }

  @Override
  public void resetEnter() {
    device.resetEnter();
    bus().lock().lock();
    lock().lock();
    device.lock().lock();
    try {
      messages.ifPresent(MsiX::reset);
      resetRegisters();
      resetFunction();
    } finally {
      device.lock().unlock();
      lock().unlock();
      bus().lock().unlock();
    }
  }

  @Override
  public Map<String, String> properties() {
    return Map.of(
        "disable-legacy", options.legacy() ? "off" : "on",
        "disable-modern", Boolean.toString(!options.modern()),
        "vectors", Integer.toString(options.vectors()));
  }

  @Override
  protected void saveFunction(StateWriter out) {
    out.putLong("device", device.deviceId());
    out.putBoolean("legacy", speaksLegacy);
    out.putLong("isr", isr);
    out.putLong("configVector", configVector);
    out.putInts("queueVectors", queueVectors);
    out.putLong("queueSelect", queueSelect);
    modernRegisters.save(out);
    messages.ifPresent(m -> m.save(out));
  }

  @Override
  protected void loadFunction(StateReader in, int version) throws StateException {
    if (in.getLong("device") != device.deviceId()) {
      throw new StateException("function " + id() + ": the state is for virtio device " + in.getLong("device"));
    }
    speaksLegacy = in.getBoolean("legacy");
    if (speaksLegacy ? !options.legacy() : !options.modern()) {
      throw new StateException("function " + id() + ": the state is for another interface");
    }
    isr = (int) in.getLong("isr", 0, ISR_BITS);
    configVector = (int) in.getLong("configVector", 0, MsiX.NONE);
    long[] vectors = in.getLongs("queueVectors", queueVectors.length);
    for (int i = 0; i < vectors.length; i++) {
      queueVectors[i] = (int) vectors[i] & MsiX.NONE;
    }
    queueSelect = (int) in.getLong("queueSelect", 0, 0xffff);
    modernRegisters.load(in);
    if (messages.isPresent()) {
      messages.get().load(in);
    }
  }
}
