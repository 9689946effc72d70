package org.ascus.polyglot.firmware;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What harts do to each other through the SBI: states and interrupts. */
@Timeout(60)
class SbiHartsTest {
  @TempDir Path folder;

  private void passes(int harts, String program) throws Exception {
    SupervisorGuest.passes(SupervisorGuest.machine(folder, program).smp(harts));
  }

  @Test
  void onlyHartsThatAreThereHaveAStateAndStart() throws Exception {
    passes(
        3,
        """
        .macro missing hart
          li a0, \\hart
          sbi 0x48534d, 2
          expect a0, -3
          li a0, \\hart
          la a1, passed
          sbi 0x48534d, 0
          expect a0, -3
        .endm
        li s0, 0                        # one runs, two are stopped
        .macro add_state hart
          li a0, \\hart
          sbi 0x48534d, 2
          expect a0, 0
          add s0, s0, a1
        .endm
        add_state 0
        add_state 1
        add_state 2
        expect s0, 2
        missing 3
        missing 4
        missing 63
        missing 64
        missing 0x100000000
        missing -1
        """);
  }

  @Test
  void hartsStartStopAndStartAgain() throws Exception {
    passes(
        2,
        """
        mv s0, a0                       # whichever hart won
        li s1, 1
        sub s1, s1, s0
        mv a0, s0
        sbi 0x48534d, 2
        expect a1, 0
        mv a0, s1
        sbi 0x48534d, 2
        expect a1, 1
        li s2, 0
        again:
        mv a0, s1
        la a1, second
        li a2, 0x1234
        sbi 0x48534d, 0
        expect a0, 0
        await SEEN, 1
        mv a0, s1
        sbi 0x48534d, 2
        expect a1, 0
        mv a0, s1                       # both run
        la a1, second
        sbi 0x48534d, 0
        expect a0, -6
        mv a0, s0
        la a1, second
        sbi 0x48534d, 0
        expect a0, -6
        tell SEEN, 0
        1: mv a0, s1
        sbi 0x48534d, 2
        expect a0, 0
        beqz a1, 1b
        expect a1, 1
        addi s2, s2, 1
        li t0, 3
        bne s2, t0, again
        j passed

        second:
        li s11, 100
        expect a1, 0x1234
        csrr t0, satp
        expect t0, 0
        csrr t0, sstatus
        andi t0, t0, 2
        expect t0, 0
        csrr t0, sip
        andi t0, t0, 0x22
        expect t0, 0
        tell SEEN, 1
        await SEEN, 0
        li t0, 8 << 60 | 0x80400        # what the next start is not to find
        li t1, 0x200000cf
        li t2, TABLE
        sd t1, 16(t2)
        csrw satp, t0
        csrsi sip, 2
        csrsi sstatus, 2
        li a0, 0
        sbi 0x54494d45, 0               # a timer interrupt that is due
        sbi 0x48534d, 1
        j failed
        """);
  }

  @Test
  void aHartStartsOnlyWhereTheSupervisorMayRun() throws Exception {
    passes(
        2,
        """
        .macro refused address
          li a0, 0
          sbi 0x48534d, 2
          mv s1, a1                     # 1 when hart 0 is the stopped one
          li a0, 1
          sub a0, a0, s1
          li a1, \\address
          sbi 0x48534d, 0
          expect a0, -5
        .endm
        refused 0x80200001
        refused FIRMWARE + 0x40000
        refused FIRMWARE + 0x7fffe
        refused NOTHING
        refused 0x81000000
        refused -2
        li a0, 1
        sub a0, a0, s1
        sbi 0x48534d, 2
        expect a1, 1
        """);
  }

  private static final String RACE =
      """
      # Two harts start the third, which stops again, ROUNDS times; each time one of them succeeds.
      .equ ROUNDS, %d
      .equ WINS, DATA + 64
      .equ STARTS, DATA + 72
      .equ ARRIVED, DATA + 80
      addi s0, a0, 1
      addi s7, a0, 2
      li t0, 3
      remu a0, s0, t0
      remu s7, s7, t0
      la a1, racer
      mv a2, s7
      sbi 0x48534d, 0
      expect a0, 0
      mv a1, s7

      racer:
      mv s7, a1                       # the third
      li s0, ROUNDS
      li s3, WINS
      li s4, STARTS
      li s5, ARRIVED
      li s6, 0                        # who has arrived before this round is over
      round:
      1: pause
      mv a0, s7
      sbi 0x48534d, 2
      li t0, 1
      bne a1, t0, 1b
      li t0, 1
      amoadd.d zero, t0, (s5)
      addi s6, s6, 2
      2: pause
      ld t0, 0(s5)
      blt t0, s6, 2b
      mv a0, s7
      la a1, third
      sbi 0x48534d, 0
      beqz a0, won
      expect a0, -6
      j lost
      won:
      li t0, 1
      amoadd.d zero, t0, (s3)
      lost:
      li t0, 1
      amoadd.d zero, t0, (s5)
      addi s6, s6, 2
      3: pause
      ld t0, 0(s5)
      blt t0, s6, 3b
      addi s0, s0, -1
      bnez s0, round
      4: pause
      mv a0, s7
      sbi 0x48534d, 2
      li t0, 1
      bne a1, t0, 4b
      fence
      ld t0, 0(s3)
      expect t0, ROUNDS
      ld t0, 0(s4)
      expect t0, ROUNDS
      j passed

      third:
      li s4, STARTS
      li t0, 1
      amoadd.d zero, t0, (s4)
      5: li s5, ARRIVED               # until both have their answers: four arrivals a round
      pause
      ld t0, 0(s5)
      andi t0, t0, 3
      bnez t0, 5b
      sbi 0x48534d, 1
      j failed
      """;

  @Test
  void oneOfTwoWhoStartTheSameHartSucceeds() throws Exception {
    passes(3, RACE.formatted(20));
    SupervisorGuest.passesConcurrently(SupervisorGuest.machine(folder, RACE.formatted(20)).smp(3));
  }

  @Test
  void interprocessorInterruptsReachTheHartsOfTheMaskAlone() throws Exception {
    passes(
        3,
        """
        .equ ASKED, 0x735049
        .macro send mask, base, answer
          li a0, \\mask
          li a1, \\base
          sbi ASKED, 0
          expect a0, \\answer
        .endm
        mv s0, a0
        li a0, 0
        1: mv s1, a0
        la a1, others
        sbi 0x48534d, 0
        addi a0, s1, 1
        li t0, 3
        bne a0, t0, 1b
        li a0, 0
        2: mv s1, a0
        sbi 0x48534d, 2
        bnez a1, 3f
        addi a0, s1, 1
        li t0, 3
        bne a0, t0, 2b
        j 4f
        3: mv a0, s1
        j 2b
        4:
        send 0, 0, 0
        send 0, 1000, 0                 # an empty mask names no hart
        send 8, 0, -3
        send 1, 3, -3
        send 3, 2, -3
        send 1, 63, -3
        send 2, 63, -3
        send 1, 64, -3
        send 1, -2, -3
        send 1, 1, 0
        send 0, -1, 0                   # all, whatever the mask
        csrr t0, sip
        andi t0, t0, 2
        expect t0, 2
        li s2, 0
        5: beq s2, s0, 7f
        slli t0, s2, 3
        li t1, DATA + 64
        add t0, t0, t1
        6: pause
        ld t1, 0(t0)
        beqz t1, 6b
        7: addi s2, s2, 1
        li t0, 3
        bne s2, t0, 5b
        j passed

        others:
        li s11, 100
        slli s1, a0, 3
        li t0, DATA + 64
        add s1, s1, t0
        catch
        csrwi sie, 2
        csrsi sstatus, 2
        1: wfi
        li t0, -1
        beq s10, t0, 1b
        li t0, 0x8000000000000001
        sub s10, s10, t0
        expect s10, 0
        li t0, 1
        sd t0, 0(s1)
        2: wfi
        j 2b
        """);
  }

  @ParameterizedTest
  @ValueSource(strings = {"rv64", "rv64,sstc=off"})
  void aSuspendedHartWakesByTheTimer(String cpu) throws Exception {
    String program =
        """
        .macro suspend type, address
          rdtime a0
          addi a0, a0, 100
          sbi 0x54494d45, 0
          li a0, \\type
          la a1, \\address
          li a2, 0x77
          sbi 0x48534d, 3
        .endm
        mv s0, a0
        li t0, 0x20
        csrw sie, t0
        li s1, 11
        suspend 0, passed
        expect a0, 0
        expect s1, 11
        csrr t0, sip
        andi t0, t0, 0x20
        expect t0, 0x20
        suspend -0x80000000, resumed    # as the calling convention passes 32 bits
        j failed
        .align 2
        resumed:
        sub a0, a0, s0
        expect a0, 0
        expect a1, 0x77
        csrr t0, sip
        andi t0, t0, 0x20
        expect t0, 0x20
        csrr t0, satp
        expect t0, 0
        .macro refused type, address, answer
          li a0, \\type
          li a1, \\address
          sbi 0x48534d, 3
          expect a0, \\answer
        .endm
        refused 1, 0, -3
        refused 0x10000000, 0, -3
        refused 0x90000000, 0x80200000, -3
        refused -0x7fffffff, 0x80200000, -3
        refused -0x80000000, FIRMWARE + 0x40000, -5
        refused -0x80000000, 0x80200001, -5
        """;
    SupervisorGuest.passes(SupervisorGuest.machine(folder, program).cpu(cpu));
  }

  @Test
  void aSuspendedHartDoesFencesAndWakesByAnInterprocessorInterrupt() throws Exception {
    passes(
        2,
        """
        mv s0, a0
        li s1, 1
        sub s1, s1, s0
        mv a0, s1
        la a1, second
        sbi 0x48534d, 0
        expect a0, 0
        1: mv a0, s1
        sbi 0x48534d, 2
        li t0, 4
        bne a1, t0, 1b
        li a0, 0
        li a1, -1
        sbi 0x52464e43, 0
        expect a0, 0
        mv a0, s1
        sbi 0x48534d, 2
        expect a1, 4
        li a0, 1
        mv a1, s1
        sbi 0x735049, 0
        expect a0, 0
        await SEEN, 1
        mv a0, s1
        sbi 0x48534d, 2
        expect a1, 0
        j passed

        second:
        li s11, 100
        csrwi sie, 2
        li a0, 0
        sbi 0x48534d, 3
        expect a0, 0
        csrr t0, sip
        andi t0, t0, 2
        expect t0, 2
        tell SEEN, 1
        1: j 1b
        """);
  }

  @Test
  void afterAResetAllBeginsAnew() throws Exception {
    passes(
        2,
        """
        mv s0, a0
        li s1, 1
        sub s1, s1, s0
        mv a0, s1
        sbi 0x48534d, 2
        expect a0, 0
        expect a1, 1
        mv a0, s1
        la a1, second
        sbi 0x48534d, 0
        expect a0, 0
        li t0, SEEN
        1: pause
        ld t1, 0(t0)
        beqz t1, 1b
        sd zero, 0(t0)
        li t2, 2
        beq t1, t2, passed
        li a0, 1
        li a1, 0
        sbi 0x53525354, 0
        2: j 2b

        second:                         # RAM that nothing is loaded to keeps what it has
        li t0, SEEN
        ld t1, 8(t0)
        addi t1, t1, 1
        sd t1, 8(t0)
        fence
        sd t1, 0(t0)
        3: j 3b
        """);
  }
}
