package org.ascus.devices.pci;

import java.util.Map;
import java.util.Optional;
import org.ascus.machine.bus.MmioRegion;
import org.ascus.machine.state.StateException;
import org.ascus.machine.state.StateReader;
import org.ascus.machine.state.StateWriter;

/**
 * A root port (PCI Express Base 4.0, section 1.3.1): a bridge to a link, where one device can be plugged in, also while
 * the machine runs (section 6.7): then presence changes and the attention button is pressed, as in QEMU, and the device
 * answers once the guest has switched the slot's power on. To take the device out the button is pressed, and it goes
 * when the guest has switched power and its indicator off.
 *
 * <p>Slot control: bits 0 to 4 and 12 enable events, 5 the interrupt, 6 to 7 attention indicator, 8 to 9 power
 * indicator (3 is off), 10 power off. Slot status: the events in the same places, with 8 for the link, and 6 for
 * presence.
 */
public final class PcieRootPort extends PciBridge {
  private static final PciIdentity IDENTITY = new PciIdentity(0x1b36, 0x000c, 0, 0x060400, 0, 0);
  private static final int SPEED_16GT = 4;
  private static final int WIDTH_X32 = 32;
  private static final int SUBSYSTEM_CAPABILITY = 0x0d;
  private static final int PRESENT = 1 << 6;
  private static final int BUTTON_PRESSED = 1;
  private static final int PRESENCE_CHANGED = 1 << 3;
  private static final int COMMAND_COMPLETED = 1 << 4;
  private static final int LINK_CHANGED = 1 << 8;
  private static final int EVENTS = 0x1f;
  private static final int EVENT_INTERRUPT = 1 << 5;
  private static final int LINK_EVENT = 1 << 12;
  private static final int INDICATOR_OFF = 3 << 8;
  private static final int POWER_OFF = 1 << 10;
  private static final int CONTROL_WRITABLE = 0x17ff;
  private static final int CONTROL_EMPTY = 0x7c0;
  private static final int CONTROL_POPULATED = 0x1c0;

  /** Button, power controller, both indicators, surprise, hot plug. */
  private static final int SLOT_FEATURES = 0x7b;

  private static final int SLOT_SHIFT = 19;

  private final int express;
  private final int chassis;
  private final int slot;
  private final MsiX messages;
  private Optional<Runnable> unplugging = Optional.empty();
  private int control = CONTROL_EMPTY;
  private boolean eventPending;

  /**
   * @param id also the name of the bus behind it
   * @param chassis 8 bits
   * @param port port number, 8 bits
   * @param slot physical slot number, 13 bits
   */
  public PcieRootPort(String id, int chassis, int port, int slot) {
    super("pcie-root-port", id, new PciConfig(PciConfig.EXPRESS_SIZE, 1, IDENTITY), true);
    PciConfig config = config();
    int subsystem = config.addCapability(SUBSYSTEM_CAPABILITY, 8);
    config.init(subsystem + 4, 2, IDENTITY.vendor());
    messages = new MsiX(config, 1, 0, this::sendMessage);
    addBar(
        new PciBar(
            0, PciBar.Kind.MEMORY32, new MmioRegion(id + ".msix", MsiX.REGION_SIZE, messages, lock())));
    express = ExpressCapability.add(config, ExpressCapability.ROOT_PORT, SPEED_16GT, WIDTH_X32);
    config.init(express + ExpressCapability.SLOT_CAPABILITIES, 4, (long) slot << SLOT_SHIFT | SLOT_FEATURES);
    config.init(express + ExpressCapability.SLOT_CONTROL, 2, CONTROL_EMPTY);
    config.setWritable(express + ExpressCapability.SLOT_CONTROL, 2, CONTROL_WRITABLE);
    config.setClearable(express + ExpressCapability.SLOT_STATUS, 2, EVENTS | LINK_CHANGED);
    config.addChanging(express + ExpressCapability.SLOT_STATUS, 2, PRESENT);
    config.addChanging(express + ExpressCapability.LINK_STATUS, 2, ExpressCapability.LINK_ACTIVE);
    config.init(express + ExpressCapability.LINK_CAPABILITIES + 3, 1, port);
    useInterruptPin();
    this.chassis = chassis;
    this.slot = slot;
  }

  /** Whether both say that they are the same slot of the same chassis. */
  boolean isSameSlot(PcieRootPort other) {
    return chassis == other.chassis && slot == other.slot;
  }

  /** Tells in the registers whether the link leads to a device. */
  private void showPresence() {
    boolean present = !childBus().functions().isEmpty();
    set(ExpressCapability.SLOT_STATUS, PRESENT, present);
    set(ExpressCapability.LINK_STATUS, ExpressCapability.LINK_ACTIVE, present);
  }

  @Override
  public void populationChanged() {
    showPresence();
    boolean present = !childBus().functions().isEmpty();
    raise(PRESENCE_CHANGED | LINK_CHANGED | (present ? BUTTON_PRESSED : 0));
  }

  @Override
  public void eject(Runnable taken) {
    if (isOff(control)) {
      takeOut(taken);
    } else {
      unplugging = Optional.of(taken);
      raise(BUTTON_PRESSED);
    }
  }

  @Override
  public boolean powered() {
    return (control & POWER_OFF) == 0;
  }

  private static boolean isOff(int slotControl) {
    return (slotControl & POWER_OFF) != 0 && (slotControl & INDICATOR_OFF) == INDICATOR_OFF;
  }

  private void takeOut(Runnable taken) {
    unplugging = Optional.empty();
    childBus().functions().forEach(PciFunction::unplug);
    taken.run();
  }

  private void raise(int events) {
    int at = express + ExpressCapability.SLOT_STATUS;
    config().set(at, 2, config().get(at, 2) | events);
    signal();
  }

  private void signal() {
    int now = (int) config().get(express + ExpressCapability.SLOT_CONTROL, 2);
    int status = (int) config().get(express + ExpressCapability.SLOT_STATUS, 2);
    boolean link = (status & LINK_CHANGED) != 0 && (now & LINK_EVENT) != 0;
    boolean pending = (now & EVENT_INTERRUPT) != 0 && ((status & now & EVENTS) != 0 || link);
    if (pending && !eventPending) {
      messages.raise(0);
    }
    eventPending = pending;
    setInterrupt(pending && !messages.isEnabled());
  }

  private void controlWritten() {
    int old = control;
    control = (int) config().get(express + ExpressCapability.SLOT_CONTROL, 2);
    if (isOff(control) && !isOff(old)) {
      unplugging.ifPresent(this::takeOut);
    }
    if ((control & POWER_OFF) != (old & POWER_OFF)) {
      childBus().remap();
    }
    raise(COMMAND_COMPLETED);
  }

  private void set(int register, int bit, boolean on) {
    int at = express + register;
    long old = config().get(at, 2);
    config().set(at, 2, on ? old | bit : old & ~bit);
  }

  @Override
  protected void configWritten(int offset, int width) {
    super.configWritten(offset, width);
    messages.configChanged();
    int slotControl = express + ExpressCapability.SLOT_CONTROL;
    if (offset < slotControl + 2 && offset + width > slotControl) {
      controlWritten();
    }
    signal();
  }

  @Override
  protected void configReplaced() {
    control = (int) config().get(express + ExpressCapability.SLOT_CONTROL, 2);
    super.configReplaced();
    showPresence();
    messages.configChanged();
    signal();
  }

  @Override
  public void resetEnter() {
    bus().lock().lock();
    try {
      messages.reset();
      eventPending = false;
      super.resetEnter();
      control = childBus().functions().isEmpty() ? CONTROL_EMPTY : CONTROL_POPULATED;
      config().set(express + ExpressCapability.SLOT_CONTROL, 2, control);
    } finally {
      bus().lock().unlock();
    }
  }

  @Override
  public Map<String, String> properties() {
    return Map.of("chassis", Integer.toString(chassis), "slot", Integer.toString(slot));
  }

  @Override
  protected void saveFunction(StateWriter out) {
    messages.save(out);
  }

  @Override
  protected void loadFunction(StateReader in, int version) throws StateException {
    messages.load(in);
  }
}
