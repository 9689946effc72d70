package org.ascus.devices.board.riscv;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.IntStream;
import org.ascus.devices.fdt.Fdt;
import org.ascus.devices.fdt.FdtException;
import org.ascus.devices.fdt.FdtNode;
import org.ascus.devices.fdt.FdtReader;
import org.ascus.devices.fdt.FdtWriter;
import org.ascus.devices.fwcfg.FwCfg;
import org.ascus.devices.loader.ElfFile;
import org.ascus.devices.loader.GuestImage;
import org.ascus.devices.loader.ImageLoader;
import org.ascus.devices.loader.LoadException;

/**
 * Everything that is in memory when the harts start, at the places where QEMU's board puts it.
 *
 * @param images firmware, kernel, initial RAM disk, device tree and boot ROM, as far as there are any
 * @param deviceTree the device tree blob
 * @param firmwareItems what firmware in flash finds by {@code fw_cfg} items of these numbers
 */
record BootImages(List<GuestImage> images, byte[] deviceTree, Map<Integer, byte[]> firmwareItems) {
  private static final long MIB = 1 << 20;
  private static final long KERNEL_ALIGN = 2 * MIB;
  private static final long MAX_INITRD_DISTANCE = 128 * MIB;
  private static final long DEVICE_TREE_ALIGN = 2 * MIB;

  /** The device tree stays below this address, for guests that enter with 32-bit pointers. */
  private static final long DEVICE_TREE_LIMIT = 3L << 30;

  /**
   * Reads the files that {@code options} name.
   *
   * @param boardTree the board's device tree, used unless the user gave one; changed here
   */
  static BootImages load(VirtOptions options, FdtNode boardTree) throws LoadException {
    List<GuestImage> images = new ArrayList<>();
    long ram = options.ramSize();
    long start = VirtMap.DRAM;
    long next = 0;
    Optional<GuestImage> firmware = firmware(options);
    long kernelAddress = VirtMap.DRAM;
    if (firmware.isPresent()) {
      images.add(firmware.get());
      start = firmware.get().entry();
      kernelAddress = firmware.get().end() + KERNEL_ALIGN - 1 & -KERNEL_ALIGN;
    }
    Fdt tree = options.dtb().isPresent() ? userTree(options.dtb().get()) : Fdt.of(boardTree);
    FdtNode chosen = tree.root().child("chosen");
    // Firmware in flash runs in S mode under that in RAM, and loads the kernel itself; without the latter in M mode.
    OptionalLong flash = flash(options);
    boolean payload = flash.isPresent() && firmware.isPresent();
    if (payload) {
      next = flash.getAsLong();
    }
    if (options.kernel().isPresent() && !payload) {
      String name = "-kernel " + options.kernel().get();
      byte[] file = ImageLoader.readFile(name, options.kernel().get(), ram);
      GuestImage kernel = ImageLoader.executable(name, file, ElfFile.RISCV, kernelAddress, ram);
      images.add(kernel);
      // Firmware goes to the lowest address and not to the ELF entry, which is a virtual address in some kernels.
      next = kernel.start();
      if (firmware.isEmpty()) {
        start = kernel.entry();
      }
      if (options.initrd().isPresent()) {
        images.add(initrd(options.initrd().get(), kernel, ram, chosen));
      }
    }
    if (!options.append().isEmpty()) {
      chosen.setStrings("bootargs", options.append());
    }
    if (options.rngSeed().length > 0) {
      chosen.set("rng-seed", options.rngSeed());
    }
    byte[] blob = FdtWriter.write(tree);
    long end = Math.min(VirtMap.DRAM + ram, DEVICE_TREE_LIMIT);
    long treeAddress = end - blob.length & -DEVICE_TREE_ALIGN;
    images.add(GuestImage.raw("device tree", treeAddress, blob));
    if (flash.isPresent() && !payload) {
      start = flash.getAsLong();
    }
    images.add(GuestImage.raw("boot ROM", VirtMap.MROM.base(), BootRom.bytes(start, next, treeAddress)));
    return new BootImages(List.copyOf(images), blob, payload ? firmwareItems(options) : Map.of());
  }

  /** Where the first flash bank with contents begins. */
  private static OptionalLong flash(VirtOptions options) {
    long bank = VirtMap.FLASH.size() / 2;
    return IntStream.range(0, options.pflash().size())
        .filter(i -> options.pflash().get(i).isPresent())
        .mapToLong(i -> VirtMap.FLASH.base() + i * bank)
        .findFirst();
  }

  private static Map<Integer, byte[]> firmwareItems(VirtOptions options) throws LoadException {
    Map<Integer, byte[]> items = new HashMap<>();
    if (options.kernel().isPresent()) {
      String name = "-kernel " + options.kernel().get();
      byte[] file = ImageLoader.readFile(name, options.kernel().get(), options.ramSize());
      item(items, FwCfg.KERNEL_SIZE, FwCfg.KERNEL_DATA, ImageLoader.unpacked(name, file, options.ramSize()));
      if (options.initrd().isPresent()) {
        name = "-initrd " + options.initrd().get();
        file = ImageLoader.readFile(name, options.initrd().get(), options.ramSize());
        item(items, FwCfg.INITRD_SIZE, FwCfg.INITRD_DATA, file);
      }
      byte[] line = (options.append() + "\0").getBytes(StandardCharsets.UTF_8);
      item(items, FwCfg.COMMAND_LINE_SIZE, FwCfg.COMMAND_LINE_DATA, line);
    }
    return items;
  }

  private static void item(Map<Integer, byte[]> items, int sizeKey, int dataKey, byte[] data) {
    items.put(sizeKey, ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt(data.length).array());
    items.put(dataKey, data);
  }

  private static Optional<GuestImage> firmware(VirtOptions options) throws LoadException {
    long ram = options.ramSize();
    return switch (options.firmware()) {
      case Firmware.None _ -> Optional.empty();
      case Firmware.Bytes(String name, byte[] data) ->
          Optional.of(ImageLoader.executable("-bios " + name, data, ElfFile.RISCV, VirtMap.DRAM, ram));
      case Firmware.File(Path path) -> {
        String name = "-bios " + path;
        byte[] data = ImageLoader.readFile(name, path, ram);
        yield Optional.of(ImageLoader.executable(name, data, ElfFile.RISCV, VirtMap.DRAM, ram));
      }
    };
  }

  /** Far enough from the kernel that it can unpack itself, and not outside a small machine's RAM. */
  private static GuestImage initrd(Path path, GuestImage kernel, long ram, FdtNode chosen) throws LoadException {
    String name = "-initrd " + path;
    byte[] data = ImageLoader.readFile(name, path, ram);
    if (data.length == 0) {
      throw new LoadException(name + ": is empty");
    }
    long wanted = kernel.start() + Math.min(ram / 2, MAX_INITRD_DISTANCE);
    long address = Math.max(wanted, kernel.end()) + 0xfff & -0x1000L;
    GuestImage image = GuestImage.raw(name, address, data);
    setAddress(chosen, "linux,initrd-start", address);
    setAddress(chosen, "linux,initrd-end", image.end());
    return image;
  }

  private static void setAddress(FdtNode node, String property, long address) {
    if (address >>> 32 == 0) {
      node.setCells(property, (int) address);
    } else {
      node.setLongs(property, address);
    }
  }

  private static Fdt userTree(Path path) throws LoadException {
    String name = "-dtb " + path;
    try {
      return FdtReader.read(ImageLoader.readFile(name, path, 16 * MIB));
    } catch (FdtException e) {
      throw new LoadException(name + ": " + e.getMessage(), e);
    }
  }
}
