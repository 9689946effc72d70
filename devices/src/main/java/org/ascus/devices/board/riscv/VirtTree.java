package org.ascus.devices.board.riscv;

import java.util.ArrayList;
import java.util.List;
import org.ascus.devices.fdt.FdtNode;
import org.ascus.machine.cpu.CpuFactory;

/** The board as its device tree tells it: what QEMU's tells, less the devices that are not there. */
final class VirtTree {
  private static final int IRQ_S_SOFT = 1;
  private static final int IRQ_M_SOFT = 3;
  private static final int IRQ_M_TIMER = 7;
  private static final int IRQ_M_EXTERNAL = 11;
  private static final int IRQ_S_EXTERNAL = 9;
  /** Bytes of a block of the CBO instructions, the same for all harts. */
  private static final int CACHE_BLOCK = 64;

  private static final int UART_CLOCK_HZ = 3_686_400;
  private static final int POWEROFF_VALUE = 0x5555;
  private static final int REBOOT_VALUE = 0x7777;

  /** Address spaces in the first cell of a PCI address. */
  private static final int PCI_IO = 0x0100_0000;

  private static final int PCI_MEMORY32 = 0x0200_0000;
  private static final int PCI_MEMORY64 = 0x0300_0000;
  private static final int PCI_SLOT_SHIFT = 11;

  private final VirtOptions options;
  private final CpuFactory cpus;
  private final int plicPhandle;
  private final int testPhandle;

  private VirtTree(VirtOptions options, CpuFactory cpus) {
    this.options = options;
    this.cpus = cpus;
    this.plicPhandle = 2 * options.smp() + 1;
    this.testPhandle = plicPhandle + 1;
  }

  /** The root node. */
  static FdtNode build(VirtOptions options, CpuFactory cpus) {
    return new VirtTree(options, cpus).root();
  }

  private FdtNode root() {
    FdtNode root = new FdtNode("");
    root.setCells("#address-cells", 2);
    root.setCells("#size-cells", 2);
    root.setStrings("compatible", "riscv-virtio");
    root.setStrings("model", "riscv-virtio,qemu");
    root.addChild("chosen").setStrings("stdout-path", "/soc/" + VirtMap.UART.nodeName());
    root.addChild("memory@" + Long.toHexString(VirtMap.DRAM))
        .setStrings("device_type", "memory")
        .setLongs("reg", VirtMap.DRAM, options.ramSize());
    cpus(root.addChild("cpus"));
    soc(root.addChild("soc"));
    syscon(root.addChild("poweroff"), "syscon-poweroff", POWEROFF_VALUE);
    syscon(root.addChild("reboot"), "syscon-reboot", REBOOT_VALUE);
    root.addChild(VirtMap.FW_CFG.nodeName())
        .setStrings("compatible", "qemu,fw-cfg-mmio")
        .setLongs("reg", VirtMap.FW_CFG.base(), VirtMap.FW_CFG.size())
        .setFlag("dma-coherent");
    long half = VirtMap.FLASH.size() / 2;
    root.addChild(VirtMap.FLASH.nodeName())
        .setStrings("compatible", "cfi-flash")
        .setLongs("reg", VirtMap.FLASH.base(), half, VirtMap.FLASH.base() + half, half)
        .setCells("bank-width", 4);
    return root;
  }

  private static int cpuPhandle(int hart) {
    return 2 * hart + 1;
  }

  private static int interruptControllerPhandle(int hart) {
    return 2 * hart + 2;
  }

  /** Linux uses the cache block instructions only when it is told the size of a block. */
  private static void cacheBlocks(FdtNode cpu, String isa) {
    List<String> extensions = List.of(isa.split("_"));
    for (String name : List.of("zicbom", "zicboz")) {
      if (extensions.contains(name)) {
        cpu.setCells("riscv," + name.substring(2) + "-block-size", CACHE_BLOCK);
      }
    }
  }

  private void cpus(FdtNode node) {
    node.setCells("#address-cells", 1);
    node.setCells("#size-cells", 0);
    node.setCells("timebase-frequency", VirtMap.TIMEBASE_HZ);
    for (int hart = 0; hart < options.smp(); hart++) {
      FdtNode cpu = node.addChild("cpu@" + Integer.toHexString(hart));
      cpu.setCells("phandle", cpuPhandle(hart));
      cpu.setStrings("device_type", "cpu");
      cpu.setCells("reg", hart);
      cpu.setStrings("status", "okay");
      cpu.setStrings("compatible", "riscv");
      cpu.setStrings("riscv,isa", cpus.deviceTreeIsa());
      cpu.setStrings("mmu-type", cpus.deviceTreeMmu());
      cacheBlocks(cpu, cpus.deviceTreeIsa());
      cpu.addChild("interrupt-controller")
          .setCells("#interrupt-cells", 1)
          .setFlag("interrupt-controller")
          .setStrings("compatible", "riscv,cpu-intc")
          .setCells("phandle", interruptControllerPhandle(hart));
    }
    FdtNode cluster = node.addChild("cpu-map").addChild("cluster0");
    for (int hart = 0; hart < options.smp(); hart++) {
      cluster.addChild("core" + hart).setCells("cpu", cpuPhandle(hart));
    }
  }

  private void soc(FdtNode soc) {
    soc.setCells("#address-cells", 2);
    soc.setCells("#size-cells", 2);
    soc.setStrings("compatible", "simple-bus");
    soc.setFlag("ranges");
    device(soc, VirtMap.RTC, "google,goldfish-rtc");
    device(soc, VirtMap.UART, "ns16550a").setCells("clock-frequency", UART_CLOCK_HZ);
    device(soc, VirtMap.TEST, "sifive,test1", "sifive,test0", "syscon").setCells("phandle", testPhandle);
    pci(soc.addChild(VirtMap.PCIE_ECAM.nodeName()));
    List<VirtMap.Place> slots = VirtMap.VIRTIO.reversed();
    slots.forEach(slot -> device(soc, slot, "virtio,mmio"));
    device(soc, VirtMap.PLIC, "sifive,plic-1.0.0", "riscv,plic0")
        .setCells("phandle", plicPhandle)
        .setCells("riscv,ndev", VirtMap.PLIC_SOURCES)
        .setCells("interrupts-extended", harts(IRQ_M_EXTERNAL, IRQ_S_EXTERNAL))
        .setFlag("interrupt-controller")
        .setCells("#address-cells", 0)
        .setCells("#interrupt-cells", 1);
    if (options.aclint()) {
      aclint(soc);
    } else {
      device(soc, VirtMap.CLINT, "sifive,clint0", "riscv,clint0")
          .setCells("interrupts-extended", harts(IRQ_M_SOFT, IRQ_M_TIMER));
    }
  }

  /** By the generic binding for host bridges: three cells for a PCI address, the flags first. */
  private void pci(FdtNode node) {
    VirtMap.Place high = VirtMap.pcieHigh(options.ramSize());
    node.setCells("#address-cells", 3);
    node.setCells("#interrupt-cells", 1);
    node.setCells("#size-cells", 2);
    node.setStrings("compatible", "pci-host-ecam-generic");
    node.setStrings("device_type", "pci");
    node.setCells("linux,pci-domain", 0);
    node.setCells("bus-range", 0, 255);
    node.setFlag("dma-coherent");
    node.setLongs("reg", VirtMap.PCIE_ECAM.base(), VirtMap.PCIE_ECAM.size());
    List<Integer> ranges = new ArrayList<>();
    range(ranges, PCI_IO, 0, VirtMap.PCIE_PIO);
    range(ranges, PCI_MEMORY32, VirtMap.PCIE_MMIO.base(), VirtMap.PCIE_MMIO);
    range(ranges, PCI_MEMORY64, high.base(), high);
    node.setCells("ranges", ranges.stream().mapToInt(Integer::intValue).toArray());
    List<Integer> map = new ArrayList<>();
    for (int slot = 0; slot < VirtMap.PCIE_IRQS; slot++) {
      for (int pin = 0; pin < VirtMap.PCIE_IRQS; pin++) {
        int irq = VirtMap.PCIE_ECAM.irq() + (slot + pin) % VirtMap.PCIE_IRQS;
        map.addAll(List.of(slot << PCI_SLOT_SHIFT, 0, 0, pin + 1, plicPhandle, irq));
      }
    }
    node.setCells("interrupt-map", map.stream().mapToInt(Integer::intValue).toArray());
    node.setCells("interrupt-map-mask", (VirtMap.PCIE_IRQS - 1) << PCI_SLOT_SHIFT, 0, 0, 7);
  }

  private static void range(List<Integer> cells, int flags, long busAddress, VirtMap.Place window) {
    cells.add(flags);
    for (long value : new long[] {busAddress, window.base(), window.size()}) {
      cells.add((int) (value >>> 32));
      cells.add((int) value);
    }
  }

  /** The MTIMER's two ranges are mtime, with what follows it, and the mtimecmp registers. */
  private void aclint(FdtNode soc) {
    long mtime = VirtMap.MTIMER.base() + VirtMap.MTIMER.size() - 8;
    long compare = VirtMap.MTIMER.base();
    software(device(soc, VirtMap.SSWI, "riscv,aclint-sswi"), IRQ_S_SOFT);
    FdtNode timer = device(soc, VirtMap.MTIMER, "riscv,aclint-mtimer");
    timer.setLongs("reg", mtime, VirtMap.CLINT.base() + VirtMap.CLINT.size() - mtime, compare, mtime - compare);
    timer.setCells("interrupts-extended", harts(IRQ_M_TIMER));
    software(device(soc, VirtMap.MSWI, "riscv,aclint-mswi"), IRQ_M_SOFT);
  }

  private void software(FdtNode node, int interrupt) {
    node.setCells("interrupts-extended", harts(interrupt));
    node.setFlag("interrupt-controller");
    node.setCells("#interrupt-cells", 0);
  }

  private FdtNode device(FdtNode parent, VirtMap.Place place, String... compatible) {
    FdtNode node = parent.addChild(place.nodeName());
    node.setStrings("compatible", compatible);
    node.setLongs("reg", place.base(), place.size());
    if (place.irq() != 0) {
      node.setCells("interrupts", place.irq());
      node.setCells("interrupt-parent", plicPhandle);
    }
    return node;
  }

  /** For each hart, its {@code interrupts}. */
  private int[] harts(int... interrupts) {
    int[] cells = new int[2 * interrupts.length * options.smp()];
    int next = 0;
    for (int hart = 0; hart < options.smp(); hart++) {
      for (int interrupt : interrupts) {
        cells[next++] = interruptControllerPhandle(hart);
        cells[next++] = interrupt;
      }
    }
    return cells;
  }

  private void syscon(FdtNode node, String compatible, int value) {
    node.setStrings("compatible", compatible);
    node.setCells("regmap", testPhandle);
    node.setCells("offset", 0);
    node.setCells("value", value);
  }
}
