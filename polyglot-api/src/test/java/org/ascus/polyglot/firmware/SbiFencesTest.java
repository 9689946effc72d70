package org.ascus.polyglot.firmware;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Remote fences of the SBI: whom they reach, what they cover, and that whoever asked comes back. */
@Timeout(60)
class SbiFencesTest {
  @TempDir Path folder;

  private void passes(int harts, String program) throws Exception {
    SupervisorGuest.passes(SupervisorGuest.machine(folder, program).smp(harts));
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
    SupervisorGuest.passesConcurrently(SupervisorGuest.machine(folder, CROSSFIRE.formatted(50, 4)).smp(4));
  }
}
