package org.ascus.benchmarks.micro;

import java.util.concurrent.TimeUnit;
import org.ascus.machine.bus.AddressSpace;
import org.ascus.machine.bus.BusFault;
import org.ascus.machine.bus.GuestRam;
import org.ascus.machine.bus.RamRegion;
import org.ascus.machine.trace.Log;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** An access by address, as devices do it and as a CPU does on a miss of its TLB: page table walks and MMIO. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(value = 1, jvmArgsAppend = "--sun-misc-unsafe-memory-access=allow")
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class BusBenchmark {
  private static final long BASE = 0x8000_0000L;
  private static final int SIZE = 1 << 20;

  private final AddressSpace memory = new AddressSpace("memory", Log.off());
  private long address;

  /** Maps one block of RAM where RISC-V boards have it. */
  public BusBenchmark() {
    memory.map(BASE, new RamRegion("ram", new GuestRam("ram", SIZE), true));
  }

  @Benchmark
  public long readRam() throws BusFault {
    address = (address + 4104) & (SIZE - 8);
    return memory.read(BASE + address, 8);
  }
}
