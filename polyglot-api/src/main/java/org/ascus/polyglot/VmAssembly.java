package org.ascus.polyglot;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.LongSupplier;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.BlockNode;
import org.ascus.devices.block.Drive;
import org.ascus.devices.block.IoThread;
import org.ascus.devices.board.riscv.Firmware;
import org.ascus.devices.board.riscv.VirtBoard;
import org.ascus.devices.board.riscv.VirtOptions;
import org.ascus.devices.chardev.CharBackend;
import org.ascus.devices.chardev.RingChardev;
import org.ascus.devices.fs.FolderOptions;
import org.ascus.devices.loader.LoadException;
import org.ascus.devices.net.NetLink;
import org.ascus.devices.pci.PciDevices;
import org.ascus.devices.pci.PciFunction;
import org.ascus.devices.pci.PciPlug;
import org.ascus.devices.virtio.VirtioBus;
import org.ascus.devices.virtio.rng.EntropySource;
import org.ascus.devices.virtio.rng.FileEntropy;
import org.ascus.devices.virtio.scsi.ScsiBus;
import org.ascus.devices.virtio.scsi.ScsiDevices;
import org.ascus.devices.virtio.scsi.ScsiUnitDevice;
import org.ascus.isa.profile.CodeProfile;
import org.ascus.isa.riscv.RiscvConfig;
import org.ascus.isa.riscv.RiscvCpus;
import org.ascus.machine.device.Device;
import org.ascus.machine.device.DeviceContext;
import org.ascus.machine.device.DeviceException;
import org.ascus.machine.device.PropertyValues;
import org.ascus.machine.run.Machine;
import org.ascus.machine.run.RunState;
import org.ascus.machine.trace.Log;

/** Makes a machine of its options: what is cheap to get wrong first. */
final class VmAssembly implements DeviceContext {
  /** 2025-01-01T00:00:00Z. */
  private static final long REPEATABLE_EPOCH_NANOS = 1_735_689_600_000_000_000L;

  private static final int SEED_BYTES = 32;
  private static final Path HOST_RANDOM = Path.of("/dev/urandom");
  private static final int CONSOLE_BYTES = 1 << 20;

  private final MachineOptions options;
  private final List<CharBackend> serials;
  private final Map<String, ChardevSource> chardevs;
  private final Machine machine;
  private final DeviceCatalog catalog = new DeviceCatalog();
  private final Map<String, Drive> drives = new LinkedHashMap<>();
  private final Map<String, EntropySource> entropy = new LinkedHashMap<>();
  private final Map<String, IoThread> iothreads = new LinkedHashMap<>();
  private final Map<String, FolderOptions> folders = new LinkedHashMap<>();
  private final Networks networks;
  private final Set<String> ids = ConcurrentHashMap.newKeySet();
  private final List<Device> plugged = new CopyOnWriteArrayList<>();
  private final Map<Device, List<Drive>> drivesOf = new ConcurrentHashMap<>();
  private Optional<VirtBoard> board = Optional.empty();

  VmAssembly(MachineOptions options, List<CharBackend> serials, Map<String, ChardevSource> chardevs, Log log) {
    this.options = options;
    this.serials = new ArrayList<>(serials);
    this.chardevs = new ConcurrentHashMap<>(chardevs);
    this.machine = new Machine(log);
    this.networks = new Networks(this.chardevs, log);
  }

  private record Planned(DeviceOptions device, PropertyValues values) {}

  Vm build() throws VmException {
    try {
      return assemble();
    } catch (VmException e) {
      networks.close();
      closeDrives(e);
      throw e;
    } catch (LoadException e) {
      VmException failure = new VmException(e.getMessage(), e);
      networks.close();
      closeDrives(failure);
      throw failure;
    }
  }

  private void openObjects() throws VmException {
    Set<String> names = new HashSet<>();
    for (HostObject object : options.objects()) {
      if (object instanceof HostObject.Folder(_, String id, FolderOptions folder)) {
        folders.put(id, folder);
      } else if (!names.add(object.id())) {
        throw new VmException(object.option() + ": there is another object with id '" + object.id() + "'");
      }
      if (object instanceof HostObject.Rng(String option, String id, var file)) {
        entropy.put(id, file.isEmpty() ? new SecureRandom()::nextBytes : fileEntropy(option, file.get()));
      } else if (object instanceof HostObject.Iothread(String _, String id, int threads)) {
        iothreads.put(id, new IoThread(id, threads));
      }
    }
  }

  private EntropySource fileEntropy(String option, Path file) throws VmException {
    try {
      FileEntropy source = new FileEntropy(file);
      machine.addStateListener(
          state -> {
            if (state == RunState.ENDED) {
              source.close();
            }
          });
      return source;
    } catch (NoSuchFileException e) {
      throw new VmException(option + ": Could not open '" + file + "': No such file or directory", e);
    } catch (IOException e) {
      throw new VmException(option + ": Could not open '" + file + "': " + e.getMessage(), e);
    }
  }

  private Vm assemble() throws VmException, LoadException {
    RiscvConfig config = cpuConfig(options.cpu());
    checkSizes();
    for (GlobalProperty global : options.globals()) {
      catalog.check(global);
    }
    List<Planned> plan = plan();
    Firmware firmware =
        options.boot().firmware().isPresent() ? options.boot().firmware().get() : DefaultFirmware.find();
    openObjects();
    for (DriveOptions drive : options.drives()) {
      open(drive);
    }
    networks.open(options.netdevs());
    networks.filter(options.objects(), machine.clock());
    RingChardev console =
        options.icountShift().isPresent() ? RingChardev.synchronous(CONSOLE_BYTES) : RingChardev.of(CONSOLE_BYTES);
    if (serials.isEmpty()) {
      serials.add(console);
    }
    options.icountShift().ifPresent(machine::useInstructionTime);
    machine.setOneThread(options.oneThread());
    machine.setRebootEnds(options.life().noReboot());
    machine.setShutdownPauses(options.life().noShutdown());
    VirtBoard made;
    try {
      made =
          VirtBoard.build(
              machine, new RiscvCpus(config, options.accelerator().acceleration(), profile()), boardOptions(firmware));
    } catch (DeviceException e) {
      throw new VmException(e.getMessage(), e);
    }
    board = Optional.of(made);
    for (Planned p : plan) {
      plug(p);
    }
    return new Vm(machine, options, made.deviceTree(), console, drives, serials, networks, this);
  }

  private CodeProfile profile() {
    if (options.profile().isEmpty()) {
      return CodeProfile.none();
    }
    CodeProfile profile = CodeProfile.load(options.profile().get());
    machine.addStateListener(
        state -> {
          if (state == RunState.ENDED) {
            try {
              profile.save();
            } catch (IOException e) {
              // The next run is slower to start, and that is all.
            }
          }
        });
    return profile;
  }

  /** What {@code -cpu} says. */
  static RiscvConfig cpuConfig(String model) throws VmException {
    try {
      return RiscvConfig.parse(model);
    } catch (IllegalArgumentException e) {
      throw new VmException("-cpu " + model + ": " + e.getMessage(), e);
    }
  }

  private void checkSizes() throws VmException {
    if (options.smp() < 1 || options.smp() > MachineOptions.MAX_CPUS) {
      throw new VmException("-smp " + options.smp() + ": the machine has 1 to " + MachineOptions.MAX_CPUS + " CPUs");
    }
    if (options.ramSize() < 1 << 20) {
      throw new VmException("-m " + options.ramSize() + ": at least 1 MiB of RAM is needed");
    }
  }

  private List<Planned> plan() throws VmException {
    List<Planned> plan = new ArrayList<>();
    for (DeviceOptions device : options.devices()) {
      plan.add(new Planned(device, catalog.values(device, options.globals())));
    }
    for (DriveOptions drive : options.drives()) {
      if (drive.virtio()) {
        DeviceOptions device =
            new DeviceOptions(drive.option(), "virtio-blk", "", Map.of("drive", drive.id()));
        plan.add(new Planned(device, catalog.values(device, options.globals())));
      }
    }
    return plan;
  }

  private void open(DriveOptions drive) throws VmException {
    if (drives.containsKey(drive.id())) {
      throw new VmException(drive.option() + ": Duplicate ID '" + drive.id() + "' for drive");
    }
    try {
      drives.put(drive.id(), (isShared(drive.id()) ? drive.withoutLocking() : drive).open());
    } catch (BlockException e) {
      throw new VmException(drive.option() + ": " + e.getMessage(), e);
    }
  }

  /** Whether all devices that were asked for with the drive {@code id} have share-rw=on. */
  private boolean isShared(String id) {
    List<DeviceOptions> users =
        options.devices().stream().filter(d -> id.equals(d.properties().get("drive"))).toList();
    return !users.isEmpty() && users.stream().allMatch(d -> "on".equals(d.properties().get("share-rw")));
  }

  private void closeDrives(VmException because) {
    for (BlockNode node : drives.values()) {
      try {
        node.close();
      } catch (BlockException e) {
        because.addSuppressed(e);
      }
    }
  }

  private VirtOptions boardOptions(Firmware firmware) {
    BootOptions boot = options.boot();
    boolean repeatable = options.icountShift().isPresent();
    byte[] seed = repeatable ? new byte[SEED_BYTES] : randomSeed();
    return new VirtOptions(
        options.ramSize(),
        options.smp(),
        boot.kernel(),
        boot.initrd(),
        boot.append(),
        boot.dtb(),
        firmware,
        serials,
        boot.pflash(),
        DeviceCatalog.legacyVirtio(options.globals()),
        options.aclint(),
        hostEpoch(),
        seed);
  }

  /** From the host's kernel where it can be had: Java's generators take 10 ms to set up. */
  private static byte[] randomSeed() {
    byte[] seed = new byte[SEED_BYTES];
    try (InputStream random = Files.newInputStream(HOST_RANDOM)) {
      if (random.readNBytes(seed, 0, SEED_BYTES) == SEED_BYTES) {
        return seed;
      }
    } catch (IOException e) {
      // Not a Linux host.
    }
    new SecureRandom().nextBytes(seed);
    return seed;
  }

  /** Wall-clock time at guest time 0; with -icount a fixed date, because the same input must give the same run. */
  private LongSupplier hostEpoch() {
    if (options.icountShift().isPresent()) {
      return () -> REPEATABLE_EPOCH_NANOS;
    }
    return () -> System.currentTimeMillis() * 1_000_000 - machine.clock().nanos();
  }

  private void plug(Planned planned) throws VmException {
    DeviceOptions device = planned.device();
    String id = device.id().isEmpty() ? freeId(device.driver()) : device.id();
    if (!ids.add(id)) {
      throw new VmException(device.option() + ": Duplicate ID '" + id + "' for device");
    }
    List<Drive> free = drives.values().stream().filter(d -> d.user().isEmpty()).toList();
    try {
      Device made = catalog.find(device.driver()).orElseThrow().factory().create(this, id, planned.values());
      machine.addDevice(made);
      plugged.add(made);
      drivesOf.put(made, free.stream().filter(d -> d.user().isPresent()).toList());
    } catch (DeviceException e) {
      ids.remove(id);
      free.forEach(Drive::detach);
      throw new VmException(device.option() + ": " + e.getMessage(), e);
    }
  }

  /** Adds a device to a machine that may be running. */
  void hotPlug(DeviceOptions device) throws VmException {
    PropertyValues values = catalog.values(device, options.globals());
    try {
      switch (catalog.find(device.driver()).orElseThrow().bus()) {
        case PciDevices.BUS -> PciPlug.bus(this, values).checkHotPlug();
        case ScsiDevices.BUS -> lookup(ScsiBus.class, values.getString("bus"));
        default -> throw new DeviceException("Device '" + device.driver() + "' does not support hotplugging");
      }
    } catch (DeviceException e) {
      throw new VmException(device.option() + ": " + e.getMessage(), e);
    }
    plug(new Planned(device, values));
  }

  void addChardev(String id, ChardevSource source) {
    chardevs.put(id, source);
  }

  void removeChardev(String id) {
    chardevs.remove(id);
  }

  /** Asks the guest to let go of a device; it is gone when the guest has done so. */
  void unplug(String id) throws VmException {
    Optional<Device> found =
        machine.devices().stream()
            .filter(d -> d.id().equals(id) && (d instanceof PciFunction || d instanceof ScsiUnitDevice))
            .findFirst();
    try {
      switch (found.orElseThrow(() -> new DeviceException("Device '" + id + "' not found"))) {
        case ScsiUnitDevice unit -> {
          unit.unplug();
          forget(id);
        }
        case PciFunction function ->
            function.bus().eject(() -> Thread.ofPlatform().daemon().name("ascus-unplug").start(() -> forget(id)));
        default -> throw new IllegalStateException();
      }
    } catch (DeviceException e) {
      throw new VmException(e.getMessage(), e);
    }
  }

  private void forget(String id) {
    machine.devices().stream().filter(d -> d.parent().equals(Optional.of(id))).map(Device::id).forEach(this::forget);
    for (Device device : machine.devices()) {
      if (device.id().equals(id)) {
        machine.removeDevice(device);
        plugged.remove(device);
        device.close();
        Optional.ofNullable(drivesOf.remove(device)).ifPresent(all -> all.forEach(Drive::detach));
      }
    }
    ids.remove(id);
  }

  private String freeId(String driver) {
    int number = 0;
    while (ids.contains(driver + "." + number)) {
      number++;
    }
    return driver + "." + number;
  }

  @Override
  public Machine machine() {
    return machine;
  }

  private static String missing(Class<?> kind, String id) {
    String property =
        kind == Drive.class ? "drive" : kind == NetLink.class ? "netdev" : kind == CharBackend.class ? "chardev" : "";
    if (!property.isEmpty()) {
      return "Property '" + property + "' can't find value '" + id + "'";
    }
    boolean object = kind == IoThread.class || kind == EntropySource.class || kind == FolderOptions.class;
    return id.isEmpty() ? "no bus for this device found" : (object ? "Device '" : "Bus '") + id + "' not found";
  }

  @Override
  public <T> T lookup(Class<T> kind, String id) throws DeviceException {
    if (kind == VirtioBus.class && id.isEmpty()) {
      return kind.cast(board.orElseThrow().virtioBus());
    }
    Optional<?> found;
    if (kind == Drive.class) {
      found = Optional.ofNullable(drives.get(id));
      if (found.isPresent() && drives.get(id).user().isPresent() && !isShared(id)) {
        throw new DeviceException("Drive '" + id + "' is already in use by another device");
      }
    } else if (kind == EntropySource.class) {
      found = Optional.ofNullable(entropy.get(id));
    } else if (kind == IoThread.class) {
      found = Optional.ofNullable(iothreads.get(id));
    } else if (kind == FolderOptions.class) {
      found = Optional.ofNullable(folders.get(id));
    } else if (kind == NetLink.class) {
      found = networks.find(id);
    } else if (kind == CharBackend.class) {
      found = chardevs.containsKey(id) ? Optional.of(chardevs.get(id).open(id)) : Optional.empty();
    } else {
      found =
          machine.devices().stream()
              .filter(d -> kind.isInstance(d) && (id.isEmpty() || d.id().equals(id) || (d.id() + ".0").equals(id)))
              .findFirst();
    }
    if (found.isEmpty()) {
      throw new DeviceException(missing(kind, id));
    }
    return kind.cast(found.get());
  }
}
