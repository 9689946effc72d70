package org.ascus.isa.riscv;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** A program that runs for long and then does what it has never done before. */
class PromotionTest {
  private static final long TURN = 10_000_000;

  /** From a0 = TURN on the loop takes another way, which stores to a page that was never touched. */
  private static final String PROGRAM =
      """
      li a2, %d
      li s0, 0x80100000
      li s1, 0x80300000
      loop:
        addi a0, a0, 1
        mul a3, a0, a0
        ld a4, 0(s0)
        xor a1, a1, a3
        add a1, a1, a4
        sd a1, 0(s0)
        bge a0, a2, rare
        j loop
      rare:
        sd a3, 0(s1)
        lwu a5, 4(s1)
        add a1, a1, a5
        call leaf
        j loop
      leaf:
        addi a6, a6, 3
        ret
      """
          .formatted(TURN);

  @Test
  void theBestCodeIsExactWhenTheGuestChangesItsWays() {
    Acceleration compiled = new Acceleration(Acceleration.Tier.BYTECODE, 1000, true);
    try (TestMachine expected = new TestMachine(Acceleration.interpreter(), PROGRAM);
        TestMachine actual = new TestMachine(compiled, PROGRAM)) {
      for (int i = 0; i < 4; i++) {
        expected.run(30_000_000);
        actual.run(30_000_000);
        assertThat(actual.hart().describe()).isEqualTo(expected.hart().describe());
        assertThat(actual.stateHash()).isEqualTo(expected.stateHash());
      }
      assertThat(actual.x("a6")).as("the rare way was taken").isPositive();
      Matcher promoted = Pattern.compile("bytecode best +(\\d+)").matcher(actual.hart().describeTranslation());
      assertThat(promoted.find()).isTrue();
      assertThat(Integer.parseInt(promoted.group(1))).isPositive();
    }
  }

  /** A load in the middle of a long block traps each 1024th time. */
  private static final String TRAPPING =
      """
      la t0, handler
      csrw mtvec, t0
      li s0, 0x80100000
      li s1, 0x1000
      loop:
        addi a0, a0, 1
        andi a1, a0, 1023
        sltiu a2, a1, 1
        addi a2, a2, -1
        and a3, s0, a2
        not a2, a2
        and a4, s1, a2
        or a3, a3, a4
        ld a5, 0(a3)
        addi a6, a6, 1
        sd a6, 0(a3)
        csrr a7, minstret
        j loop
      .align 2
      handler:
        csrr t1, mepc
        addi t1, t1, 4
        csrw mepc, t1
        mret
      """;

  @Test
  void aTrapInTheMiddleOfABlockOfTheBestCodeCountsNothingBehindIt() {
    Acceleration compiled = new Acceleration(Acceleration.Tier.BYTECODE, 100, 1, false);
    try (TestMachine expected = new TestMachine(Acceleration.interpreter(), TRAPPING);
        TestMachine actual = new TestMachine(compiled, TRAPPING)) {
      for (int i = 0; i < 20; i++) {
        expected.run(200_000);
        actual.run(200_000);
        assertThat(actual.hart().describe()).as("step %d", i).isEqualTo(expected.hart().describe());
      }
      assertThat(actual.hart().describeTranslation()).containsPattern("bytecode best +[1-9]");
    }
  }
}
