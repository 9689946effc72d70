package org.ascus.polyglot.firmware;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.ascus.isa.asm.AssemblyException;
import org.ascus.isa.riscv.RiscvDialect;
import org.ascus.machine.run.RunState;
import org.ascus.machine.run.ShutdownReason;
import org.ascus.polyglot.Accelerator;
import org.ascus.polyglot.DefaultFirmware;
import org.ascus.polyglot.Vm;
import org.ascus.polyglot.VmBuilder;

/**
 * A program in S mode under {@link SbiFirmware} that checks for itself. It begins on the boot hart with a0 = hart id
 * and has macros: {@code sbi extension, function} calls the firmware; {@code expect register, value} ends the
 * machine with a failure when the register differs, using t5, t6 and s11, which counts; {@code catch} lets a trap of
 * the supervisor set s10 = scause, s9 = sepc and s8 = stval (-1 before) and go on, after an exception behind the
 * instruction, after an interrupt with all of them disabled. Harts talk by {@code tell address, value} and
 * {@code await address, value}. The program passes when it reaches its end or jumps to {@code passed}.
 */
final class SupervisorGuest {
  private static final long START = 0x8020_0000L;
  private static final long FOUND = 0x8030_0000L;
  private static final long LIMIT = 50_000_000;

  private static final String BEGIN =
      """
      .equ PROGRAM, 0x80200000
      .equ FOUND, 0x80300000
      .equ DATA, 0x80310000
      .equ FIRMWARE, 0x80000000
      .equ NOTHING, 0x1000000         # an address without memory or device
      .equ UART, 0x10000000
      .equ TABLE, 0x80400000
      .equ SEEN, DATA                 # by another hart than the first
      .equ TURN, DATA + 8
      .macro sbi extension, function
        li a7, \\extension
        li a6, \\function
        ecall
      .endm
      .macro expect register, value
        mv t5, \\register
        li t6, \\value
        addi s11, s11, 1
        beq t5, t6, good\\@
        j failed
      good\\@:
      .endm
      .macro catch
        la t5, caught
        csrw stvec, t5
        li s10, -1
        li s9, -1
        li s8, -1
      .endm
      .macro await address, value
        li t0, \\address
        li t1, \\value
      wait\\@:
        pause
        ld t2, 0(t0)
        bne t2, t1, wait\\@
        fence
      .endm
      .macro tell address, value
        fence
        li t0, \\address
        li t1, \\value
        sd t1, 0(t0)
      .endm
      li s11, 0
      j begin
      .align 2
      caught:
        csrr s10, scause
        csrr s9, sepc
        csrr s8, stval
        bltz s10, 1f
        addi t5, s9, 4
        csrw sepc, t5
        sret
      1:
        csrw sie, zero
        sret
      failed:
        li t0, FOUND
        sd t5, 0(t0)
        slli t1, s11, 16
        li t2, 0x3333
        add t1, t1, t2
        j 1f
      passed:
        li t1, 0x5555
      1:
        li t0, 0x100000
        sw t1, 0(t0)
        j 1b
      begin:
      """;

  private SupervisorGuest() {}

  /** The machine code of {@code program}, for 0x80200000. */
  static byte[] assemble(String program) throws AssemblyException {
    return RiscvDialect.assembler().assemble(BEGIN + program + "\nj passed\n", START).bytes();
  }

  /** A machine with the program as its kernel in {@code folder}. */
  static VmBuilder machine(Path folder, String program) throws IOException {
    Path kernel = folder.resolve("guest.bin");
    Files.write(kernel, assemble(program));
    return Vm.builder()
        .memory(16 << 20)
        .accelerator(Accelerator.INTERPRETER)
        .bios(DefaultFirmware.builtIn())
        .kernel(kernel);
  }

  /** Runs a machine by instruction count until it has ended by itself, which must be without a failure. */
  static void passes(VmBuilder machine) throws Exception {
    try (Vm vm = machine.icount(0).build()) {
      vm.runFor(LIMIT);
      assertPassed(vm);
    }
  }

  /** Runs a machine on threads of the host, in real time. */
  static void passesConcurrently(VmBuilder machine) throws Exception {
    try (Vm vm = machine.build()) {
      vm.start();
      vm.awaitExit();
      assertPassed(vm);
    }
  }

  /** Checks that a machine has ended and that its program found what it expected. */
  static void assertPassed(Vm vm) throws Exception {
    assertThat(vm.state()).as("%s", vm.cpu(0).describe()).isEqualTo(RunState.ENDED);
    ShutdownReason reason = vm.awaitExit();
    assertThat(reason.exitCode())
        .as("the first expectation that failed; 0x%x was found", vm.memory().read(FOUND, 8))
        .isZero();
  }
}
