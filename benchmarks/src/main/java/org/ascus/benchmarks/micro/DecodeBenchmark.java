package org.ascus.benchmarks.micro;

import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.ascus.isa.decode.Decoder;
import org.ascus.isa.riscv.RiscvTable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** The decoder: a boot decodes some hundred thousand instructions once, before anything is warm. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class DecodeBenchmark {
  private static final int COUNT = 1024;

  private final Decoder decoder = new Decoder(RiscvTable.get(), RiscvTable.get().extensions());
  private final int[] words = new SplittableRandom(1).ints(COUNT).toArray();

  /** Words of random bits, a good part of them legal, in no order that a branch predictor could learn. */
  @Benchmark
  @OperationsPerInvocation(COUNT)
  public long randomWords() {
    long sum = 0;
    for (int word : words) {
      sum += decoder.decode(word);
    }
    return sum;
  }
}
