package org.ascus.polyglot;

import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.locks.LockSupport;

/**
 * Where the host's time goes. The process's threads are told apart by what they are for; while {@link #start}ed, the
 * threads that run guest code are looked at every few milliseconds too, to see what they are doing. Nothing is counted
 * on the guest's way, so it costs nothing while it is stopped.
 *
 * <p>A thread is seen where HotSpot stops it, at the end of a loop or method rather than at the very instruction: the
 * shares are good for telling which of the emulator's parts matters, not which line.
 */
public final class TimeProfile {
  /** What a thread that runs guest code is doing. */
  enum Doing {
    TIER_0("tier 0 (interpreter)"),
    BYTECODE("bytecode tier"),
    TRUFFLE("Truffle tier"),
    TRANSLATION("address translation (TLB misses)"),
    DECODING("decoding and forming regions"),
    SYSTEM("traps and system instructions"),
    DEVICES("devices"),
    IDLE("waiting");

    private final String title;

    Doing(String title) {
      this.title = title;
    }
  }

  /** A kind of work, and how the names of the methods begin that do it. The innermost frame with a sign decides. */
  private record Sign(String frame, Doing doing) {}

  private static final Sign[] SIGNS = {
    new Sign("org.ascus.machine.run.Machine.awaitRunning", Doing.IDLE),
    new Sign("org.ascus.isa.cpu.VCpu.sleep", Doing.IDLE),
    new Sign("org.ascus.devices.", Doing.DEVICES),
    new Sign("org.ascus.isa.riscv.PageWalker.", Doing.TRANSLATION),
    new Sign("org.ascus.isa.riscv.Pmp.", Doing.TRANSLATION),
    new Sign("org.ascus.isa.region.RegionFormer.", Doing.DECODING),
    new Sign("org.ascus.isa.region.RegionTranslator.", Doing.DECODING),
    new Sign("org.ascus.isa.bytecode.BytecodeTranslator.", Doing.DECODING),
    new Sign("org.ascus.isa.cpu.VCpu.findBlock", Doing.DECODING),
    new Sign("org.ascus.isa.cpu.VCpu.profile", Doing.DECODING),
    new Sign("org.ascus.isa.cpu.VCpu.sample", Doing.DECODING),
    new Sign("org.ascus.isa.riscv.RiscvBlockDecoder.", Doing.DECODING),
    new Sign("org.ascus.machine.bus.MmioRegion.", Doing.DEVICES),
    new Sign("org.ascus.machine.bus.AddressSpace.", Doing.DEVICES),
    new Sign("org.ascus.isa.riscv.RiscvHart.loadSlow", Doing.TRANSLATION),
    new Sign("org.ascus.isa.riscv.RiscvHart.storeSlow", Doing.TRANSLATION),
    new Sign("org.ascus.isa.riscv.RiscvHart.enterTrap", Doing.SYSTEM),
    new Sign("org.ascus.isa.riscv.RiscvHart.pollInterrupts", Doing.SYSTEM),
    new Sign("org.ascus.isa.riscv.RiscvRare.", Doing.SYSTEM),
    new Sign("org.ascus.isa.riscv.Csrs.", Doing.SYSTEM),
    new Sign("org.ascus.isa.riscv.RiscvInterpreter.", Doing.TIER_0),
    new Sign("org.ascus.isa.bytecode.", Doing.BYTECODE),
    new Sign("org.ascus.isa.riscv.RiscvBytecodeHelp.", Doing.BYTECODE),
    new Sign("org.ascus.isa.node.", Doing.TRUFFLE),
    new Sign("com.oracle.truffle.runtime.", Doing.TRUFFLE),
    // The frames of a region's hidden class are not shown: what is left is who called it.
    new Sign("org.ascus.isa.cpu.VCpu.runSlice", Doing.BYTECODE),
  };

  private static final long INTERVAL_NANOS = 5_000_000;
  private static final String GUEST_THREADS = "ascus-cpu";

  private final AtomicLongArray samples = new AtomicLongArray(Doing.values().length);
  private Optional<Thread> sampler = Optional.empty();
  private Optional<Map<HostThreads.Purpose, Double>> last = Optional.empty();

  TimeProfile() {}

  /** Begins to look at what guest CPUs do, or goes on with it. */
  public synchronized void start() {
    if (sampler.isEmpty()) {
      sampler = Optional.of(Thread.ofPlatform().daemon().name("ascus-profile").start(this::loop));
    }
  }

  /** Stops looking; what was seen is kept. */
  public synchronized void stop() {
    sampler.ifPresent(Thread::interrupt);
    sampler = Optional.empty();
  }

  /** The machine ends, and with it the threads of its CPUs, whose time the host forgets. */
  synchronized void end() {
    if (sampler.isPresent()) {
      last = HostThreads.seconds();
    }
  }

  private void loop() {
    while (!Thread.interrupted()) {
      Thread[] threads = new Thread[Thread.activeCount() + 8];
      int count = Thread.enumerate(threads);
      for (int i = 0; i < count; i++) {
        if (threads[i].getName().startsWith(GUEST_THREADS)) {
          look(threads[i].getStackTrace()).ifPresent(doing -> samples.incrementAndGet(doing.ordinal()));
        }
      }
      LockSupport.parkNanos(INTERVAL_NANOS);
    }
  }

  /** What a thread does that has this stack; empty if it is about to begin or end. */
  static Optional<Doing> look(StackTraceElement[] stack) {
    for (StackTraceElement frame : stack) {
      String name = frame.getClassName() + "." + frame.getMethodName();
      Optional<Sign> sign = Arrays.stream(SIGNS).filter(s -> name.startsWith(s.frame())).findFirst();
      if (sign.isPresent()) {
        return Optional.of(sign.get().doing());
      }
    }
    return Optional.empty();
  }

  /** Both as text: seconds of processor time, and shares of the guest CPUs' time if that was looked at. */
  public synchronized String describe() {
    StringBuilder text = new StringBuilder();
    Optional<Map<HostThreads.Purpose, Double>> seconds = last.or(HostThreads::seconds);
    if (seconds.isPresent()) {
      text.append("Host processor time (s):\n");
      seconds.get().forEach((purpose, s) -> text.append(String.format("  %-34s %8.2f%n", purpose.title(), s)));
    }
    long all = 0;
    for (int i = 0; i < samples.length(); i++) {
      all += samples.get(i);
    }
    if (all > 0) {
      text.append(String.format("Guest CPUs' time (%% of %d samples):%n", all));
      for (Doing doing : Doing.values()) {
        text.append(String.format("  %-34s %8.1f%n", doing.title, 100.0 * samples.get(doing.ordinal()) / all));
      }
    }
    return text.toString();
  }
}
