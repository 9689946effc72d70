package org.ascus.benchmarks.micro;

import java.util.concurrent.locks.ReentrantLock;
import org.ascus.isa.asm.Program;
import org.ascus.isa.riscv.Acceleration;
import org.ascus.isa.riscv.RiscvConfig;
import org.ascus.isa.riscv.RiscvCpus;
import org.ascus.isa.riscv.RiscvDialect;
import org.ascus.machine.bus.BusDevice;
import org.ascus.machine.bus.BusFault;
import org.ascus.machine.bus.GuestRam;
import org.ascus.machine.bus.MmioRegion;
import org.ascus.machine.bus.RamRegion;
import org.ascus.machine.run.Machine;
import org.ascus.machine.trace.Log;

/** One hart, 8 MiB of RAM and a device of one register, run by instruction count on the calling thread. */
final class BareMachine implements AutoCloseable {
  /** Where RAM and the program start. */
  static final long RAM = 0x8000_0000L;

  /** Where the device is: it remembers the last value written and counts accesses. */
  static final long DEVICE = 0x1000_0000L;

  private static final int RAM_BYTES = 8 << 20;
  private static final int DEVICE_BYTES = 4096;

  private static final class Register implements BusDevice {
    private long value;
    private long accesses;

    @Override
    public long read(long offset, int width) {
      accesses++;
      return value;
    }

    @Override
    public void write(long offset, int width, long newValue) {
      accesses++;
      value = newValue;
    }
  }

  private final Machine machine = new Machine(Log.off());
  private final GuestRam ram = new GuestRam("ram", RAM_BYTES);
  private final Register register = new Register();

  BareMachine(Acceleration acceleration, String source) {
    machine.useInstructionTime(0);
    machine.memory().map(RAM, new RamRegion("ram", ram, true));
    machine.memory().map(DEVICE, new MmioRegion("register", DEVICE_BYTES, register, new ReentrantLock()));
    machine.addRam(ram);
    new RiscvCpus(RiscvConfig.max(), acceleration).addCpus(machine, 1, RAM);
    Program program = RiscvDialect.assembler().assemble(source, RAM);
    try {
      machine.memory().load(RAM, program.bytes(), 0, program.bytes().length);
    } catch (BusFault e) {
      throw new IllegalStateException(e);
    }
    machine.resetForInstructionTime();
  }

  /** Runs {@code instructions} and returns how many were executed. */
  long run(long instructions) {
    return machine.runFor(instructions);
  }

  long register(String name) {
    return machine.cpus().getFirst().register(name);
  }

  /** Reads and writes that the device has seen. */
  long deviceAccesses() {
    return register.accesses;
  }

  @Override
  public void close() {
    machine.close();
    ram.release();
  }
}
