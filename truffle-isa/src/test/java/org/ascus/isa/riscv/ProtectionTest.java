package org.ascus.isa.riscv;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Physical memory protection and accesses that lie in two pages (privileged specification, "mtval" and "PMP"). */
class ProtectionTest {
  enum Tier {
    INTERPRETED(Acceleration.interpreter()),
    EAGER(TestMachine.EAGER);

    private final Acceleration acceleration;

    Tier(Acceleration acceleration) {
      this.acceleration = acceleration;
    }
  }

  private static final String TRAP_TO_WFI =
      """
      la t0, handler
      csrw mtvec, t0
      j start
      .align 2
      handler:
      csrr s0, mcause
      csrr s1, mepc
      csrr s2, mtval
      stop: wfi
      j stop
      start:
      """;

  @ParameterizedTest
  @EnumSource
  void anEntryThatCoversAPartOfAnAccessFailsItInMachineModeToo(Tier tier) {
    try (TestMachine m = new TestMachine(tier.acceleration, TRAP_TO_WFI + """
        # NA4 with all permissions, not locked.
        li t0, 0x80100000 >> 2
        csrw pmpaddr0, t0
        li t0, 0x17
        csrw pmpcfg0, t0
        li t1, 0x80100000
        lw a0, 0(t1)
        lw a0, 4(t1)
        sd a0, 8(t1)
        fault: ld a0, 0(t1)
        """)) {
      m.run(1000);
      assertThat(m.x("s1")).isEqualTo(m.program.symbol("fault"));
      assertThat(m.x("s0")).isEqualTo(Cause.LOAD_ACCESS);
      assertThat(m.x("s2")).isEqualTo(0x8010_0000L);
    }
  }

  @ParameterizedTest
  @EnumSource
  void aStoreIntoASecondPageThatFaultsNamesTheStartOfThatPageAndWritesNothing(Tier tier) {
    try (TestMachine m = new TestMachine(tier.acceleration, TRAP_TO_WFI + """
        li t0, -1
        csrw pmpaddr0, t0
        li t0, 0x1f
        csrw pmpcfg0, t0
        # Sv39: 0x1000 is mapped, 0x2000 is not.
        li t0, 0x80100000
        li t1, 0x80101000 >> 2 | 1
        sd t1, 0(t0)
        li t0, 0x80101000
        li t1, 0x80102000 >> 2 | 1
        sd t1, 0(t0)
        li t0, 0x80102000
        li t1, 0x80103000 >> 2 | 0xc7
        sd t1, 8(t0)
        li t0, 8 << 60 | 0x80100
        csrw satp, t0
        sfence.vma
        li t0, 0x20800
        csrs mstatus, t0
        li a0, -1
        li t1, 0x1ffa
        sw a0, -4(t1)
        fault: sd a0, 0(t1)
        """)) {
      m.run(1000);
      assertThat(m.x("s1")).isEqualTo(m.program.symbol("fault"));
      assertThat(m.x("s0")).isEqualTo(Cause.STORE_PAGE);
      assertThat(m.x("s2")).isEqualTo(0x2000);
      assertThat(m.ram.get(0x10_3ff8, 8)).isEqualTo(0xffffL);
    }
  }

  @ParameterizedTest
  @EnumSource
  void registersOfEntriesThatAreNotImplementedDoNotExist(Tier tier) {
    try (TestMachine m = new TestMachine(tier.acceleration, TRAP_TO_WFI + """
        csrr a0, pmpcfg2
        csrr a0, pmpaddr15
        fault: csrr a0, pmpaddr16
        """)) {
      m.run(1000);
      assertThat(m.x("s0")).isEqualTo(Cause.ILLEGAL);
      assertThat(m.x("s1")).isEqualTo(m.program.symbol("fault"));
    }
    try (TestMachine m = new TestMachine(tier.acceleration, TRAP_TO_WFI + "csrr a0, pmpcfg4")) {
      m.run(1000);
      assertThat(m.x("s0")).isEqualTo(Cause.ILLEGAL);
    }
  }
}
