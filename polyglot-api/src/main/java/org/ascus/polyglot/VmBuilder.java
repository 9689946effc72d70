package org.ascus.polyglot;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.ascus.devices.board.riscv.Firmware;
import org.ascus.devices.chardev.CharBackend;
import org.ascus.machine.trace.Log;

/** Collects what a machine is made of; the methods are named after the options of the command line. */
public final class VmBuilder {
  private String cpu;
  private int smp;
  private long ramSize;
  private boolean aclint;
  private Optional<Firmware> firmware;
  private Optional<Path> kernel;
  private Optional<Path> initrd;
  private String append;
  private Optional<Path> dtb;
  private final List<Optional<Path>> pflash = new ArrayList<>();
  private final List<DriveOptions> drives = new ArrayList<>();
  private final List<DeviceOptions> devices = new ArrayList<>();
  private final List<NetdevOptions> netdevs = new ArrayList<>();
  private final List<HostObject> objects = new ArrayList<>();
  private final List<GlobalProperty> globals = new ArrayList<>();
  private Accelerator accelerator;
  private boolean oneThread;
  private Optional<Path> profile;
  private OptionalInt icountShift;
  private LifeOptions life;
  private final List<CharBackend> serials = new ArrayList<>();
  private final Map<String, ChardevSource> chardevs = new LinkedHashMap<>();
  private Log log = Log.off();

  VmBuilder(MachineOptions options) {
    cpu = options.cpu();
    smp = options.smp();
    ramSize = options.ramSize();
    aclint = options.aclint();
    oneThread = options.oneThread();
    profile = options.profile();
    firmware = options.boot().firmware();
    kernel = options.boot().kernel();
    initrd = options.boot().initrd();
    append = options.boot().append();
    dtb = options.boot().dtb();
    pflash.addAll(options.boot().pflash());
    drives.addAll(options.drives());
    devices.addAll(options.devices());
    netdevs.addAll(options.netdevs());
    objects.addAll(options.objects());
    globals.addAll(options.globals());
    accelerator = options.accelerator();
    icountShift = options.icountShift();
    life = options.life();
  }

  /** Model and switches, as in {@code rv64,zba=off}. */
  public VmBuilder cpu(String model) {
    cpu = model;
    return this;
  }

  public VmBuilder smp(int cpus) {
    smp = cpus;
    return this;
  }

  /** RAM in bytes. */
  public VmBuilder memory(long bytes) {
    ramSize = bytes;
    return this;
  }

  /** Timer and software interrupts by the ACLINT specification instead of SiFive's CLINT. */
  public VmBuilder aclint(boolean on) {
    aclint = on;
    return this;
  }

  public VmBuilder bios(Firmware what) {
    firmware = Optional.of(what);
    return this;
  }

  /** An ELF file, Linux Image or raw bytes. */
  public VmBuilder kernel(Path file) {
    kernel = Optional.of(file);
    return this;
  }

  public VmBuilder initrd(Path file) {
    initrd = Optional.of(file);
    return this;
  }

  /** The kernel's command line. */
  public VmBuilder append(String commandLine) {
    append = commandLine;
    return this;
  }

  public VmBuilder dtb(Path file) {
    dtb = Optional.of(file);
    return this;
  }

  /** Contents of the next flash bank. */
  public VmBuilder pflash(Path file) {
    pflash.add(Optional.of(file));
    return this;
  }

  public VmBuilder drive(DriveOptions drive) {
    drives.add(drive);
    return this;
  }

  public VmBuilder device(DeviceOptions device) {
    devices.add(device);
    return this;
  }

  /** A device by type name and properties. */
  public VmBuilder device(String driver, Map<String, String> properties) {
    return device(new DeviceOptions("-device " + driver, driver, "", properties));
  }

  /** The host's end of a network, which devices find by its id. */
  public VmBuilder netdev(NetdevOptions netdev) {
    netdevs.add(netdev);
    return this;
  }

  /** Something of the host's that devices find by its id. */
  public VmBuilder object(HostObject object) {
    objects.add(object);
    return this;
  }

  public VmBuilder global(String driver, String property, String value) {
    globals.add(new GlobalProperty(driver, property, value));
    return this;
  }

  public VmBuilder accelerator(Accelerator how) {
    accelerator = how;
    return this;
  }

  /** All CPUs run in turns on one host thread. */
  public VmBuilder oneThread(boolean on) {
    oneThread = on;
    return this;
  }

  /** Keeps in {@code file} which guest code was hot, so that the next run compiles it sooner. */
  public VmBuilder profile(Path file) {
    profile = Optional.of(file);
    return this;
  }

  /** Runs by instruction count: the same input gives the same run. One instruction takes 2^{@code shift} ns. */
  public VmBuilder icount(int shift) {
    icountShift = OptionalInt.of(shift);
    return this;
  }

  public VmBuilder life(LifeOptions how) {
    life = how;
    return this;
  }

  /**
   * The host's end of the next serial port. Without any, the first is the {@link Vm#console}. The machine closes it.
   */
  public VmBuilder serial(CharBackend backend) {
    serials.add(backend);
    return this;
  }

  /** A byte channel that devices find by {@code id}. Who gave it closes it, after the machine. */
  public VmBuilder chardev(String id, ChardevSource source) {
    chardevs.put(id, source);
    return this;
  }

  public VmBuilder log(Log to) {
    log = to;
    return this;
  }

  /** The options as data. */
  public MachineOptions options() {
    return new MachineOptions(
        cpu,
        smp,
        ramSize,
        aclint,
        new BootOptions(firmware, kernel, initrd, append, dtb, pflash),
        drives,
        devices,
        netdevs,
        objects,
        globals,
        accelerator,
        oneThread,
        profile,
        icountShift,
        life);
  }

  /**
   * Makes the machine; nothing of it runs yet.
   *
   * @throws VmException naming the option that is wrong, or the file
   */
  public Vm build() throws VmException {
    return new VmAssembly(options(), serials, chardevs, log).build();
  }
}
