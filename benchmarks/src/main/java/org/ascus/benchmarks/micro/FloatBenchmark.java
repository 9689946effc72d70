package org.ascus.benchmarks.micro;

import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.ascus.isa.fp.F64;
import org.ascus.isa.fp.FpStatus;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * Guest floating point: the host's arithmetic serves nearest-even once the inexact flag is set, as it is in any program
 * after a few operations; the exact path in integers serves the rest and must not be far off.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class FloatBenchmark {
  private static final int COUNT = 1024;

  private final FpStatus status = new FpStatus();
  private final long[] values =
      new SplittableRandom(1).doubles(COUNT, -1e3, 1e3).mapToLong(Double::doubleToRawLongBits).toArray();

  /** RISC-V's encoding: 0 nearest-even, 1 toward zero. */
  @Param({"0", "1"})
  public int rounding;

  @Benchmark
  @OperationsPerInvocation(COUNT)
  public long add() {
    long sum = 0;
    for (long value : values) {
      sum = F64.add(status, sum, value, rounding);
    }
    return sum;
  }

  @Benchmark
  @OperationsPerInvocation(COUNT)
  public long multiply() {
    long sum = 0;
    for (int i = 1; i < COUNT; i++) {
      sum += F64.mul(status, values[i - 1], values[i], rounding);
    }
    return sum;
  }

  @Benchmark
  @OperationsPerInvocation(COUNT)
  public long fusedMultiplyAdd() {
    long sum = 0;
    for (int i = 1; i < COUNT; i++) {
      sum = F64.fma(status, values[i - 1], values[i], sum, rounding);
    }
    return sum;
  }
}
