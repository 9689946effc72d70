package org.ascus.machine.run;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.ascus.machine.bus.AddressSpace;
import org.ascus.machine.bus.GuestRam;
import org.ascus.machine.clock.VirtualClock;
import org.ascus.machine.cpu.Cpu;
import org.ascus.machine.device.Device;
import org.ascus.machine.state.StateException;
import org.ascus.machine.state.StateReader;
import org.ascus.machine.state.StateWriter;
import org.ascus.machine.trace.Log;

/**
 * A machine: memory, CPUs and devices, and the threads that run them. A board fills it in ({@code add...}), then it is
 * started once and runs until it is shut down.
 *
 * <p>All methods may be called by any thread. Requests that come from a vCPU or device thread (reset, shutdown) are
 * carried out by the control thread, so that they never wait for themselves.
 */
public final class Machine implements AutoCloseable {
  private static final long TURN_MILLIS = 1;
  private static final long MISSED_WAKE_UP_NANOS = 1_000_000;

  private final AddressSpace memory;
  private final VirtualClock clock = new VirtualClock();
  private final Log log;
  private final List<Cpu> cpus = new ArrayList<>();
  private final List<Device> devices = new CopyOnWriteArrayList<>();
  private final List<GuestRam> ram = new ArrayList<>();
  private final List<Runnable> resetHooks = new ArrayList<>();
  private final List<Consumer<RunState>> stateListeners = new CopyOnWriteArrayList<>();

  private final ReentrantLock lock = new ReentrantLock();

  /**
   * Held by who stops the machine until it is still, and for as long as it must stay so. Fair: who looks at the machine
   * again and again must not keep a reset waiting.
   */
  private final ReentrantLock stillness = new ReentrantLock(true);
  private final Condition changed = lock.newCondition();
  private final LinkedBlockingQueue<Runnable> control = new LinkedBlockingQueue<>();
  private final CountDownLatch ended = new CountDownLatch(1);
  private RunState state = RunState.PRELAUNCH;
  private int busy;
  private volatile boolean rebootEnds;
  private volatile boolean shutdownPauses;
  private boolean oneThread;
  private volatile Cpu inTurn;
  private volatile ShutdownReason reason = new ShutdownReason(ShutdownReason.Kind.HOST_QUIT, 0, "");
  private boolean threadsStarted;
  private final List<Thread> threads = new ArrayList<>();
  private InstructionTime instructionTime;

  public Machine(Log log) {
    this.log = log;
    this.memory = new AddressSpace("system", log);
    clock.setDefectHandler(e -> requestShutdown(defect("timer", e)));
  }

  public AddressSpace memory() {
    return memory;
  }

  public VirtualClock clock() {
    return clock;
  }

  public Log log() {
    return log;
  }

  public List<Cpu> cpus() {
    return List.copyOf(cpus);
  }

  public List<Device> devices() {
    return List.copyOf(devices);
  }

  public void addCpu(Cpu cpu) {
    cpus.add(cpu);
  }

  public void addDevice(Device device) {
    devices.add(device);
  }

  /** Takes a device out of a machine, which may be running; the caller closes it. */
  public void removeDevice(Device device) {
    devices.remove(device);
  }

  /** RAM that belongs in a snapshot. */
  public void addRam(GuestRam block) {
    ram.add(block);
  }

  public List<GuestRam> ram() {
    return List.copyOf(ram);
  }

  /** {@code hook} runs at each reset after devices and CPUs were reset: loaders write their images again. */
  public void addResetHook(Runnable hook) {
    resetHooks.add(hook);
  }

  public void addStateListener(Consumer<RunState> listener) {
    stateListeners.add(listener);
  }

  /** All CPUs run in turns on one host thread; set before the CPUs are made. */
  public void setOneThread(boolean one) {
    oneThread = one;
  }

  /** Whether a CPU that waits for an interrupt must leave its thread to others. */
  public boolean sharesThread() {
    return oneThread || instructionTime != null;
  }

  /** {@code -no-reboot}: a reset that the guest asks for ends the machine. */
  public void setRebootEnds(boolean ends) {
    rebootEnds = ends;
  }

  /** {@code -no-shutdown}: a shutdown that the guest asks for leaves the machine stopped, to be looked at. */
  public void setShutdownPauses(boolean pauses) {
    shutdownPauses = pauses;
  }

  public RunState state() {
    lock.lock();
    try {
      return state;
    } finally {
      lock.unlock();
    }
  }

  /** Resets everything for the first time and starts the threads; paused when {@code paused} ({@code -S}). */
  public void start(boolean paused) {
    resetNow();
    lock.lock();
    try {
      if (threadsStarted) {
        throw new IllegalStateException("started already");
      }
      threadsStarted = true;
      if (oneThread) {
        threads.add(Thread.ofPlatform().name("ascus-cpus").daemon().start(this::turnsLoop));
        if (cpus.size() > 1) {
          threads.add(Thread.ofPlatform().name("ascus-turns").daemon().start(this::endTurns));
        }
      } else {
        for (Cpu cpu : cpus) {
          threads.add(Thread.ofPlatform().name("ascus-cpu-" + cpu.index()).daemon().start(() -> cpuLoop(cpu)));
        }
      }
      threads.add(Thread.ofPlatform().name("ascus-control").daemon().start(this::controlLoop));
    } finally {
      lock.unlock();
    }
    if (!paused) {
      resume();
    }
  }

  private void cpuLoop(Cpu cpu) {
    while (awaitRunning(false)) {
      runTurn(cpu);
    }
  }

  /** All CPUs on this thread, each until it waits for an interrupt or its turn is over. */
  private void turnsLoop() {
    int waiting = 0;
    for (int next = 0; awaitRunning(true); next = (next + 1) % cpus.size()) {
      inTurn = cpus.get(next);
      waiting = runTurn(inTurn) == Cpu.Stop.HALTED ? waiting + 1 : 0;
      inTurn = null;
      if (waiting == cpus.size()) {
        // An interrupt wakes this thread, unless somebody else who waited on it took the wake-up.
        LockSupport.parkNanos(this, MISSED_WAKE_UP_NANOS);
        waiting = 0;
      }
    }
  }

  /** Ends turns after {@value #TURN_MILLIS} ms. */
  private void endTurns() {
    try {
      while (ended.getCount() > 0) {
        Thread.sleep(TURN_MILLIS);
        Cpu cpu = inTurn;
        if (cpu != null) {
          cpu.requestExit();
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /**
   * Waits until CPUs may run, and counts this thread among those that run some; false when the machine has ended.
   *
   * @param forgetTurns requests to exit that came while the machine runs only ended a turn
   */
  private boolean awaitRunning(boolean forgetTurns) {
    lock.lock();
    try {
      while (state != RunState.RUNNING) {
        if (state == RunState.ENDED) {
          return false;
        }
        changed.awaitUninterruptibly();
      }
      if (forgetTurns) {
        cpus.forEach(Cpu::clearExitRequest);
      }
      busy++;
      return true;
    } finally {
      lock.unlock();
    }
  }

  private Cpu.Stop runTurn(Cpu cpu) {
    Cpu.Stop stop = Cpu.Stop.REQUESTED;
    try {
      stop = cpu.run(Long.MAX_VALUE);
    } catch (RuntimeException | Error e) {
      // A defect of the emulator: say which CPU, keep the rest of the process able to report and restore terminals.
      requestShutdown(defect("cpu " + cpu.index(), e));
      pauseRequest();
    } finally {
      lock.lock();
      try {
        busy--;
        changed.signalAll();
      } finally {
        lock.unlock();
      }
    }
    if (stop == Cpu.Stop.BREAKPOINT) {
      pause();
    }
    return stop;
  }

  private static ShutdownReason defect(String where, Throwable e) {
    return new ShutdownReason(ShutdownReason.Kind.HOST_ERROR, 1, where + ": " + stackOf(e));
  }

  private static String stackOf(Throwable e) {
    java.io.StringWriter out = new java.io.StringWriter();
    e.printStackTrace(new java.io.PrintWriter(out));
    return out.toString();
  }

  private void controlLoop() {
    try {
      while (ended.getCount() > 0) {
        control.take().run();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Lets the guest run; harmless when it does. */
  public void resume() {
    stillness.lock();
    lock.lock();
    try {
      if (state != RunState.PRELAUNCH && state != RunState.PAUSED && state != RunState.IO_ERROR) {
        return;
      }
      cpus.forEach(Cpu::clearExitRequest);
      setState(RunState.RUNNING);
      clock.start();
    } finally {
      lock.unlock();
      stillness.unlock();
    }
  }

  /** Stops CPUs and guest time; returns when no guest instruction or timer runs any more, at once on a vCPU thread. */
  public void pause() {
    if (isVcpuThread()) {
      pauseRequest();
      return;
    }
    stillness.lock();
    try {
      pauseRequest();
      awaitQuiet();
    } finally {
      stillness.unlock();
    }
  }

  /** Runs {@code body} while the machine stands still, and lets it go on if it ran before; not on a vCPU thread. */
  public <T> T whilePaused(Supplier<T> body) {
    stillness.lock();
    try {
      boolean ran = state() == RunState.RUNNING;
      pause();
      try {
        return body.get();
      } finally {
        if (ran) {
          resume();
        }
      }
    } finally {
      stillness.unlock();
    }
  }

  private boolean isVcpuThread() {
    return threads.contains(Thread.currentThread()) && !Thread.currentThread().getName().equals("ascus-control");
  }

  private void pauseRequest() {
    stopRequest(RunState.PAUSED);
  }

  /** Stops CPUs and guest time because a disk of the host failed; {@link #resume} lets them go on. Returns at once. */
  public void stopForIoError() {
    stopRequest(RunState.IO_ERROR);
  }

  private void stopRequest(RunState why) {
    lock.lock();
    try {
      if (state == RunState.RUNNING) {
        setState(why);
        clock.stop();
      }
      cpus.forEach(Cpu::requestExit);
    } finally {
      lock.unlock();
    }
  }

  private void awaitQuiet() {
    lock.lock();
    try {
      while (busy > 0) {
        changed.awaitUninterruptibly();
      }
    } finally {
      lock.unlock();
    }
    clock.awaitIdle();
  }

  /** Asks for a reset; {@code byGuest} obeys {@code -no-reboot}. Returns at once. */
  public void requestReset(boolean byGuest) {
    if (byGuest && rebootEnds) {
      requestShutdown(new ShutdownReason(ShutdownReason.Kind.GUEST_RESET, 0, ""));
      return;
    }
    cpus.forEach(Cpu::requestExit);
    control.add(
        () ->
            whilePaused(
                () -> {
                  resetNow();
                  return null;
                }));
  }

  private void resetNow() {
    devices.forEach(Device::resetEnter);
    devices.forEach(Device::resetHold);
    devices.forEach(Device::resetExit);
    cpus.forEach(Cpu::reset);
    resetHooks.forEach(Runnable::run);
  }

  /** Ends the machine, or with {@code -no-shutdown} stops it when the guest asked. Returns at once. */
  public void requestShutdown(ShutdownReason why) {
    cpus.forEach(Cpu::requestExit);
    Runnable body =
        () -> {
          boolean stay = shutdownPauses && why.kind() == ShutdownReason.Kind.GUEST_SHUTDOWN;
          stillness.lock();
          try {
            pause();
            end(why, stay ? RunState.SHUTDOWN : RunState.ENDED);
          } finally {
            stillness.unlock();
          }
          if (!stay) {
            finish();
          }
        };
    lock.lock();
    try {
      if (threadsStarted) {
        control.add(body);
        return;
      }
    } finally {
      lock.unlock();
    }
    body.run();
  }

  private void end(ShutdownReason why, RunState next) {
    lock.lock();
    try {
      if (state != RunState.ENDED) {
        reason = why;
        setState(next);
      }
    } finally {
      lock.unlock();
    }
  }

  private void finish() {
    if (ended.getCount() > 0) {
      devices.forEach(Device::close);
      clock.close();
      ended.countDown();
    }
  }

  /** Waits until the machine has ended. */
  public ShutdownReason awaitShutdown() throws InterruptedException {
    ended.await();
    return reason;
  }

  private void setState(RunState next) {
    state = next;
    changed.signalAll();
    stateListeners.forEach(l -> l.accept(next));
  }

  /** Switches to time by instruction count; before {@link #start}. One instruction takes 2^{@code shift} ns. */
  public void useInstructionTime(int shift) {
    instructionTime = new InstructionTime(this, shift);
  }

  void setNanos(long nanos) {
    if (instructionTime != null) {
      instructionTime.setNanos(nanos);
    } else {
      clock.setNanos(nanos);
    }
  }

  /**
   * Runs the whole machine on the calling thread for {@code instructions} (all CPUs together), by instruction count:
   * the same input gives the same run. Needs {@link #useInstructionTime} and a machine whose threads were not started.
   *
   * @return instructions executed; fewer than asked when the machine ended or sleeps for good
   */
  public long runFor(long instructions) {
    long done = 0;
    boolean again = true;
    while (again) {
      done += instructionTime.run(instructions - done);
      // A reset that the guest asked for ends the run above; there is no control thread to carry it out.
      again = false;
      for (Runnable request = control.poll(); request != null; request = control.poll()) {
        request.run();
        again = done < instructions;
      }
    }
    return done;
  }

  /** Resets everything, for a machine that is run by {@link #runFor} alone. */
  public void resetForInstructionTime() {
    resetNow();
    lock.lock();
    try {
      setState(RunState.PAUSED);
    } finally {
      lock.unlock();
    }
  }

  /** All guest-visible state but disks. Only while not running. */
  public byte[] save() {
    devices.forEach(Device::quiesce);
    StateWriter out = new StateWriter();
    out.section(new MachineState(this));
    cpus.forEach(out::section);
    devices.forEach(out::section);
    return out.toByteArray();
  }

  /** Loads what {@link #save} wrote on a machine of the same configuration. Only while not running. */
  public void load(byte[] stream) throws StateException {
    StateReader in = new StateReader(stream);
    devices.forEach(Device::quiesce);
    in.section(new MachineState(this));
    for (Cpu cpu : cpus) {
      in.section(cpu);
    }
    for (Device device : devices) {
      in.section(device);
    }
  }

  /** Ends the machine and gives its RAM back to the host, once no CPU runs any more. */
  @Override
  public void close() {
    requestShutdown(new ShutdownReason(ShutdownReason.Kind.HOST_QUIT, 0, ""));
    try {
      awaitShutdown();
      for (Thread thread : threads) {
        if (thread != Thread.currentThread()) {
          thread.interrupt();
          thread.join(2000);
        }
      }
      ram.forEach(GuestRam::discard);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
