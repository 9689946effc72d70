package org.ascus.devices.pci;

import java.util.Map;
import org.ascus.machine.bus.MmioRegion;
import org.ascus.machine.state.StateException;
import org.ascus.machine.state.StateReader;
import org.ascus.machine.state.StateWriter;

/** A root port (PCI Express Base 4.0, section 1.3.1): a bridge to a link, where one device can be plugged in. */
public final class PcieRootPort extends PciBridge {
  private static final PciIdentity IDENTITY = new PciIdentity(0x1b36, 0x000c, 0, 0x060400, 0, 0);
  private static final int SPEED_16GT = 4;
  private static final int WIDTH_X32 = 32;
  private static final int SUBSYSTEM_CAPABILITY = 0x0d;
  private static final int PRESENT = 1 << 6;
  private static final int SLOT_SHIFT = 19;

  private final int express;
  private final int chassis;
  private final int slot;
  private final MsiX messages;

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
    config.init(express + ExpressCapability.SLOT_CAPABILITIES, 4, (long) slot << SLOT_SHIFT);
    config.addChanging(express + ExpressCapability.SLOT_STATUS, 2, PRESENT);
    config.addChanging(express + ExpressCapability.LINK_STATUS, 2, ExpressCapability.LINK_ACTIVE);
    config.init(express + ExpressCapability.LINK_CAPABILITIES + 3, 1, port);
    useInterruptPin();
    this.chassis = chassis;
    this.slot = slot;
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
  }

  @Override
  protected void configReplaced() {
    super.configReplaced();
    showPresence();
    messages.configChanged();
  }

  @Override
  public void resetEnter() {
    messages.reset();
    super.resetEnter();
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
