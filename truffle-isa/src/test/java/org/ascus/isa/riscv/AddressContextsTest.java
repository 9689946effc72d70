package org.ascus.isa.riscv;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashSet;
import java.util.Set;
import org.ascus.isa.mmu.SoftTlb;
import org.junit.jupiter.api.Test;

class AddressContextsTest {
  private static final int USER = Status.U;
  private static final int SUPERVISOR = Status.S;

  private int flushes;
  private final AddressContexts contexts = new AddressContexts(() -> flushes++);

  private static long sv39(int process) {
    return 8L << 60 | (long) (process & 0xffff) << 44 | 0x80000 + process;
  }

  private long user(int process) {
    return contexts.data(contexts.space(sv39(process)), USER);
  }

  private long supervisor(int process) {
    return contexts.data(contexts.space(sv39(process)), SUPERVISOR);
  }

  @Test
  void aProcessThatComesBackHasItsContext() {
    long first = user(1);
    for (int i = 2; i <= AddressContexts.MOST_SPACES; i++) {
      user(i);
      assertThat(user(1)).isEqualTo(first);
    }
  }

  @Test
  void aProcessThatWasAwayForLongGetsNumbersThatNobodyHad() {
    Set<Long> seen = new HashSet<>();
    for (int i = 0; i < 3 * AddressContexts.MOST_SPACES; i++) {
      assertThat(seen.add(contexts.fetch(contexts.space(sv39(i)), USER))).isTrue();
    }
    assertThat(seen.add(contexts.fetch(contexts.space(sv39(0)), USER))).isTrue();
  }

  @Test
  void theKernelHasOneContextInAllProcesses() {
    long kernel = supervisor(0);
    for (int i = 1; i < 3 * AddressContexts.MOST_SPACES; i++) {
      assertThat(supervisor(i)).isEqualTo(kernel);
    }
    contexts.forgetAll();
    assertThat(supervisor(5)).isNotEqualTo(kernel);
  }

  @Test
  void anIdIsForgottenInEachSpaceThatHasIt() {
    long first = user(3);
    long other = user(4);
    long kernel = supervisor(3);
    contexts.forgetAsid(3);
    assertThat(user(3)).isNotEqualTo(first);
    assertThat(user(4)).isEqualTo(other);
    assertThat(supervisor(3)).isEqualTo(kernel);
  }

  @Test
  void theTlbsAreClearedWhenNumbersRunOut() {
    AddressContexts.Space space = contexts.space(sv39(1));
    long first = contexts.data(space, USER);
    for (int i = 0; i < SoftTlb.MAX_CONTEXT; i++) {
      contexts.forgetAsid(1);
      contexts.data(space, USER);
    }
    assertThat(flushes).isEqualTo(1);
    assertThat(contexts.data(space, USER)).isEqualTo(first);
  }
}
