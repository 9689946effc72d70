package org.ascus.isa.riscv;

import java.util.Arrays;
import java.util.Set;
import org.ascus.isa.asm.Program;
import org.ascus.machine.bus.BusFault;
import org.ascus.machine.bus.GuestRam;
import org.ascus.machine.bus.RamRegion;
import org.ascus.machine.run.Machine;
import org.ascus.machine.trace.Log;

/** A machine of harts and RAM alone, run by instruction count, with a program in assembly at the start of RAM. */
final class TestMachine implements AutoCloseable {
  static final long RAM = 0x80000000L;
  static final int SIZE = 8 << 20;

  /** Compiles at once whatever runs twice, so that short programs reach compiled code. */
  static final Acceleration EAGER_HOST_CODE = new Acceleration(Acceleration.Tier.HOST_CODE, 2, false);

  static final Acceleration EAGER_BYTECODE = new Acceleration(Acceleration.Tier.BYTECODE, 2, false);

  /** The same in the Truffle tier. */
  static final Acceleration EAGER = new Acceleration(Acceleration.Tier.TRUFFLE, 2, false);

  final Machine machine = new Machine(new Log(System.out, Set.of()));
  final GuestRam ram = new GuestRam("ram", SIZE);
  final Program program;

  TestMachine(Acceleration acceleration, String source) {
    this(RiscvConfig.max(), acceleration, 1, true, source);
  }

  TestMachine(RiscvConfig config, Acceleration acceleration, int harts, boolean instructionTime, String source) {
    if (instructionTime) {
      machine.useInstructionTime(0);
    }
    machine.memory().map(RAM, new RamRegion("ram", ram, true));
    machine.addRam(ram);
    new RiscvCpus(config, acceleration).addCpus(machine, harts, RAM);
    program = RiscvDialect.assembler().assemble(source, RAM);
    try {
      machine.memory().load(RAM, program.bytes(), 0, program.bytes().length);
    } catch (BusFault e) {
      throw new IllegalStateException(e);
    }
    if (instructionTime) {
      machine.resetForInstructionTime();
    }
  }

  RiscvHart hart() {
    return (RiscvHart) machine.cpus().getFirst();
  }

  long x(String register) {
    return hart().register(register);
  }

  /** Runs at most {@code instructions}, or until the hart waits for an interrupt. */
  TestMachine run(long instructions) {
    machine.runFor(instructions);
    return this;
  }

  /** Registers, pc, counters, CSRs and RAM in one number. */
  int stateHash() {
    return Arrays.hashCode(machine.save());
  }

  @Override
  public void close() {
    machine.close();
    ram.release();
  }
}
