package org.ascus.devices.net.e1000e;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.ascus.devices.dma.DmaMemory;
import org.ascus.devices.net.Frame;
import org.ascus.devices.net.MacAddress;
import org.ascus.devices.net.NetCard;
import org.ascus.devices.net.NetLink;
import org.ascus.devices.net.NetPeer;
import org.ascus.devices.net.Offloads;
import org.ascus.devices.pci.ExpressCapability;
import org.ascus.devices.pci.Msi;
import org.ascus.devices.pci.MsiX;
import org.ascus.devices.pci.PciBar;
import org.ascus.devices.pci.PciConfig;
import org.ascus.devices.pci.PciFunction;
import org.ascus.devices.pci.PciIdentity;
import org.ascus.machine.bus.AddressSpace;
import org.ascus.machine.bus.BusDevice;
import org.ascus.machine.bus.MmioRegion;
import org.ascus.machine.clock.VirtualClock;
import org.ascus.machine.device.DeviceException;
import org.ascus.machine.state.StateException;
import org.ascus.machine.state.StateReader;
import org.ascus.machine.state.StateWriter;
import org.ascus.machine.trace.Log;

/**
 * The card as a PCI Express function: BAR 0 has the registers (section 10), BAR 2 the same behind an address and a data
 * port (section 10.1.1.2), BAR 3 the message vectors. There is no flash behind BAR 1.
 *
 * <p>The thread that moves a transmit tail sends; a received frame is copied by the back end's thread. Receive-side
 * scaling, wake-up, loopback and time stamps do not exist: all frames go to the first receive queue.
 */
public final class E1000e extends PciFunction implements NetCard {
  static final int VENDOR = 0x8086;
  static final int DEVICE = 0x10d3;
  static final int SUBSYSTEM = 0;

  private static final PciIdentity IDENTITY = new PciIdentity(VENDOR, DEVICE, 0, 0x020000, VENDOR, SUBSYSTEM);
  private static final long REGISTERS_SIZE = 128 << 10;
  private static final long PORTS_SIZE = 32;
  private static final int POWER_CAPABILITY = 0x01;
  private static final int SPEED_2_5GT = 1;

  /** Full duplex, 1 Gb/s as set and as detected. */
  private static final int STATUS_FIXED = 0x0281;

  private static final int STATUS_UP = 1 << 1;
  private static final int STATUS_MASTER = 1 << 19;
  private static final int EECD_REQUEST = 1 << 6;
  private static final int EECD_GRANT = 1 << 7;
  private static final int SEMAPHORE = 1;
  private static final int CTRL_EXT_NVM_RESET = 1 << 13;

  private final NetLink link;
  private final MacAddress delivered;
  private final Log log;
  private final Card cable = new Card();
  private final MsiX vectors;
  private final Msi message;
  private final int express;
  private final RegisterFile registers = new RegisterFile();
  private final Phy phy = new Phy();
  private final Nvm nvm;
  private final TimeSync time;
  private final Interrupts interrupts;
  private final Statistics statistics = new Statistics(registers);
  private final RxFilter filter = new RxFilter(registers);
  private final List<Transmitter> transmitters;
  private final Receiver receiver;
  private int portAddress;
  private boolean rxWaits;
  private boolean quiet;

  /**
   * @param memory where its rings and buffers lie
   * @param link to the back end; gets plugged in
   * @param mac its address in the NVM
   * @param behindPort it is plugged into a port and not on the root bus
   * @throws DeviceException when the network is in use
   */
  @SuppressWarnings("this-escape")
  public E1000e(
      String id,
      AddressSpace memory,
      VirtualClock clock,
      Log log,
      NetLink link,
      MacAddress mac,
      boolean behindPort)
      throws DeviceException {
    super("e1000e", id, new PciConfig(PciConfig.EXPRESS_SIZE, 0, IDENTITY));
    if (mac.isGroup()) {
      throw new DeviceException("Property 'mac' doesn't take value '" + mac + "': a group's address");
    }
    this.link = link;
    this.delivered = mac;
    this.log = log;
    nvm = new Nvm(mac);
    time = new TimeSync(clock);
    interrupts = new Interrupts(registers, clock, new Signals(), this::confined);
    Transmitter.Card parts =
        new Transmitter.Card(registers, new DmaMemory(memory), link, interrupts, statistics, this::guestError);
    transmitters = List.of(new Transmitter(parts, 0), new Transmitter(parts, 1));
    receiver = new Receiver(parts, filter);
    useInterruptPin();
    addBar(bar(0, PciBar.Kind.MEMORY32, "e1000e-mmio", REGISTERS_SIZE, new Memory()));
    addBar(bar(2, PciBar.Kind.IO, "e1000e-io", PORTS_SIZE, new Ports()));
    PciConfig config = config();
    int power = config.addCapability(POWER_CAPABILITY, 8);
    config.init(power + 2, 2, 2);
    config.setWritable(power + 4, 2, 3);
    message = new Msi(config, this::sendMessage);
    express =
        ExpressCapability.add(
            config,
            behindPort ? ExpressCapability.ENDPOINT : ExpressCapability.INTEGRATED_ENDPOINT,
            SPEED_2_5GT,
            1);
    vectors = new MsiX(config, Interrupts.VECTORS, 3, this::sendMessage);
    addBar(bar(3, PciBar.Kind.MEMORY32, "e1000e-msix", MsiX.REGION_SIZE, vectors));
    resetCard();
    link.plug(cable);
  }

  private PciBar bar(int index, PciBar.Kind kind, String name, long size, BusDevice device) {
    return new PciBar(index, kind, new MmioRegion(name, size, device, lock()));
  }

  private void guestError(String text) {
    log.log(Log.Category.GUEST_ERRORS, () -> "e1000e " + id() + ": " + text);
  }

  @Override
  public MacAddress mac() {
    lock().lock();
    try {
      return filter.own();
    } finally {
      lock().unlock();
    }
  }

  @Override
  public NetLink link() {
    return link;
  }

  /** What the driver resets by CTRL: all but configuration space, NVM and PHY. */
  private void resetCard() {
    registers.reset();
    interrupts.reset();
    time.reset();
    transmitters.forEach(Transmitter::reset);
    filter.setOwn(nvm.mac());
    portAddress = 0;
    interrupts.update();
  }

  private int read(int offset) {
    if (Statistics.isCounter(offset)) {
      return statistics.take(offset);
    }
    return switch (offset) {
      case Register.STATUS -> status();
      case Register.EECD -> grant(registers.get(offset));
      case Register.ICR -> interrupts.takeCauses();
      case Register.ICS -> interrupts.showCauses();
      case Register.IMS, Register.IMC -> interrupts.mask();
      case Register.SWSM -> takeSemaphore();
      case Register.SYSTIML -> time.readLow();
      case Register.SYSTIMH -> time.readHigh();
      default -> registers.get(offset);
    };
  }

  private int status() {
    boolean masterOff = registers.has(Register.CTRL, Register.CTRL_MASTER_DISABLE);
    return STATUS_FIXED | (link.isUp() ? STATUS_UP : 0) | (masterOff ? 0 : STATUS_MASTER);
  }

  private static int grant(int eecd) {
    return (eecd & EECD_REQUEST) != 0 ? eecd | EECD_GRANT : eecd;
  }

  /** Whoever reads the semaphore as free has it. */
  private int takeSemaphore() {
    int old = registers.get(Register.SWSM);
    registers.set(Register.SWSM, old | SEMAPHORE);
    return old;
  }

  private void write(int offset, int value) {
    switch (offset) {
      case Register.CTRL -> writeControl(value);
      case Register.EERD -> registers.set(offset, nvm.read(value));
      case Register.EEWR -> registers.set(offset, nvm.write(value));
      case Register.CTRL_EXT -> {
        registers.write(offset, value);
        if ((value & CTRL_EXT_NVM_RESET) != 0) {
          filter.setOwn(nvm.mac());
        }
        interrupts.update();
      }
      case Register.MDIC -> command(value);
      case Register.ICR -> interrupts.clearCauses(value);
      case Register.ICS -> interrupts.cause(value);
      case Register.IMS -> interrupts.setMask(value);
      case Register.IMC -> interrupts.clearMask(value);
      case Register.IVAR -> {
        registers.write(offset, value);
        interrupts.update();
      }
      case Register.TDT, Register.TDT + Register.QUEUE_STEP, Register.TCTL -> {
        registers.write(offset, value);
        transmit();
      }
      case Register.RDT, Register.RCTL -> {
        registers.write(offset, value);
        roomForFrames();
      }
      case Register.TIMINCA -> {
        registers.write(offset, value);
        time.setIncrement(value);
      }
      case Register.SYSTIML -> time.write(false, value);
      case Register.SYSTIMH -> time.write(true, value);
      default -> registers.write(offset, value);
    }
  }

  private void writeControl(int value) {
    if ((value & Register.CTRL_RESET) != 0) {
      resetCard();
      return;
    }
    registers.write(Register.CTRL, value);
    if ((value & Register.CTRL_PHY_RESET) != 0) {
      phy.reset();
      linkNegotiated();
    }
  }

  private void linkNegotiated() {
    if (link.isUp()) {
      interrupts.cause(Interrupts.LINK);
    }
  }

  private void command(int mdic) {
    registers.set(Register.MDIC, phy.command(mdic, link.isUp()));
    if ((mdic & Phy.INTERRUPT) != 0) {
      interrupts.cause(Interrupts.MDIO);
    }
    if (Phy.restarts(mdic)) {
      linkNegotiated();
    }
  }

  private boolean live() {
    return isMaster() && !quiet;
  }

  private void transmit() {
    if (live()) {
      transmitters.forEach(Transmitter::run);
    }
  }

  private void roomForFrames() {
    if (rxWaits && live()) {
      rxWaits = false;
      link.cardHasRoom();
    }
  }

  /** The registers as memory. */
  private final class Memory implements BusDevice {
    @Override
    public AccessSizes accessSizes() {
      return AccessSizes.WORD;
    }

    @Override
    public long read(long offset, int width) {
      return E1000e.this.read((int) offset);
    }

    @Override
    public void write(long offset, int width, long value) {
      E1000e.this.write((int) offset, (int) value);
    }
  }

  /** Port 0 is the offset of a register, port 4 its value. */
  private final class Ports implements BusDevice {
    @Override
    public AccessSizes accessSizes() {
      return AccessSizes.WORD;
    }

    private boolean inRange() {
      return portAddress >= 0 && portAddress < REGISTERS_SIZE && portAddress % 4 == 0;
    }

    @Override
    public long read(long offset, int width) {
      return switch ((int) offset) {
        case 0 -> portAddress;
        case 4 -> inRange() ? E1000e.this.read(portAddress) : 0;
        default -> 0;
      };
    }

    @Override
    public void write(long offset, int width, long value) {
      if (offset == 0) {
        portAddress = (int) value;
      } else if (offset == 4 && inRange()) {
        E1000e.this.write(portAddress, (int) value);
      }
    }
  }

  /** Where interrupts go. */
  private final class Signals implements Interrupts.Output {
    @Override
    public boolean usesVectors() {
      return vectors.isEnabled();
    }

    @Override
    public boolean usesMessage() {
      return message.isEnabled();
    }

    @Override
    public void line(boolean level) {
      setInterrupt(level);
    }

    @Override
    public void message() {
      message.raise();
    }

    @Override
    public void vector(int number) {
      vectors.raise(number);
    }
  }

  /** This card as the cable sees it. */
  private final class Card implements NetPeer {
    @Override
    public Offloads offloads() {
      return Offloads.NONE;
    }

    @Override
    public boolean receive(Frame frame) {
      if (frame.length() < Frame.HEADER) {
        return true;
      }
      Frame finished = frame.finished();
      lock().lock();
      try {
        boolean done = live() && receiver.receive(finished);
        rxWaits |= !done;
        return done;
      } finally {
        lock().unlock();
      }
    }

    @Override
    public void roomAgain() {
      confined(E1000e.this::transmit).run();
    }

    @Override
    public void linkChanged(boolean up) {
      confined(() -> interrupts.cause(Interrupts.LINK)).run();
    }
  }

  /** The machine runs again, or for the first time. */
  public void resumed() {
    confined(
            () -> {
              quiet = false;
              interrupts.update();
              transmit();
              roomForFrames();
            })
        .run();
  }

  @Override
  public void quiesce() {
    confined(() -> quiet = true).run();
  }

  @Override
  protected void configWritten(int offset, int width) {
    lock().lock();
    try {
      if (ExpressCapability.takeFunctionReset(config(), express)) {
        resetEnter();
      }
      applyConfig();
      roomForFrames();
    } finally {
      lock().unlock();
    }
  }

  @Override
  protected void configReplaced() {
    lock().lock();
    try {
      applyConfig();
    } finally {
      lock().unlock();
    }
  }

  private void applyConfig() {
    vectors.configChanged();
    message.configChanged();
    interrupts.update();
  }

  @Override
  public void resetEnter() {
    bus().lock().lock();
    lock().lock();
    try {
      vectors.reset();
      nvm.reset(delivered);
      phy.reset();
      resetFunction();
      resetCard();
    } finally {
      lock().unlock();
      bus().lock().unlock();
    }
  }

  @Override
  public void unplug() {
    // A frame on its way must not find a card that is off the bus.
    resetEnter();
    super.unplug();
  }

  /** The network outlives its card, which may be one that is taken out while the machine runs. */
  @Override
  public void close() {
    link.unplug(cable);
  }

  @Override
  public Map<String, String> properties() {
    Map<String, String> all = new LinkedHashMap<>();
    all.put("mac", mac().toString());
    all.put("netdev", link.id());
    return all;
  }

  @Override
  protected void saveFunction(StateWriter out) {
    registers.save(out);
    interrupts.save(out);
    phy.save(out);
    nvm.save(out);
    time.save(out);
    transmitters.forEach(t -> t.save(out));
    out.putLong("portAddress", portAddress);
    vectors.save(out);
  }

  @Override
  protected void loadFunction(StateReader in, int version) throws StateException {
    registers.load(in);
    interrupts.load(in);
    phy.load(in);
    nvm.load(in);
    time.load(in);
    for (Transmitter transmitter : transmitters) {
      transmitter.load(in);
    }
    portAddress = (int) in.getLong("portAddress");
    vectors.load(in);
    rxWaits = true;
  }
}
