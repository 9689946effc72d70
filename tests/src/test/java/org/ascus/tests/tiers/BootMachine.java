package org.ascus.tests.tiers;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.ascus.devices.board.riscv.Firmware;
import org.ascus.devices.board.riscv.VirtBoard;
import org.ascus.devices.board.riscv.VirtOptions;
import org.ascus.devices.chardev.RingChardev;
import org.ascus.devices.loader.LoadException;
import org.ascus.isa.riscv.Acceleration;
import org.ascus.isa.riscv.RiscvConfig;
import org.ascus.isa.riscv.RiscvCpus;
import org.ascus.isa.riscv.RiscvDialect;
import org.ascus.machine.bus.BusFault;
import org.ascus.machine.bus.GuestRam;
import org.ascus.machine.cpu.Cpu;
import org.ascus.machine.device.DeviceException;
import org.ascus.machine.run.Machine;
import org.ascus.machine.trace.Log;

/** A Linux guest that boots by instruction count: the same instructions in each run, whatever tier they run in. */
final class BootMachine implements AutoCloseable {
  private static final long RAM_BYTES = 128L << 20;
  private static final int CONSOLE_BYTES = 1 << 16;
  private static final int SEED_BYTES = 32;

  private final Machine machine = new Machine(Log.off());
  private final List<Cpu> cpus;

  BootMachine(Path guest, int harts, Acceleration acceleration) throws DeviceException, LoadException {
    machine.useInstructionTime(0);
    VirtOptions options =
        new VirtOptions(
            RAM_BYTES, harts, Optional.of(guest.resolve("Image")), Optional.of(guest.resolve("initramfs.cpio.gz")),
            "console=ttyS0 guest.run=true", Optional.empty(),
            new Firmware.File(guest.resolve("fw/fw_dynamic.bin")), List.of(RingChardev.synchronous(CONSOLE_BYTES)),
            List.of(), false, false, () -> 0, new byte[SEED_BYTES]);
    VirtBoard.build(machine, new RiscvCpus(RiscvConfig.parse("max"), acceleration), options);
    machine.resetForInstructionTime();
    cpus = machine.cpus();
  }

  /** Runs all harts, in turns, for {@code instructions} together; true if the guest has ended before. */
  boolean run(long instructions) {
    return machine.runFor(instructions) < instructions;
  }

  GuestState state() {
    return GuestState.of(machine);
  }

  /** What {@code info jit} says. */
  String translation() {
    return cpus.getFirst().describeTranslation();
  }

  /** The instructions that the harts execute next, by the address. */
  String next() {
    StringBuilder out = new StringBuilder();
    for (Cpu cpu : cpus) {
      long pc = cpu.pc();
      out.append(String.format("  hart %d %016x  %s%n", cpu.index(), pc, disassemble(cpu, pc)));
    }
    return out.toString();
  }

  private String disassemble(Cpu cpu, long pc) {
    int bits = 0;
    try {
      for (int i = 0; i < 2; i++) {
        long physical = cpu.translate(pc + 2 * i).orElse(0);
        bits |= (int) machine.memory().read(physical, 2) << 16 * i;
      }
    } catch (BusFault e) {
      return "?";
    }
    return RiscvDialect.disassembler().disassemble(pc, bits);
  }

  @Override
  public void close() {
    machine.close();
    machine.ram().forEach(GuestRam::release);
  }
}
