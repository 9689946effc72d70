package org.ascus.devices.loader;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.ascus.machine.cpu.Cpu;
import org.ascus.machine.device.Device;
import org.ascus.machine.device.DeviceContext;
import org.ascus.machine.device.DeviceException;
import org.ascus.machine.device.DeviceProvider;
import org.ascus.machine.device.DeviceType;
import org.ascus.machine.device.Property;
import org.ascus.machine.device.Property.Kind;
import org.ascus.machine.device.PropertyValues;
import org.ascus.machine.run.Machine;

/** The device type {@code loader}, with QEMU's properties. */
public final class LoaderDevices implements DeviceProvider {
  private static final int MAX_DATA = 8;
  private static final long MAX_FILE = Integer.MAX_VALUE - 16;

  /** For {@link java.util.ServiceLoader}. */
  public LoaderDevices() {}

  @Override
  public List<DeviceType> types() {
    return List.of(
        new DeviceType(
            "loader",
            "none",
            "Writes bytes or a file to guest memory at each reset",
            List.of(
                new Property("addr", Kind.UINT64, "0", "Where data or a file without addresses of its own goes"),
                new Property("data", Kind.UINT64, "0", "Bytes to write, as a number"),
                new Property("data-len", Kind.UINT32, "0", "How many bytes of data, 1 to 8"),
                new Property("data-be", Kind.BOOL, "off", "Write data big-endian"),
                new Property("file", Kind.STRING, "", "ELF file, Image or raw bytes to load"),
                new Property("force-raw", Kind.BOOL, "off", "Load the file as it is, whatever it is"),
                new Property("cpu-num", Kind.UINT32, "", "CPU that starts at the entry, or at addr")),
            LoaderDevices::make));
  }

  private static Device make(DeviceContext context, String id, PropertyValues v) throws DeviceException {
    Machine machine = context.machine();
    Optional<Cpu> cpu = cpu(machine, v);
    Optional<GuestImage> image = image(machine, v);
    if (image.isEmpty() && (cpu.isEmpty() || !v.isSet("addr"))) {
      throw new DeviceException("loader: give data and data-len, or file, or addr and cpu-num");
    }
    if (image.isPresent()) {
      try {
        image.get().checkFits(machine.memory());
      } catch (LoadException e) {
        throw new DeviceException(e.getMessage(), e);
      }
    }
    long entry = image.isPresent() ? image.get().entry() : v.getLong("addr");
    GenericLoader loader = new GenericLoader(id, machine.memory(), image, cpu, entry);
    machine.addResetHook(loader::load);
    return loader;
  }

  private static Optional<Cpu> cpu(Machine machine, PropertyValues v) throws DeviceException {
    if (!v.isSet("cpu-num")) {
      return Optional.empty();
    }
    long number = v.getLong("cpu-num");
    if (number >= machine.cpus().size()) {
      throw new DeviceException("loader.cpu-num=" + number + ": there are " + machine.cpus().size() + " CPUs");
    }
    return Optional.of(machine.cpus().get((int) number));
  }

  private static Optional<GuestImage> image(Machine machine, PropertyValues v) throws DeviceException {
    String file = v.getString("file");
    boolean data = v.isSet("data") || v.isSet("data-len");
    if (data && !file.isEmpty()) {
      throw new DeviceException("loader: data and file=" + file + " exclude each other");
    }
    if (data) {
      return Optional.of(data(v));
    }
    return file.isEmpty() ? Optional.empty() : Optional.of(file(machine, v, file));
  }

  private static GuestImage data(PropertyValues v) throws DeviceException {
    long length = v.getLong("data-len");
    if (length < 1 || length > MAX_DATA) {
      throw new DeviceException("loader.data-len=" + length + ": must be 1 to " + MAX_DATA);
    }
    long value = v.getLong("data");
    byte[] bytes = new byte[(int) length];
    for (int i = 0; i < length; i++) {
      bytes[i] = (byte) (value >>> 8 * (v.getBool("data-be") ? length - 1 - i : i));
    }
    return GuestImage.raw("loader", v.getLong("addr"), bytes);
  }

  private static GuestImage file(Machine machine, PropertyValues v, String file) throws DeviceException {
    String name = "loader file " + file;
    try {
      byte[] bytes = ImageLoader.readFile(name, Path.of(file), MAX_FILE);
      boolean elf = !v.getBool("force-raw") && ElfFile.isElf(bytes);
      return elf ? ElfFile.read(name, bytes, elfMachine(machine)) : raw(name, v.getLong("addr"), bytes);
    } catch (LoadException e) {
      throw new DeviceException(e.getMessage(), e);
    }
  }

  private static GuestImage raw(String name, long address, byte[] bytes) throws LoadException {
    if (bytes.length == 0) {
      throw new LoadException(name + ": is empty");
    }
    return GuestImage.raw(name, address, bytes);
  }

  private static int elfMachine(Machine machine) {
    return machine.cpus().stream().anyMatch(c -> c.isa().startsWith("aarch64")) ? ElfFile.AARCH64 : ElfFile.RISCV;
  }
}
