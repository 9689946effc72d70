package org.ascus.tests.robustness;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.ascus.polyglot.Accelerator;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A guest that drives each virtio device of the board properly, but for what it puts into the queues. */
@Timeout(120)
class JunkQueueTest {
  /**
   * For each slot with a device: reset, all features, a queue of 8 entries for each of its first four, filled with junk
   * whose addresses are half of the time in the upper half of RAM, and a notification. The registers answer to the end.
   */
  private static final String GUEST =
      """
      .equ QUEUES, 0x80200000
      .macro random register
        slli t0, s0, 13
        xor s0, s0, t0
        srli t0, s0, 7
        xor s0, s0, t0
        slli t0, s0, 17
        xor s0, s0, t0
        mv \\register, s0
      .endm
      start:
        la t0, fail
        csrw mtvec, t0
        csrw mie, zero
        li s0, %d
        li s1, %d
      round:
        li s2, 0x10001000
      slot:
        lw t1, 8(s2)
        beqz t1, next_slot
        # Page size, reset, acknowledge and driver, features, driver ok.
        li t1, 4096
        sw t1, 0x28(s2)
        sw zero, 0x70(s2)
        li t1, 3
        sw t1, 0x70(s2)
        sw zero, 0x14(s2)
        lw t1, 0x10(s2)
        sw zero, 0x24(s2)
        sw t1, 0x20(s2)
        li s3, 0
      queue:
        sw s3, 0x30(s2)
        lw t1, 0x34(s2)
        beqz t1, queues_made
        li t1, 8
        sw t1, 0x38(s2)
        li t1, 4096
        sw t1, 0x3c(s2)
        slli s4, s3, 13
        li t1, QUEUES
        add s4, s4, t1
        srli t1, s4, 12
        sw t1, 0x40(s2)
        li s5, 8
        mv s6, s4
      descriptor:
        random t1
        andi t2, t1, 1
        beqz t2, 1f
        srli t1, t1, 8
        li t2, 0x7fffff
        and t1, t1, t2
        li t2, 0x80800000
        or t1, t1, t2
      1:
        sd t1, 0(s6)
        random t1
        srli t2, t1, 32
        andi t3, t1, 3
        beqz t3, 2f
        andi t2, t2, 0x1ff
      2:
        sw t2, 8(s6)
        srli t2, t1, 16
        andi t2, t2, 7
        sh t2, 12(s6)
        srli t2, t1, 24
        andi t2, t2, 7
        sh t2, 14(s6)
        addi s6, s6, 16
        addi s5, s5, -1
        bnez s5, descriptor
        # The available ring: junk heads, mostly of the table.
        li s5, 8
        addi s6, s4, 132
      head:
        random t1
        andi t2, t1, 7
        srli t3, t1, 8
        andi t3, t3, 63
        bnez t3, 3f
        srli t2, t1, 20
      3:
        sh t2, 0(s6)
        addi s6, s6, 2
        addi s5, s5, -1
        bnez s5, head
        random t1
        andi t1, t1, 7
        sh t1, 130(s4)
        addi s3, s3, 1
        li t1, 4
        bltu s3, t1, queue
      queues_made:
        li t1, 7
        sw t1, 0x70(s2)
      notify:
        addi s3, s3, -1
        sw s3, 0x50(s2)
        bnez s3, notify
        lw t1, 0x60(s2)
        sw t1, 0x64(s2)
        lw t1, 0(s2)
        li t2, 0x74726976
        bne t1, t2, fail
      next_slot:
        li t1, 0x1000
        add s2, s2, t1
        li t1, 0x10009000
        bne s2, t1, slot
        addi s1, s1, -1
        bnez s1, round
        li t1, 0x5555
        j end
      .balign 4
      fail:
        li t1, 0x13333
      end:
        li t0, 0x100000
        sw t1, 0(t0)
        j end
      """;

  @TempDir private Path folder;

  @ParameterizedTest
  @CsvSource({"INTERPRETER,1000,1", "INTERPRETER,1000,2", "TRUFFLE,1000,3"})
  void junkInEveryQueueStaysInTheGuest(Accelerator accelerator, int rounds, long seed) throws Exception {
    long state = 0x9e37_79b9_7f4a_7c15L * seed | 1;
    HostileRun run = new HostileRun();
    run.passes(folder, accelerator, GUEST.formatted(state, rounds));
    assertThat(run.log()).as("devices that found junk").hasSizeGreaterThan(rounds);
  }
}
