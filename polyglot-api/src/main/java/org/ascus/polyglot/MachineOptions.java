package org.ascus.polyglot;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * A machine of type {@code virt} as data: what the command line says about it, except for the host's ends of its serial
 * lines.
 *
 * @param cpu {@code -cpu}: model and switches
 * @param smp {@code -smp}: number of CPUs
 * @param ramSize {@code -m}: bytes of RAM
 * @param aclint {@code -M virt,aclint=on}: timer and software interrupts by the ACLINT specification
 * @param boot what it starts with
 * @param drives disk images, in order
 * @param devices devices to plug in, in order
 * @param netdevs the host's ends of its networks, in order
 * @param objects what the host lends to it
 * @param globals other defaults for properties; later ones win
 * @param accelerator how guest code is run
 * @param oneThread {@code -accel ...,thread=single}: all CPUs run in turns on one host thread
 * @param profile {@code -accel ...,profile=on}: the file that keeps which guest code was hot, for the next run
 * @param icountShift {@code -icount}: run by instruction count, one instruction taking 2^shift ns; empty for real time
 * @param life how it begins and ends
 */
public record MachineOptions(
    String cpu,
    int smp,
    long ramSize,
    boolean aclint,
    BootOptions boot,
    List<DriveOptions> drives,
    List<DeviceOptions> devices,
    List<NetdevOptions> netdevs,
    List<HostObject> objects,
    List<GlobalProperty> globals,
    Accelerator accelerator,
    boolean oneThread,
    Optional<Path> profile,
    OptionalInt icountShift,
    LifeOptions life) {
  /** Largest number of CPUs. */
  public static final int MAX_CPUS = 8;

  /** Bytes of RAM unless said otherwise. */
  public static final long DEFAULT_RAM = 128L << 20;

  /** One CPU of the default model, 128 MiB, the default firmware. */
  public static final MachineOptions DEFAULT =
      new MachineOptions(
          "rv64",
          1,
          DEFAULT_RAM,
          false,
          BootOptions.DEFAULT,
          List.of(),
          List.of(),
          List.of(),
          List.of(),
          List.of(),
          Accelerator.TRUFFLE,
          false,
          Optional.empty(),
          OptionalInt.empty(),
          LifeOptions.DEFAULT);

  public MachineOptions {
    drives = List.copyOf(drives);
    devices = List.copyOf(devices);
    netdevs = List.copyOf(netdevs);
    objects = List.copyOf(objects);
    globals = List.copyOf(globals);
  }
}
