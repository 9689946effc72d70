package org.ascus.devices.pci;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.locks.ReentrantLock;
import org.ascus.machine.bus.AddressSpace;
import org.ascus.machine.bus.BusDevice;
import org.ascus.machine.bus.MmioRegion;
import org.ascus.machine.device.Device;
import org.ascus.machine.device.DeviceException;
import org.ascus.machine.irq.IrqLine;
import org.ascus.machine.state.StateException;
import org.ascus.machine.state.StateReader;
import org.ascus.machine.state.StateWriter;

/**
 * The generic host bridge: configuration space as memory (PCI Express Base 4.0, section 7.2.2), where bits 27 to 20 of
 * the offset are the bus, 19 to 15 the slot, 14 to 12 the function and 11 to 0 the register. Windows of the machine's
 * address space lead to I/O ports and to memory on the bus; what no function answers there reads as ones.
 *
 * <p>Its lock is the lock of the topology.
 */
public final class PciHost extends Device implements BusDevice, PciPlug, PciBus.Upstream {
  /** Bytes of configuration space: 256 buses. */
  public static final long ECAM_SIZE = 256L << 20;

  private static final AccessSizes SIZES = new AccessSizes(1, 4, false);
  private static final PciIdentity ROOT = new PciIdentity(0x1b36, 0x0008, 0, 0x060000, 0x1af4, 0x1100);
  private static final int BACKGROUND = -1;

  /**
   * Addresses that lead to the bus.
   *
   * @param hostBase where the machine has the window
   * @param base its first address on the PCI bus
   * @param size bytes
   */
  public record Window(long hostBase, long base, long size) {
    private OptionalLong hostAddress(long address, long bytes) {
      boolean inside = Long.compareUnsigned(address, base) >= 0 && bytes <= size && address - base <= size - bytes;
      return inside ? OptionalLong.of(hostBase + address - base) : OptionalLong.empty();
    }
  }

  /** The bridge as its bus sees it. */
  private static final class Root extends PciFunction {
    Root(String id) {
      super("gpex-root", id, new PciConfig(PciConfig.CONVENTIONAL_SIZE, 0, ROOT));
    }
  }

  /** Reads ones, takes any write. */
  private static final class Nobody implements BusDevice {
    @Override
    public long read(long offset, int width) {
      return -1;
    }

    @Override
    public void write(long offset, int width, long value) {}
  }

  private final AddressSpace memory;
  private final Window io;
  private final List<Window> windows;
  private final IrqLine[] lines;
  private final int[] asserted = new int[4];
  private final MsiTarget msi;
  private final PciBus bus;
  private final PciFunction root;
  private final MmioRegion region = new MmioRegion("pcie-mmcfg-mmio", ECAM_SIZE, this, lock());

  /**
   * @param id name of its bus, such as {@code pcie.0}
   * @param memory where the windows are mapped, and what functions reach as masters
   * @param io the window to I/O ports
   * @param windows those to memory
   * @param lines the four interrupts of the board; INTA# of slot 0 is the first
   * @param msi what takes messages
   */
  public PciHost(
      String id, AddressSpace memory, Window io, List<Window> windows, List<IrqLine> lines, MsiTarget msi)
      throws DeviceException {
    super("gpex-pcihost", id);
    this.memory = memory;
    this.io = io;
    this.windows = List.copyOf(windows);
    this.lines = lines.toArray(IrqLine[]::new);
    this.msi = msi;
    bus = new PciBus(id, this, false);
    root = new Root(id + ".root");
    bus.plug(root, "00.0");
    background("gpex_ioport_window", io);
    windows.forEach(w -> background("gpex_mmio_window", w));
  }

  private void background(String name, Window window) {
    memory.map(window.hostBase(), new MmioRegion(name, window.size(), new Nobody(), new ReentrantLock()), BACKGROUND);
  }

  /** The configuration space, to be mapped by the board. */
  public MmioRegion region() {
    return region;
  }

  /** The function that stands for the bridge on its bus; a device of the machine like others. */
  public Device root() {
    return root;
  }

  /** The root bus. */
  @Override
  public PciBus childBus() {
    return bus;
  }

  @Override
  public AccessSizes accessSizes() {
    return SIZES;
  }

  private Optional<PciFunction> function(long offset) {
    return bus.find((int) (offset >>> 20), (int) (offset >>> 12) & 0xff);
  }

  @Override
  public long read(long offset, int width) {
    return function(offset).map(f -> f.readConfig((int) offset & 0xfff, width)).orElse(-1L);
  }

  @Override
  public void write(long offset, int width, long value) {
    function(offset).ifPresent(f -> f.writeConfig((int) offset & 0xfff, width, value));
  }

  @Override
  public ReentrantLock topologyLock() {
    return lock();
  }

  @Override
  public OptionalLong hostAddress(boolean port, boolean prefetchable, long address, long size) {
    if (port) {
      return io.hostAddress(address, size);
    }
    return windows.stream()
        .map(w -> w.hostAddress(address, size))
        .filter(OptionalLong::isPresent)
        .findFirst()
        .orElse(OptionalLong.empty());
  }

  @Override
  public void changeInterrupt(int slot, int pin, boolean on) {
    int line = (slot + pin) % lines.length;
    synchronized (asserted) {
      asserted[line] += on ? 1 : -1;
      lines[line].set(asserted[line] > 0);
    }
  }

  @Override
  public AddressSpace memory() {
    return memory;
  }

  @Override
  public MsiTarget msi() {
    return msi;
  }

  @Override
  public void populationChanged() {}

  @Override
  public int busNumber() {
    return 0;
  }

  @Override
  public Map<String, String> properties() {
    return Map.of("allow-unmapped-accesses", "true");
  }

  @Override
  public void save(StateWriter out) {
    out.putBoolean("present", true);
  }

  /** Interrupts are asserted again by the functions as they load. */
  @Override
  public void load(StateReader in, int version) throws StateException {
    in.getBoolean("present");
  }
}
