package org.ascus.devices.board.riscv;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.ascus.devices.chardev.CharBackend;
import org.ascus.devices.chardev.NullChardev;
import org.ascus.devices.flash.CfiFlash;
import org.ascus.devices.fwcfg.FwCfg;
import org.ascus.devices.irqchip.Clint;
import org.ascus.devices.irqchip.Plic;
import org.ascus.devices.irqchip.Sswi;
import org.ascus.devices.loader.GuestImage;
import org.ascus.devices.loader.LoadException;
import org.ascus.devices.pci.MsiTarget;
import org.ascus.devices.pci.PciHost;
import org.ascus.devices.power.SifiveTest;
import org.ascus.devices.rtc.GoldfishRtc;
import org.ascus.devices.serial.Ns16550;
import org.ascus.devices.virtio.transport.mmio.VirtioMmio;
import org.ascus.devices.virtio.transport.mmio.VirtioMmioSlots;
import org.ascus.machine.bus.GuestRam;
import org.ascus.machine.bus.MmioRegion;
import org.ascus.machine.bus.RamRegion;
import org.ascus.machine.cpu.CpuFactory;
import org.ascus.machine.device.Device;
import org.ascus.machine.device.DeviceException;
import org.ascus.machine.irq.IrqLine;
import org.ascus.machine.run.Machine;

/**
 * The board {@code virt}: QEMU's memory map, interrupt numbers, device tree and boot protocol, so that what boots there
 * boots here. It is fixed by {@link VirtMap}; what a user may choose is in {@link VirtOptions}.
 */
public final class VirtBoard {
  /** Interrupt numbers of a hart (RISC-V privileged architecture, table of {@code mcause} values). */
  private static final int S_SOFT = 1;

  private static final int M_SOFT = 3;

  private static final int M_TIMER = 7;
  private static final int S_EXTERNAL = 9;
  private static final int M_EXTERNAL = 11;

  private static final int FLASH_BANKS = 2;

  private final Machine machine;
  private final List<VirtioMmio> virtioSlots = new ArrayList<>();
  private byte[] deviceTree = new byte[0];

  private VirtBoard(Machine machine) {
    this.machine = machine;
  }

  /**
   * Fills an empty machine.
   *
   * @throws DeviceException when the machine cannot be made that way
   * @throws LoadException when a file cannot be loaded
   */
  public static VirtBoard build(Machine machine, CpuFactory cpus, VirtOptions options)
      throws DeviceException, LoadException {
    VirtBoard board = new VirtBoard(machine);
    check(options);
    board.addMemory(options);
    board.addFlash(options);
    board.addHarts(cpus, options);
    board.load(options, BootImages.load(options, VirtTree.build(options, cpus)));
    return board;
  }

  private static void check(VirtOptions options) throws DeviceException {
    if (options.smp() < 1 || options.smp() > VirtMap.MAX_HARTS) {
      throw new DeviceException(
          "-smp " + options.smp() + ": machine 'virt' has 1 to " + VirtMap.MAX_HARTS + " harts");
    }
    if (options.ramSize() <= 0) {
      throw new DeviceException("-m: " + options.ramSize() + " bytes of RAM");
    }
    if (options.pflash().size() > FLASH_BANKS) {
      throw new DeviceException("machine 'virt' has " + FLASH_BANKS + " flash banks, not " + options.pflash().size());
    }
  }

  private void addMemory(VirtOptions options) throws DeviceException {
    try {
      GuestRam rom = new GuestRam("riscv_virt_board.mrom", VirtMap.MROM.size());
      machine.memory().map(VirtMap.MROM.base(), new RamRegion(rom.name(), rom, false));
      machine.addRam(rom);
      GuestRam ram = new GuestRam("riscv_virt_board.ram", options.ramSize());
      machine.memory().map(VirtMap.DRAM, new RamRegion(ram.name(), ram, true));
      machine.addRam(ram);
    } catch (OutOfMemoryError | IllegalArgumentException e) {
      throw new DeviceException("-m: cannot have " + options.ramSize() + " bytes of RAM: " + e.getMessage(), e);
    }
  }

  private void addHarts(CpuFactory cpus, VirtOptions options) throws DeviceException {
    int harts = options.smp();
    cpus.addCpus(machine, harts, VirtMap.MROM.base());
    IrqLine[] software = new IrqLine[harts];
    IrqLine[] supervisor = new IrqLine[harts];
    IrqLine[] timer = new IrqLine[harts];
    IrqLine[] external = new IrqLine[2 * harts];
    for (int hart = 0; hart < harts; hart++) {
      software[hart] = machine.cpus().get(hart).interrupt(M_SOFT);
      supervisor[hart] = machine.cpus().get(hart).interrupt(S_SOFT);
      timer[hart] = machine.cpus().get(hart).interrupt(M_TIMER);
      external[2 * hart] = machine.cpus().get(hart).interrupt(M_EXTERNAL);
      external[2 * hart + 1] = machine.cpus().get(hart).interrupt(S_EXTERNAL);
    }
    // The registers of MSWI and MTIMER are where the CLINT has them.
    Clint clint =
        new Clint(
            "clint", machine.clock(), software, timer, ticks -> machine.cpus().forEach(c -> c.setTimeOffset(ticks)));
    add(VirtMap.CLINT, clint, clint.region());
    if (options.aclint()) {
      Sswi sswi = new Sswi("sswi", supervisor);
      add(VirtMap.SSWI, sswi, sswi.region());
    }
    Plic plic = new Plic("plic", VirtMap.PLIC_SOURCES, external);
    add(VirtMap.PLIC, plic, plic.region());
    addDevices(plic, options);
    addPci(plic, options);
  }

  private void addFlash(VirtOptions options) throws DeviceException {
    long size = VirtMap.FLASH.size() / FLASH_BANKS;
    for (int i = 0; i < FLASH_BANKS; i++) {
      String id = "virt.flash" + i;
      Optional<Path> file = i < options.pflash().size() ? options.pflash().get(i) : Optional.empty();
      CfiFlash flash =
          file.isPresent()
              ? CfiFlash.open(id, machine.log(), size, CfiFlash.SECTOR, file.get(), !Files.isWritable(file.get()))
              : CfiFlash.blank(id, machine.log(), size, CfiFlash.SECTOR);
      machine.memory().map(VirtMap.FLASH.base() + i * size, flash.region());
      machine.addDevice(flash);
    }
  }

  private void addPci(Plic plic, VirtOptions options) throws DeviceException {
    VirtMap.Place high = VirtMap.pcieHigh(options.ramSize());
    PciHost host =
        new PciHost(
            "pcie.0",
            machine.memory(),
            new PciHost.Window(VirtMap.PCIE_PIO.base(), 0, VirtMap.PCIE_PIO.size()),
            List.of(
                new PciHost.Window(VirtMap.PCIE_MMIO.base(), VirtMap.PCIE_MMIO.base(), VirtMap.PCIE_MMIO.size()),
                new PciHost.Window(high.base(), high.base(), high.size())),
            IntStream.range(0, VirtMap.PCIE_IRQS).mapToObj(i -> plic.input(VirtMap.PCIE_ECAM.irq() + i)).toList(),
            MsiTarget.NONE);
    add(VirtMap.PCIE_ECAM, host, host.region());
    machine.addDevice(host.root());
  }

  private void addDevices(Plic plic, VirtOptions options) {
    SifiveTest test = new SifiveTest("test", machine);
    add(VirtMap.TEST, test, test.region());
    GoldfishRtc rtc =
        new GoldfishRtc("rtc", machine.clock(), plic.input(VirtMap.RTC.irq()), options.hostEpoch().getAsLong());
    add(VirtMap.RTC, rtc, rtc.region());
    CharBackend serial = options.serials().stream().findFirst().orElseGet(NullChardev::new);
    Ns16550 uart = new Ns16550("serial0", plic.input(VirtMap.UART.irq()), serial);
    add(VirtMap.UART, uart, uart.region());
    for (int i = 0; i < VirtMap.VIRTIO.size(); i++) {
      VirtMap.Place place = VirtMap.VIRTIO.get(i);
      VirtioMmio slot =
          new VirtioMmio("virtio-mmio-bus." + i, machine.log(), options.legacyVirtio(), plic.input(place.irq()));
      add(place, slot, slot.region());
      virtioSlots.add(slot);
    }
  }

  private void add(VirtMap.Place place, Device device, MmioRegion region) {
    if (region.size() != place.size()) {
      throw new IllegalStateException(place + " has " + region.size() + " bytes of registers");
    }
    machine.memory().map(place.base(), region);
    machine.addDevice(device);
  }

  private void load(VirtOptions options, BootImages boot) throws LoadException {
    FwCfg config = new FwCfg("fwcfg", machine.memory(), machine.log());
    config.addShort(FwCfg.CPUS, options.smp());
    boot.firmwareItems().forEach(config::add);
    add(VirtMap.FW_CFG, config, config.region());
    List<GuestImage> images = boot.images();
    for (GuestImage image : images) {
      image.checkFits(machine.memory());
      for (GuestImage other : images) {
        if (other != image) {
          image.checkApart(other);
        }
      }
    }
    deviceTree = boot.deviceTree();
    machine.addResetHook(() -> images.forEach(i -> i.writeTo(machine.memory())));
  }

  /** The device tree that the guest gets. */
  public byte[] deviceTree() {
    return deviceTree.clone();
  }

  /** The virtio-mmio slots by number; the bus of slot n is called {@code virtio-mmio-bus.n}. */
  public List<VirtioMmio> virtioSlots() {
    return List.copyOf(virtioSlots);
  }

  /** The bus of virtio devices that name none: the slot with the highest address fills first, as in QEMU. */
  public VirtioMmioSlots virtioBus() {
    return new VirtioMmioSlots(virtioSlots.reversed());
  }
}
