package org.ascus.polyglot;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.BlockNode;
import org.ascus.devices.block.Drive;
import org.ascus.devices.block.format.ImageOptions;
import org.ascus.devices.chardev.CharBackend;
import org.ascus.devices.chardev.RingChardev;
import org.ascus.devices.net.NetLink;
import org.ascus.isa.riscv.Acceleration;
import org.ascus.machine.cpu.Cpu;
import org.ascus.machine.run.Machine;
import org.ascus.machine.run.RunState;
import org.ascus.machine.run.ShutdownReason;
import org.ascus.machine.state.StateException;

/**
 * A machine as an object. Made by a {@link #builder}, started once, it runs until the guest or {@link #quit} ends it.
 *
 * <p>All methods may be called by any thread that is not one of the machine's own.
 */
public final class Vm implements AutoCloseable {
  private final Machine machine;
  private final VmAssembly assembly;
  private final MachineOptions options;
  private final byte[] deviceTree;
  private final RingChardev console;
  private final Map<String, Drive> drives;
  private final BlockExports exports;
  private final List<CharBackend> backends;
  private final Networks networks;
  private final List<VmCpu> cpus;
  private final VmMemory memory;
  private final InstructionRunner instructionRunner;
  private final TimeProfile timeProfile = new TimeProfile();

  private final ReentrantLock lock = new ReentrantLock();
  private final ReentrantLock stateLock = new ReentrantLock();
  private final Condition stateChanged = stateLock.newCondition();
  private RunState seen;
  private boolean reset;
  private volatile boolean closed;

  Vm(
      Machine machine,
      MachineOptions options,
      byte[] deviceTree,
      RingChardev console,
      Map<String, Drive> drives,
      List<CharBackend> backends,
      Networks networks,
      VmAssembly assembly) {
    this.assembly = assembly;
    this.machine = machine;
    this.options = options;
    this.deviceTree = deviceTree;
    this.console = console;
    this.drives = Collections.unmodifiableMap(new LinkedHashMap<>(drives));
    this.exports = new BlockExports(this.drives);
    this.backends = List.copyOf(backends);
    this.networks = networks;
    this.cpus = machine.cpus().stream().map(c -> new VmCpu(this, c)).toList();
    this.memory = new VmMemory(this);
    this.instructionRunner = new InstructionRunner(machine);
    this.seen = machine.state();
    machine.addStateListener(this::note);
  }

  /** A builder that begins with {@link MachineOptions#DEFAULT}. */
  public static VmBuilder builder() {
    return new VmBuilder(MachineOptions.DEFAULT);
  }

  public static VmBuilder builder(MachineOptions options) {
    return new VmBuilder(options);
  }

  /** Why {@link Accelerator#TRUFFLE} stops at its baseline tier in this JVM; empty when Graal compiles. */
  public static Optional<String> translationProblem() {
    return Acceleration.hasCompiler()
        ? Optional.empty()
        : Optional.of("this JVM has no Graal compiler, or runs without -XX:+EnableJVMCI");
  }

  private void note(RunState state) {
    if (state == RunState.ENDED) {
      timeProfile.end();
    }
    stateLock.lock();
    try {
      seen = state;
      stateChanged.signalAll();
    } finally {
      stateLock.unlock();
    }
  }

  private boolean byInstructionCount() {
    return options.icountShift().isPresent();
  }

  /**
   * Plugs a device into the machine, which may be running: below a PCI Express port.
   *
   * @throws VmException naming what is wrong with it
   */
  public void plug(DeviceOptions device) throws VmException {
    lock.lock();
    try {
      assembly.hotPlug(device);
    } finally {
      lock.unlock();
    }
  }

  /**
   * Asks the guest to let go of the device {@code id}; it is taken out when the guest has.
   *
   * @throws VmException when there is none, or none that can be taken out
   */
  public void unplug(String id) throws VmException {
    assembly.unplug(id);
  }

  /** Starts the guest, or with {@link LifeOptions#paused} makes it ready to. */
  public void start() {
    lock.lock();
    try {
      if (!byInstructionCount()) {
        machine.start(options.life().paused());
        return;
      }
      if (instructionRunner.started()) {
        throw new IllegalStateException("started already");
      }
      firstReset();
      if (!options.life().paused()) {
        machine.resume();
      }
      instructionRunner.start(options.life().paused());
    } finally {
      lock.unlock();
    }
  }

  private void firstReset() {
    if (!reset) {
      reset = true;
      machine.resetForInstructionTime();
    }
  }

  /** Waits until the machine has ended. */
  public ShutdownReason awaitExit() throws InterruptedException {
    return machine.awaitShutdown();
  }

  public RunState state() {
    return machine.state();
  }

  /** Where the host's time goes. */
  public TimeProfile timeProfile() {
    return timeProfile;
  }

  /** What the machine was made of. */
  public MachineOptions options() {
    return options;
  }

  /** Stops all CPUs and guest time; returns when no guest instruction runs any more. */
  public void pause() {
    lock.lock();
    try {
      if (byInstructionCount()) {
        instructionRunner.pause();
      } else {
        machine.pause();
      }
    } finally {
      lock.unlock();
    }
  }

  /** Lets the guest run again. */
  public void resume() {
    lock.lock();
    try {
      if (byInstructionCount()) {
        instructionRunner.resume();
      } else {
        machine.resume();
      }
    } finally {
      lock.unlock();
    }
  }

  /**
   * Waits until the guest does not run any more: paused, at a breakpoint, or ended.
   *
   * @return whether that happened within {@code limit}
   */
  public boolean awaitStop(Duration limit) throws InterruptedException {
    long left = limit.toNanos();
    stateLock.lock();
    try {
      while (seen == RunState.RUNNING) {
        if (left <= 0) {
          return false;
        }
        left = stateChanged.awaitNanos(left);
      }
      return true;
    } finally {
      stateLock.unlock();
    }
  }

  /** Asks for a reset of the whole machine, as by its reset button. Returns at once. */
  public void reset() {
    machine.requestReset(false);
  }

  /** Ends the machine, as if the process were told to. Returns at once. */
  public void quit() {
    end(new ShutdownReason(ShutdownReason.Kind.HOST_QUIT, 0, ""));
  }

  private void end(ShutdownReason why) {
    if (byInstructionCount()) {
      instructionRunner.stop();
    }
    machine.requestShutdown(why);
  }

  public List<VmCpu> cpus() {
    return cpus;
  }

  /** The CPU with a number, from 0. */
  public VmCpu cpu(int index) {
    return cpus.get(index);
  }

  public VmMemory memory() {
    return memory;
  }

  /** The first serial line, when the builder was given no other; the last 1 MiB of output is kept. */
  public RingChardev console() {
    return console;
  }

  /** The device tree that the guest gets. */
  public byte[] deviceTree() {
    return deviceTree.clone();
  }

  /** The disk images by id. */
  public Map<String, Drive> drives() {
    return drives;
  }

  /**
   * Takes the medium out of a drive and leaves its tray open.
   *
   * @param force whatever the guest says; without, a guest that has locked the drive is asked to let go, and this fails
   * @throws VmException when there is no such drive, or its medium stays
   */
  public void eject(String id, boolean force) throws VmException {
    Drive drive = drive(id);
    Drive.User user = drive.user().filter(Drive.User::removable)
        .orElseThrow(() -> new VmException("Device '" + id + "' is not removable"));
    if (user.locked() && !force) {
      user.ejectRequested();
      throw new VmException("Device '" + id + "' is locked and force was not specified, wait for tray to open and try"
          + " again");
    }
    user.trayMoved(true);
    replace(drive, Optional.empty());
  }

  /**
   * Puts another medium into a drive, and closes its tray.
   *
   * @throws VmException as for {@link #eject}, or when the image cannot be opened
   */
  public void change(String id, ImageOptions image) throws VmException {
    Drive drive = drive(id);
    try {
      BlockNode next = image.open();
      try {
        eject(id, false);
      } catch (VmException e) {
        next.close();
        throw e;
      }
      replace(drive, Optional.of(next));
    } catch (BlockException e) {
      throw new VmException(e.getMessage(), e);
    }
    drive.user().ifPresent(u -> u.trayMoved(false));
  }

  /**
   * Changes the size of a disk; the guest is told.
   *
   * @param bytes a multiple of 512
   */
  public void resize(String id, long bytes) throws VmException {
    if (bytes <= 0 || bytes % 512 != 0) {
      throw new VmException("Parameter 'size' expects a positive multiple of 512, not " + bytes);
    }
    try {
      drive(id).resize(bytes);
    } catch (BlockException e) {
      throw new VmException(e.getMessage(), e);
    }
  }

  private Drive drive(String id) throws VmException {
    Drive drive = drives.get(id);
    if (drive == null) {
      throw new VmException("Device '" + id + "' not found");
    }
    return drive;
  }

  private static void replace(Drive drive, Optional<BlockNode> medium) throws VmException {
    try {
      drive.replace(medium);
    } catch (BlockException e) {
      throw new VmException(e.getMessage(), e);
    }
  }

  /** The server through which clients on the host can use the disks. */
  public BlockExports exports() {
    return exports;
  }

  /** The networks by the id of the host's end. */
  public Map<String, NetLink> networks() {
    return networks.links();
  }

  /** The filters on the cable of a network, by the id of the host's end. */
  public List<HostObject.Filter> filters(String netdev) {
    return networks.filters(netdev);
  }

  /**
   * Opens another network, for cards that are plugged in later.
   *
   * @throws VmException when it cannot be opened
   */
  public void addNetwork(NetdevOptions network) throws VmException {
    networks.add(network);
  }

  /**
   * Closes a network; a card on it stays, with its cable pulled.
   *
   * @throws VmException when there is none of that id
   */
  public void removeNetwork(String id) throws VmException {
    networks.remove(id);
  }

  /** Another byte channel, for devices that are plugged in later. */
  public void addChardev(String id, ChardevSource source) {
    assembly.addChardev(id, source);
  }

  /** Devices that are plugged in later do not find this byte channel any more. */
  public void removeChardev(String id) {
    assembly.removeChardev(id);
  }

  /**
   * Writes the temporary changes of disk images with snapshot=on to their files.
   *
   * @param id of one of them, or {@code all}
   * @throws VmException when there is no such image, or its file cannot be written
   */
  public void commit(String id) throws VmException {
    if (!id.equals("all") && !drives.containsKey(id)) {
      throw new VmException("Device '" + id + "' not found");
    }
    for (DriveOptions drive : options.drives()) {
      if (id.equals("all") || id.equals(drive.id())) {
        try {
          Optional<BlockNode> medium = drives.get(drive.id()).medium();
          if (medium.isPresent() && drive.medium().isPresent()) {
            drive.image().commit(medium.get());
          }
        } catch (BlockException e) {
          throw new VmException("commit " + drive.id() + ": " + e.getMessage(), e);
        }
      }
    }
  }

  /** The machine itself: bus, devices, clock. */
  public Machine machine() {
    return machine;
  }

  /**
   * Runs the guest on the calling thread for {@code instructions}, all CPUs together; the machine must have been built
   * with {@link VmBuilder#icount} and not be started.
   *
   * @return instructions executed; fewer than asked when the machine ended, met a breakpoint or sleeps for good
   */
  public long runFor(long instructions) {
    lock.lock();
    try {
      if (!byInstructionCount() || instructionRunner.started()) {
        throw new IllegalStateException("runFor needs icount and a machine that was not started");
      }
      firstReset();
      return machine.runFor(instructions);
    } finally {
      lock.unlock();
    }
  }

  /** All guest-visible state but disks. */
  public byte[] save() {
    checkOpen();
    return whileStopped(machine::save);
  }

  /**
   * Loads what {@link #save} wrote on a machine with the same options. In real time this one must have been started,
   * paused for instance.
   *
   * @throws VmException when the state does not fit; the machine is not to be used any more then
   */
  public void load(byte[] state) throws VmException {
    checkOpen();
    Optional<StateException> failure =
        whileStopped(
            () -> {
              if (byInstructionCount() && !instructionRunner.started()) {
                firstReset();
              }
              try {
                machine.load(state);
                return Optional.empty();
              } catch (StateException e) {
                return Optional.of(e);
              }
            });
    if (failure.isPresent()) {
      throw new VmException("saved state: " + failure.get().getMessage(), failure.get());
    }
  }

  /** Calls {@code body} while no guest instruction runs; a machine that ran goes on afterwards. */
  public <T> T whileStopped(Supplier<T> body) {
    lock.lock();
    try {
      if (!byInstructionCount()) {
        return machine.whilePaused(body);
      }
      boolean runs = state() == RunState.RUNNING;
      if (runs) {
        pause();
      }
      try {
        return body.get();
      } finally {
        if (runs) {
          resume();
        }
      }
    } finally {
      lock.unlock();
    }
  }

  /** Guest RAM is gone once the machine is closed. */
  void checkOpen() {
    if (closed) {
      throw new IllegalStateException("the machine is closed");
    }
  }

  /** Ends the machine if it has not ended and releases memory, files and channels. Harmless when repeated. */
  @Override
  public void close() throws VmException {
    lock.lock();
    try {
      if (closed) {
        return;
      }
      closed = true;
    } finally {
      lock.unlock();
    }
    timeProfile.stop();
    end(new ShutdownReason(ShutdownReason.Kind.HOST_QUIT, 0, ""));
    machine.cpus().forEach(Cpu::requestExit);
    machine.close();
    backends.forEach(CharBackend::close);
    networks.close();
    exports.close();
    List<BlockException> failures = new ArrayList<>();
    for (BlockNode node : drives.values()) {
      try {
        node.close();
      } catch (BlockException e) {
        failures.add(e);
      }
    }
    if (!failures.isEmpty()) {
      throw new VmException(failures.getFirst().getMessage(), failures.getFirst());
    }
  }
}
