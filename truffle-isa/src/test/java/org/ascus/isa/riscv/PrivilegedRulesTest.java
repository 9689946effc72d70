package org.ascus.isa.riscv;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Rules of the privileged specification that the differential test cannot check, since QEMU 7.2 does not keep them or
 * does not know them.
 */
class PrivilegedRulesTest {
  enum Tier {
    INTERPRETED(Acceleration.interpreter()),
    EAGER(TestMachine.EAGER);

    private final Acceleration acceleration;

    Tier(Acceleration acceleration) {
      this.acceleration = acceleration;
    }
  }

  /**
   * PMP that allows all, and an Sv39 address space: 0 to 2 MiB by the table at 0x80102000, and RAM by itself. The
   * handler keeps mcause, mepc, mtval and mstatus in s0 to s3.
   */
  private static final String PRELUDE =
      """
        la t0, handler
        csrw mtvec, t0
        li t0, -1
        csrw pmpaddr15, t0
        li t0, 0x1f00000000000000
        csrw pmpcfg2, t0
        li t0, 0x80100000
        li t1, 0x80101000 >> 2 | 1
        sd t1, 0(t0)
        li t1, 0x80000000 >> 2 | 0xcf
        sd t1, 16(t0)
        li t0, 0x80101000
        li t1, 0x80102000 >> 2 | 1
        sd t1, 0(t0)
        li t0, 8 << 60 | 0x80100
        csrw satp, t0
        sfence.vma
        li s11, 0x80102000
        j start
      .align 2
      handler:
        csrr s0, mcause
        csrr s1, mepc
        csrr s2, mtval
        csrr s3, mstatus
      stop: wfi
        j stop
      .macro map page, flags
        li t0, 0x80103000 >> 2 | \\flags
        sd t0, 8 * \\page(s11)
        sfence.vma
      .endm
      .macro supervisor
        li t0, 0x1800
        csrc mstatus, t0
        li t0, 0x800
        csrs mstatus, t0
        la t0, 1f
        csrw mepc, t0
        mret
      1:
      .endm
      start:
      """;

  private static TestMachine run(Tier tier, String cpu, String body) {
    return new TestMachine(RiscvConfig.parse(cpu), tier.acceleration, 1, true, PRELUDE + body).run(5000);
  }

  private static void trapped(TestMachine m, int cause, long value) {
    assertThat(m.x("s1")).isEqualTo(m.program.symbol("fault"));
    assertThat(m.x("s0")).isEqualTo(cause);
    assertThat(m.x("s2")).isEqualTo(value);
  }

  @ParameterizedTest
  @EnumSource
  void withoutSvaduThePageFaultIsTheSoftwaresToSetAccessedAndDirty(Tier tier) {
    String clean = "map 1, 0x47\nsupervisor\nli a0, 0x1000\nld a1, 0(a0)\nfault: sd a1, 0(a0)\n";
    String old = "map 1, 0x87\nsupervisor\nli a0, 0x1000\nfault: ld a1, 0(a0)\n";
    try (TestMachine m = run(tier, "rv64,svadu=off", clean)) {
      trapped(m, Cause.STORE_PAGE, 0x1000);
    }
    try (TestMachine m = run(tier, "rv64,svadu=off", old)) {
      trapped(m, Cause.LOAD_PAGE, 0x1000);
    }
    String off = "li t0, 1 << 61\ncsrc menvcfg, t0\n";
    try (TestMachine m = run(tier, "rv64", off + clean)) {
      trapped(m, Cause.STORE_PAGE, 0x1000);
    }
    try (TestMachine m = run(tier, "rv64", clean + "fault2: unimp\n")) {
      assertThat(m.x("s1")).isEqualTo(m.program.symbol("fault2"));
      assertThat(m.ram.get(0x10_2008, 8) & 0xff).isEqualTo(0xc7);
    }
  }

  @ParameterizedTest
  @EnumSource
  void hardwareSetsAccessedOnlyWherePmpLetsItWrite(Tier tier) {
    try (TestMachine m = run(tier, "rv64", """
        map 1, 0x07
        li t0, 0x80102000 >> 2 | 0x1ff
        csrw pmpaddr0, t0
        li t0, 0x19
        csrw pmpcfg0, t0
        sfence.vma
        supervisor
        li a0, 0x1000
        fault: ld a1, 0(a0)
        """)) {
      trapped(m, Cause.LOAD_ACCESS, 0x1000);
      assertThat(m.ram.get(0x10_2008, 8) & 0xff).isEqualTo(7);
    }
  }

  @ParameterizedTest
  @EnumSource
  void supervisorNeverExecutesUserPagesWhateverItReadFromThem(Tier tier) {
    try (TestMachine m = run(tier, "rv64", """
        map 1, 0xdf
        li t0, 0x8067
        sd t0, 0(s11)
        li t0, 1 << 18
        csrs mstatus, t0
        supervisor
        li a0, 0x1000
        ld a1, 0(a0)
        sd a1, 0(a0)
        jalr ra, 0(a0)
        """)) {
      assertThat(m.x("s0")).isEqualTo(Cause.FETCH_PAGE);
      assertThat(m.x("s1")).isEqualTo(0x1000);
    }
  }

  @ParameterizedTest
  @EnumSource
  void reservedBitsOfAnEntryArePageFaultsWithSvnapotToo(Tier tier) {
    for (int bit = 54; bit <= 60; bit++) {
      try (TestMachine m = run(tier, "rv64", """
          map 1, 0xcf
          ld t0, 8(s11)
          bseti t0, t0, %d
          sd t0, 8(s11)
          sfence.vma
          supervisor
          li a0, 0x1000
          fault: ld a1, 0(a0)
          """.formatted(bit))) {
        trapped(m, Cause.LOAD_PAGE, 0x1000);
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void anAtomicFaultsAsAStoreThoughItCouldNotEvenLoad(Tier tier) {
    try (TestMachine m = run(tier, "rv64", "supervisor\nli a0, 0x1000\nfault: amoadd.w a1, a1, (a0)\n")) {
      trapped(m, Cause.STORE_PAGE, 0x1000);
    }
  }

  @ParameterizedTest
  @EnumSource
  void externalComesBeforeSoftwareBeforeTimerInterrupt(Tier tier) {
    String take = "csrw mie, t0\ncsrw mip, t0\nli t1, 8\ncsrs mstatus, t1\nfault: nop\n";
    try (TestMachine m = run(tier, "rv64", "li t0, 0x222\n" + take)) {
      assertThat(m.x("s0")).isEqualTo(1L << 63 | Cause.SEI);
    }
    try (TestMachine m = run(tier, "rv64", "li t0, 0x22\n" + take)) {
      assertThat(m.x("s0")).isEqualTo(1L << 63 | Cause.SSI);
    }
  }

  @ParameterizedTest
  @EnumSource
  void returningToALowerModeClearsMprv(Tier tier) {
    try (TestMachine m = run(tier, "rv64", "li t0, 1 << 17\ncsrs mstatus, t0\nsupervisor\nfault: ecall\n")) {
      trapped(m, Cause.ECALL_U + Status.S, 0);
      assertThat(m.x("s3") & Status.MPRV).isZero();
    }
  }

  @ParameterizedTest
  @EnumSource
  void aTorEntryBeginsWhereTheAddressBeforeItSaysNow(Tier tier) {
    try (TestMachine m = run(tier, "rv64", """
        map 1, 0xc7
        li t0, 0x80104000 >> 2
        csrw pmpaddr0, t0
        csrw pmpaddr1, t0
        li t0, 0x0900
        csrw pmpcfg0, t0
        li t0, 0x80103800 >> 2
        csrw pmpaddr0, t0
        sfence.vma
        supervisor
        li a0, 0x1000
        sd a0, 0x7f8(a0)
        addi a0, a0, 0x400
        fault: sd a0, 0x400(a0)
        """)) {
      trapped(m, Cause.STORE_ACCESS, 0x1800);
    }
  }

  @ParameterizedTest
  @EnumSource
  void exceptionPcsAreEven(Tier tier) {
    try (TestMachine m = run(tier, "rv64", "li t0, -1\ncsrw sepc, t0\ncsrr a0, sepc\ncsrw mepc, t0\ncsrr a1, mepc\n")) {
      assertThat(m.x("a0")).isEqualTo(-2);
      assertThat(m.x("a1")).isEqualTo(-2);
    }
  }
}
