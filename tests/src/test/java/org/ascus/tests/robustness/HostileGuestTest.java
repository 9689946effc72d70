package org.ascus.tests.robustness;

import java.nio.file.Path;
import org.ascus.polyglot.Accelerator;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Programs that misbehave on the whole board and check what they get (privileged specification 1.12, sections "Machine
 * Cause Register" and "Virtual Address Translation Process"). Each repeats itself, so that compiled code is met too.
 */
@Timeout(120)
class HostileGuestTest {
  /**
   * Sets the trap handler: s0, s1 and s2 become mcause, mtval and mepc, and the program goes on after the instruction,
   * or at s11 if it could not be fetched. The repetition count is in s9, the number of the check in s10.
   */
  private static final String PRELUDE =
      """
      .equ HOLE, 0x18000000
      .macro gives cause, value, number
        li s10, \\number
        li t0, \\cause
        bne s0, t0, fail
        li t0, \\value
        bne s1, t0, fail
        li s0, -1
      .endm
      .macro quiet number
        li s10, \\number
        li t0, -1
        bne s0, t0, fail
      .endm
      .macro fetch target, number
        la s11, resume\\@
        li t0, \\target
        jalr ra, 0(t0)
      resume\\@:
        li t0, \\target
        li s10, \\number
        bne s2, t0, fail
      .endm
      start:
        la t0, handler
        csrw mtvec, t0
        csrw mie, zero
        li s0, -1
        li s9, %d
        j body
      .balign 4
      handler:
        csrr s0, mcause
        csrr s1, mtval
        csrr s2, mepc
        csrw mepc, s11
        li s3, 1
        beq s0, s3, leave
        li s3, 12
        beq s0, s3, leave
        addi s3, s2, 4
        csrw mepc, s3
      leave:
        li s3, 0x1800
        csrs mstatus, s3
        mret
      fail:
        slli s10, s10, 16
        li t1, 0x3333
        or t1, t1, s10
        j power_off
      done:
        addi s9, s9, -1
        bnez s9, body
        li t1, 0x5555
      power_off:
        li t0, 0x100000
        sw t1, 0(t0)
        j power_off
      body:
      """;

  @TempDir private Path folder;

  private void passes(Accelerator accelerator, String body) throws Exception {
    new HostileRun().passes(folder, accelerator, PRELUDE.formatted(300) + body + "\n  j done\n");
  }

  @ParameterizedTest
  @EnumSource(Accelerator.class)
  void unmappedMemoryIsAnAccessFaultForEveryKindOfAccess(Accelerator accelerator) throws Exception {
    passes(
        accelerator,
        """
          li a0, HOLE
          lw a1, 0(a0)
          gives 5, HOLE, 1
          sd a1, 8(a0)
          gives 7, HOLE + 8, 2
          amoadd.w a1, a1, (a0)
          gives 7, HOLE, 3
          lr.d a1, (a0)
          gives 5, HOLE, 4
          fetch HOLE, 5
          gives 1, HOLE, 6
          fetch 0x80ffffff + 1, 7
          gives 1, 0x81000000, 8
          li a0, 0x81000000
          lbu a1, 0(a0)
          gives 5, 0x81000000, 9
          sw a1, -4(a0)
          quiet 10
          ld a1, -4(a0)
          # mtval is the part of the access that faulted.
          gives 5, 0x81000000, 11
          li a0, -8
          ld a1, 0(a0)
          gives 5, -8, 12
          li a0, 1 << 60
          sb a1, 0(a0)
          gives 7, 1 << 60, 13
          fetch -4096, 14
          gives 1, -4096, 15
          # The very end of RAM runs into nothing.
          li a0, 0x81000000
          li a1, 0x13
          sw a1, -4(a0)
          fence.i
          la s11, 1f
          jalr zero, -4(a0)
        1:
          gives 1, 0x81000000, 16
        """);
  }

  @ParameterizedTest
  @EnumSource(Accelerator.class)
  void writesToRomAreDropped(Accelerator accelerator) throws Exception {
    passes(
        accelerator,
        """
          li a0, 0x1000
          ld a1, 0(a0)
          not a2, a1
          sd a2, 0(a0)
          sb a2, 5(a0)
          quiet 1
          ld a3, 0(a0)
          li s10, 2
          bne a1, a3, fail
          amoswap.w a3, a2, (a0)
          gives 7, 0x1000, 3
          ld a3, 0(a0)
          li s10, 4
          bne a1, a3, fail
        """);
  }

  @ParameterizedTest
  @EnumSource(Accelerator.class)
  void aPageTableThatLoopsIsAPageFault(Accelerator accelerator) throws Exception {
    passes(
        accelerator,
        """
          # PMP lets S mode do everything.
          li a0, -1
          csrw pmpaddr0, a0
          li a0, 0x1f
          csrw pmpcfg0, a0
          li a0, 0x80100000
          # Every entry of the root points to the root.
          li a1, 0x80100000 >> 2 | 1
          li a2, 512
        1:
          sd a1, 0(a0)
          addi a0, a0, 8
          addi a2, a2, -1
          bnez a2, 1b
          li a3, 8
        2:
          slli a4, a3, 60
          li a5, 0x80100000 >> 12
          or a4, a4, a5
          csrw satp, a4
          sfence.vma
          # MPRV with MPP=S: loads and stores are translated, the program itself is not.
          li a4, 0x21800
          csrc mstatus, a4
          li a4, 0x20800
          csrs mstatus, a4
          li a4, 0x123456000
          li s0, -1
          ld a5, 0(a4)
          li a4, 0x20000
          csrc mstatus, a4
          gives 13, 0x123456000, 1
          # Fetches in S mode.
          li a4, 0x1800
          csrc mstatus, a4
          li a4, 0x800
          csrs mstatus, a4
          li a4, 0x4000
          csrw mepc, a4
          la s11, 3f
          mret
        3:
          gives 12, 0x4000, 2
          addi a3, a3, 1
          li a4, 11
          bne a3, a4, 2b
          # A table in a hole is an access fault.
          li a4, 8 << 60 | 0x40000
          csrw satp, a4
          sfence.vma
          li a4, 0x800
          csrs mstatus, a4
          li a4, 0x1000
          csrc mstatus, a4
          li a4, 0x5000
          csrw mepc, a4
          la s11, 4f
          mret
        4:
          gives 1, 0x5000, 3
          csrw satp, zero
        """);
  }

  @ParameterizedTest
  @EnumSource(Accelerator.class)
  void aTrapHandlerThatCannotBeFetchedTrapsAgainAndAgain(Accelerator accelerator) throws Exception {
    passes(
        accelerator,
        """
          # PMP lets S mode do everything.
          li a0, -1
          csrw pmpaddr0, a0
          li a0, 0x1f
          csrw pmpcfg0, a0
          # Delegated faults of S mode go to a handler in a hole, whose fetch faults are not delegated.
          li a0, 1 << 5
          csrw medeleg, a0
          li a0, HOLE
          csrw stvec, a0
          li a0, 0x1800
          csrc mstatus, a0
          li a0, 0x800
          csrs mstatus, a0
          la a0, supervisor
          csrw mepc, a0
          la s11, 1f
          mret
        supervisor:
          li a0, HOLE
          lw a1, 16(a0)
          j fail
        1:
          gives 1, HOLE, 1
          csrr a0, scause
          li s10, 2
          addi a0, a0, -5
          bnez a0, fail
          csrr a0, stval
          li s10, 3
          li a1, HOLE + 16
          bne a0, a1, fail
          csrw medeleg, zero
        """);
  }

  /** The hart does nothing but trap; the machine can still be told to stop. */
  @ParameterizedTest
  @EnumSource(Accelerator.class)
  void anEndlessRecursionOfTrapsLeavesTheMachineInControl(Accelerator accelerator) throws Exception {
    HostileRun run = new HostileRun();
    run.endlessly(folder, accelerator, "li t0, 0x40000000\ncsrw mtvec, t0\nj start\nstart: ebreak\n", 0x4000_0000L);
    run = new HostileRun();
    run.endlessly(folder, accelerator, "here: la t0, here\ncsrw mtvec, t0\nebreak\n", HostileRun.RAM + 12);
  }
}
