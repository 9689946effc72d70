package org.ascus.polyglot.firmware;

import java.nio.file.Path;
import org.ascus.polyglot.Vm;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What harts do to each other through the SBI: states, interrupts and fences. */
@Timeout(60)
class SbiHartsTest {
  /** Macros for the extension HSM, and the words of memory that the harts share. */
  private static final String MACROS =
      """
      .equ SEEN, DATA                 # by another hart than the first
      .equ TURN, DATA + 8
      .equ TABLE, 0x80400000
      .macro start hart, address, answer
        li a0, \\hart
        la a1, \\address
        li a2, 0x1234
        sbi 0x48534d, 0
        expect a0, \\answer
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
      """;

  @TempDir Path folder;

  private void passes(int harts, String program) throws Exception {
    SupervisorGuest.passes(SupervisorGuest.machine(folder, MACROS + program).smp(harts));
  }

  /** Runs on threads of the host, in real time. */
  private void passesConcurrently(int harts, String program) throws Exception {
    try (Vm vm = SupervisorGuest.machine(folder, MACROS + program).smp(harts).build()) {
      vm.start();
      vm.awaitExit();
      SupervisorGuest.assertPassed(vm);
    }
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
          start \\hart, passed, -3
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
    passesConcurrently(3, RACE.formatted(50));
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
    SupervisorGuest.passes(SupervisorGuest.machine(folder, MACROS + program).cpu(cpu));
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

  private static final String TRANSLATION =
      """
      # The other hart reads DATA through virtual page 0x40055000; each time the page table has changed, it is fenced
      # and must then see the other page. Page tables at TABLE; RAM at its own address.
      .equ WINDOW, 0x40055000
      .equ SATP, 8 << 60 | 7 << 44 | 0x80400
      .macro fence_window
        %s
      .endm
      mv s0, a0
      li s1, 1
      sub s1, s1, s0
      li s2, TABLE
      li t0, 0x200000cf
      sd t0, 16(s2)
      li t0, 0x20100401               # TABLE + 0x1000
      sd t0, 8(s2)
      li t0, 0x20100801               # TABLE + 0x2000
      li t1, 0x1000
      add t1, t1, s2
      sd t0, 0(t1)
      li s3, 0x22a8
      add s3, s3, s2                  # the entry of the last level
      li s4, 0x80320000               # two pages of data
      li t0, 1
      sd t0, 0(s4)
      li t1, 0x1000
      add t1, t1, s4
      li t0, 2
      sd t0, 0(t1)
      li s5, 0x200c80cf               # 0x80320000, V R W X A D
      sd s5, 0(s3)
      fence
      mv a0, s1
      la a1, second
      sbi 0x48534d, 0
      expect a0, 0
      li s6, 0
      again:
      addi s6, s6, 1
      li t0, DATA
      1: pause
      ld t1, 0(t0)                    # the other has read it once more
      bne t1, s6, 1b
      fence
      li t0, DATA + 16
      ld t0, 0(t0)
      andi t1, s6, 1
      li t2, 2
      sub t2, t2, t1
      sub t0, t0, t2
      expect t0, 0
      xori s5, s5, 0x400
      sd s5, 0(s3)
      fence_window
      expect a0, 0
      fence
      li t0, DATA + 8
      sd s6, 0(t0)
      li t0, 6
      bne s6, t0, again
      j passed

      second:
      li s11, 100
      li t0, SATP
      csrw satp, t0
      sfence.vma
      li s0, WINDOW
      li s1, 0
      li s2, DATA
      1: ld t0, 0(s0)
      sd t0, 16(s2)
      fence
      addi s1, s1, 1
      sd s1, 0(s2)
      2: pause
      ld t0, 8(s2)
      bne t0, s1, 2b
      fence
      j 1b
      """;

  private static String fence(int function, String start, String size, String asid) {
    return "li a0, 1; mv a1, s1; li a2, %s; li a3, %s; li a4, %s; sbi 0x52464e43, %d"
        .formatted(start, size, asid, function);
  }

  @Test
  void remoteFencesReachTheTranslationsOfTheirRange() throws Exception {
    for (int function : new int[] {1, 2}) {
      for (String range :
          new String[] {
            "0 0", "0x40055000 0x1000", "0x40055ff8 8", "0x40054000 0x1001", "0x40054ff8 16", "0x40035000 0x21000",
            "0x40035000 0x40000", "0x40000000 0x200000", "0 -1", "0x1000 -1", "0x40055000 -0x40055000"
          }) {
        String[] parts = range.split(" ");
        passes(2, TRANSLATION.formatted(fence(function, parts[0], parts[1], function == 2 ? "7" : "0x5555555")));
      }
    }
  }

  @Test
  void legacyRemoteFencesReachTheTranslationsOfTheirRange() throws Exception {
    String mask = "li t0, 1; sll t0, t0, s1; li a0, DATA + 64; sd t0, 0(a0); ";
    passes(2, TRANSLATION.formatted(mask + "li a1, 0x40055000; li a2, 0x1000; sbi 6, 0"));
    passes(2, TRANSLATION.formatted(mask + "li a1, 0x40055000; li a2, 0x1000; li a3, 7; sbi 7, 0"));
    passes(2, TRANSLATION.formatted("li a0, 0; li a1, 0x40055000; li a2, 0x1000; sbi 6, 0"));
  }

  @Test
  void remoteFencesOfInstructionsShowNewCode() throws Exception {
    passes(
        2,
        """
        mv s0, a0
        li s1, 1
        sub s1, s1, s0
        mv a0, s1
        la a1, second
        sbi 0x48534d, 0
        await SEEN, 1
        la t0, patch
        li t1, 0x00200293               # li t0, 2
        sw t1, 0(t0)
        li a0, 1
        mv a1, s1
        sbi 0x52464e43, 0
        expect a0, 0
        tell TURN, 1
        await SEEN, 2
        j passed

        second:
        li s0, SEEN
        li s1, TURN
        1: jal ra, patch
        sd t0, 0(s0)
        2: pause
        ld t1, 0(s1)
        beqz t1, 2b
        jal ra, patch
        sd t0, 0(s0)
        3: j 3b
        .align 2
        patch: li t0, 1
        ret
        """);
  }

  @Test
  void remoteFencesThatCannotBeAreRefused() throws Exception {
    passes(
        2,
        """
        .macro fence_of function, mask, base, asid, answer
          li a0, \\mask
          li a1, \\base
          li a2, 0x1000
          li a3, 0x1000
          li a4, \\asid
          sbi 0x52464e43, \\function
          expect a0, \\answer
        .endm
        fence_of 0, 1, 0, 0, 0
        fence_of 0, 3, 0, 0, 0          # one of them is stopped
        fence_of 1, 4, 0, 0, -3
        fence_of 1, 1, 2, 0, -3
        fence_of 1, 1, 64, 0, -3
        fence_of 1, 0, 64, 0, 0
        fence_of 2, 1, 0, 0xffff, 0
        fence_of 2, 1, 0, 0x10000, -3
        fence_of 2, 0, -1, 0, 0
        """);
  }

  private static final String CROSSFIRE =
      """
      # Every hart fences and interrupts all others as fast as it can.
      .equ ROUNDS, %d
      .equ FINISHED, DATA + 64
      .equ HARTS, %d
      li a0, 0
      1: mv s2, a0
      la a1, go
      sbi 0x48534d, 0
      addi a0, s2, 1
      li t0, HARTS
      bne a0, t0, 1b
      go:
      li s0, ROUNDS
      2: li a0, 0
      li a1, -1
      li a2, 0x10000
      li a3, 0x3000
      li a4, 1
      li t0, 3
      remu a6, s0, t0
      li a7, 0x52464e43
      ecall
      expect a0, 0
      li a0, 0
      li a1, -1
      sbi 0x735049, 0
      expect a0, 0
      addi s0, s0, -1
      bnez s0, 2b
      li t0, 1
      li t1, FINISHED
      amoadd.d zero, t0, (t1)
      li t2, HARTS
      3: pause
      ld t0, 0(t1)
      bne t0, t2, 3b
      """;

  @Test
  void hartsThatFenceEachOtherAllComeBack() throws Exception {
    passes(2, CROSSFIRE.formatted(100, 2));
    passesConcurrently(4, CROSSFIRE.formatted(100, 4));
  }
}
