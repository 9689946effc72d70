package org.ascus.benchmarks.micro;

import java.util.concurrent.TimeUnit;
import org.ascus.isa.riscv.Acceleration;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** What running guest code costs, one cost centre a {@link GuestLoop}, in guest instructions per second. */
@State(Scope.Thread)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Fork(value = 1, jvmArgsAppend = "--sun-misc-unsafe-memory-access=allow")
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
public class GuestBenchmark {
  /** Guest instructions an invocation. */
  static final int INSTRUCTIONS = 1_000_000;

  /** As {@code -accel} names it. */
  @Param({"truffle", "interpreter"})
  public String accel;

  @Param
  public GuestLoop loop;

  private BareMachine machine;

  /** Makes the machine and runs the program's set-up code. */
  @Setup(Level.Trial)
  public void start() {
    machine = new BareMachine(acceleration(), loop.source());
    run();
  }

  private Acceleration acceleration() {
    return switch (accel) {
      case "truffle" -> Acceleration.truffle();
      case "interpreter" -> Acceleration.interpreter();
      default -> throw new IllegalArgumentException("accel: " + accel + ": truffle or interpreter");
    };
  }

  /** Returns the rounds done; fails if the guest did not do the work that is being timed. */
  @Benchmark
  @OperationsPerInvocation(INSTRUCTIONS)
  public long run() {
    long before = machine.register("s11");
    long accesses = machine.deviceAccesses();
    long executed = machine.run(INSTRUCTIONS);
    long rounds = machine.register("s11") - before;
    // The set-up code of the first run is shorter than a twentieth of it.
    long least = (INSTRUCTIONS - INSTRUCTIONS / 20) / loop.instructionsPerRound() - 1;
    long most = INSTRUCTIONS / loop.instructionsPerRound() + 1;
    if (executed != INSTRUCTIONS || rounds < least || rounds > most) {
      throw new IllegalStateException(loop + ": " + rounds + " rounds in " + executed + " instructions");
    }
    if (loop == GuestLoop.MMIO && machine.deviceAccesses() - accesses < 2 * rounds - 2) {
      throw new IllegalStateException("accesses did not reach the device");
    }
    return rounds;
  }

  @TearDown(Level.Trial)
  public void stop() {
    machine.close();
  }
}
