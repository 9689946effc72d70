package org.ascus.isa.riscv;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.Stream;
import org.ascus.machine.bus.BusDevice;
import org.ascus.machine.bus.MmioRegion;
import org.ascus.machine.run.RunState;
import org.ascus.machine.state.StateException;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What programs see, on both accelerators. */
class HartTest {
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

  static Stream<Acceleration> accelerators() {
    return Stream.of(
        Acceleration.interpreter(), TestMachine.EAGER_HOST_CODE, TestMachine.EAGER_BYTECODE, TestMachine.EAGER);
  }

  @ParameterizedTest
  @MethodSource("accelerators")
  void loopsComputeTheSameOnEveryTier(Acceleration acceleration) {
    try (TestMachine m = new TestMachine(acceleration, """
        li a0, 0
        li a1, 5000
        1: add a0, a0, a1
        addi a1, a1, -1
        bnez a1, 1b
        stop: wfi
        j stop
        """)) {
      m.run(100_000);
      assertThat(m.x("a0")).isEqualTo(5000L * 5001 / 2);
    }
  }

  @ParameterizedTest
  @MethodSource("accelerators")
  void aFaultInALoopTrapsAtItsInstructionWithExactRegisters(Acceleration acceleration) {
    try (TestMachine m = new TestMachine(acceleration, TRAP_TO_WFI + """
        li t1, 0x80700000
        li a1, 0
        1: addi a1, a1, 1
        addi a2, a1, 7
        fault: ld a3, 0(t1)
        addi a4, a1, 9
        li t2, 0x40000
        add t1, t1, t2
        j 1b
        """)) {
      m.run(100_000);
      assertThat(m.x("s0")).isEqualTo(Cause.LOAD_ACCESS);
      assertThat(m.x("s1")).isEqualTo(m.program.symbol("fault"));
      assertThat(m.x("s2")).isEqualTo(0x80800000L);
      assertThat(m.x("a1")).isEqualTo(5);
      assertThat(m.x("a2")).isEqualTo(12);
      assertThat(m.x("a4")).isEqualTo(13);
    }
  }

  @ParameterizedTest
  @MethodSource("accelerators")
  void storesToCodeAreSeenAfterFenceI(Acceleration acceleration) {
    try (TestMachine m = new TestMachine(acceleration, """
        li a0, 0
        li s0, 100
        la t0, patch
        lw t1, 0(t0)
        li t3, 0x00100000
        1: call patched
        add t1, t1, t3
        sw t1, 0(t0)
        fence.i
        addi s0, s0, -1
        bnez s0, 1b
        stop: wfi
        j stop
        .align 6
        patched:
        patch: addi a1, zero, 1
        add a0, a0, a1
        ret
        """)) {
      m.run(100_000);
      assertThat(m.x("a0")).isEqualTo(100L * 101 / 2);
    }
  }

  @ParameterizedTest
  @MethodSource("accelerators")
  void storeToCodePageInvalidatesOnlyTouchedRegion(Acceleration acceleration) {
    try (TestMachine m = new TestMachine(acceleration, """
        la t0, data
        li s0, 2000
        1: sd s0, 0(t0)
        ld a0, 0(t0)
        addi s0, s0, -1
        bnez s0, 1b
        stop: wfi
        j stop
        .align 6
        data: .dword 0
        """)) {
      m.run(100_000);
      assertThat(m.x("a0")).isEqualTo(1);
      assertThat(m.hart().describeTranslation()).contains("code invalidations   0");
    }
  }

  @ParameterizedTest
  @MethodSource("accelerators")
  void jumpToUnmappedMemoryIsAFetchFault(Acceleration acceleration) {
    try (TestMachine m = new TestMachine(acceleration, TRAP_TO_WFI + "li t0, 0x12345678\njr t0\n")) {
      m.run(1000);
      assertThat(m.x("s0")).isEqualTo(Cause.FETCH_ACCESS);
      assertThat(m.x("s1")).isEqualTo(0x12345678L);
      assertThat(m.x("s2")).isEqualTo(0x12345678L);
    }
  }

  @ParameterizedTest
  @MethodSource("accelerators")
  void aTrapVectorThatFaultsItselfUsesUpTheBudgetAndNothingElse(Acceleration acceleration) {
    try (TestMachine m = new TestMachine(acceleration, "li t0, 0x1000\ncsrw mtvec, t0\necall\n")) {
      assertThat(m.machine.runFor(10_000)).isEqualTo(10_000);
      assertThat(m.hart().register("mcause")).isEqualTo(Cause.FETCH_ACCESS);
    }
  }

  @ParameterizedTest
  @MethodSource("accelerators")
  void illegalInstructionReportsItsBits(Acceleration acceleration) {
    try (TestMachine m = new TestMachine(acceleration, TRAP_TO_WFI + ".word 0xffffffff\n")) {
      m.run(1000);
      assertThat(m.x("s0")).isEqualTo(Cause.ILLEGAL);
      assertThat(m.x("s2")).isEqualTo(0xffffffffL);
    }
  }

  @ParameterizedTest
  @MethodSource("accelerators")
  void misalignedAccessesAcrossPagesWork(Acceleration acceleration) {
    try (TestMachine m = new TestMachine(acceleration, """
        li t0, 0x80100ffd
        li t1, 0x1122334455667788
        sd t1, 0(t0)
        ld a0, 0(t0)
        lw a1, 1(t0)
        lhu a2, 2(t0)
        stop: wfi
        j stop
        """)) {
      m.run(1000);
      assertThat(m.x("a0")).isEqualTo(0x1122334455667788L);
      assertThat(m.x("a1")).isEqualTo(0x44556677L);
      assertThat(m.x("a2")).isEqualTo(0x5566L);
    }
  }

  @ParameterizedTest
  @MethodSource("accelerators")
  @Timeout(10)
  void fencesOfTheFirstAndTheLastPagesEnd(Acceleration acceleration) {
    try (TestMachine m = new TestMachine(acceleration, """
        li t0, 0x7fffffffffffffff
        sfence.vma t0
        addi t0, t0, 1
        sfence.vma t0
        li t0, -1
        sfence.vma t0
        sfence.vma t0, t0
        li a0, 1
        stop: wfi
        j stop
        """)) {
      m.run(1000);
      assertThat(m.x("a0")).isEqualTo(1);
    }
  }

  @ParameterizedTest
  @MethodSource("accelerators")
  void misalignedAtomicsTrapAsStores(Acceleration acceleration) {
    try (TestMachine m = new TestMachine(acceleration, TRAP_TO_WFI + """
        li t0, 0x80100001
        amoadd.w a0, a0, (t0)
        """)) {
      m.run(1000);
      assertThat(m.x("s0")).isEqualTo(Cause.STORE_MISALIGNED);
    }
  }

  @ParameterizedTest
  @MethodSource("accelerators")
  void aLoopingPageTableEndsInAPageFault(Acceleration acceleration) {
    // The root's first entry points to the root itself: a table at every level.
    try (TestMachine m = new TestMachine(acceleration, TRAP_TO_WFI + """
        li t0, 0x80100000
        li t1, 0x20040001
        sd t1, 0(t0)
        li t0, 0x8000000000080100
        csrw satp, t0
        sfence.vma
        li t0, 0x1f
        csrw pmpcfg0, t0
        li t0, -1
        csrw pmpaddr0, t0
        li t0, 0x20800
        csrs mstatus, t0
        fault: ld a0, 0(zero)
        """)) {
      m.run(1000);
      assertThat(m.x("s0")).isEqualTo(Cause.LOAD_PAGE);
      assertThat(m.x("s1")).isEqualTo(m.program.symbol("fault"));
    }
  }

  @ParameterizedTest
  @MethodSource("accelerators")
  void anInterruptThatADeviceRaisesIsTakenAfterTheStore(Acceleration acceleration) {
    try (TestMachine m = new TestMachine(acceleration, TRAP_TO_WFI + """
        li t0, 8
        csrw mie, t0
        csrsi mstatus, 8
        li t1, 0x10000
        li a0, 0
        li a1, 50
        1: addi a0, a0, 1
        bne a0, a1, 2f
        sw zero, 0(t1)
        after: addi a0, a0, 100
        2: j 1b
        """)) {
      BusDevice raise =
          new BusDevice() {
            @Override
            public long read(long offset, int width) {
              return 0;
            }

            @Override
            public void write(long offset, int width, long value) {
              m.hart().interrupt(Cause.MSI).set(true);
            }
          };
      m.machine.memory()
          .map(0x10000, new MmioRegion("raise", 4096, raise, new java.util.concurrent.locks.ReentrantLock()));
      m.run(10_000);
      assertThat(m.x("s0")).isEqualTo(1L << 63 | Cause.MSI);
      assertThat(m.x("s1")).isEqualTo(m.program.symbol("after"));
      assertThat(m.x("a0")).isEqualTo(50);
    }
  }

  @ParameterizedTest
  @MethodSource("accelerators")
  void anIllegalInstructionInHotCodeTrapsEachTime(Acceleration acceleration) {
    try (TestMachine m = new TestMachine(acceleration, """
        la t0, handler
        csrw mtvec, t0
        li s0, 0
        li s1, 0
        li s2, 100
        1: addi s1, s1, 1
        addi s1, s1, 1
        addi s1, s1, 1
        addi s1, s1, 1
        .word 0xffffffff
        bne s0, s2, 1b
        stop: wfi
        j stop
        .align 2
        handler: addi s0, s0, 1
        csrr t1, mepc
        addi t1, t1, 4
        csrw mepc, t1
        mret
        """)) {
      m.run(10_000);
      assertThat(m.x("s0")).isEqualTo(100);
      assertThat(m.x("s1")).isEqualTo(400);
    }
  }

  @ParameterizedTest
  @MethodSource("accelerators")
  void settingBitsOfMipDoesNotLatchTheLevelsOfLines(Acceleration acceleration) {
    try (TestMachine m = new TestMachine(acceleration, """
        csrsi mip, 2
        li t0, 0x20
        csrc mip, t0
        csrr s0, mip
        wfi
        1: csrr s1, mip
        stop: wfi
        j stop
        """)) {
      m.hart().interrupt(Cause.SEI).set(true);
      m.run(4);
      assertThat(m.x("s0")).isEqualTo(1L << Cause.SEI | 1L << Cause.SSI);
      m.hart().interrupt(Cause.SEI).set(false);
      m.hart().setRegister("pc", m.program.symbol("stop") - 4);
      m.run(1);
      assertThat(m.x("s1")).isEqualTo(1L << Cause.SSI);
    }
  }

  @ParameterizedTest
  @MethodSource("accelerators")
  void savedStateGoesOnAsIfNothingHadHappened(Acceleration acceleration) throws StateException {
    String source = """
        li a0, 1
        li a1, 0
        li t0, 0x80200000
        1: mul a0, a0, a0
        addi a0, a0, 12
        fcvt.d.l fa0, a0
        fadd.d fa1, fa1, fa0
        sd a0, 0(t0)
        addi t0, t0, 8
        addi a1, a1, 1
        li t1, 3000
        blt a1, t1, 1b
        stop: wfi
        j stop
        """;
    try (TestMachine first = new TestMachine(acceleration, "li t0, 0x6000\ncsrs mstatus, t0\n" + source);
        TestMachine second = new TestMachine(Acceleration.interpreter(), "wfi\n")) {
      first.run(7777);
      byte[] saved = first.machine.save();
      second.machine.load(saved);
      assertThat(java.util.Arrays.equals(second.machine.save(), saved)).isTrue();
      first.run(100_000);
      second.run(100_000);
      assertThat(second.x("a0")).isEqualTo(first.x("a0"));
      assertThat(second.hart().register("f11")).isEqualTo(first.hart().register("f11"));
      assertThat(second.hart().instructionCount()).isEqualTo(first.hart().instructionCount());
    }
  }

  /** The words are jal ra, .+6; beq zero, zero, .+6 and bne zero, zero, .+6. */
  @ParameterizedTest
  @MethodSource("accelerators")
  void withoutCompressedInstructionsJumpsToHalfWordsTrapAtTheJump(Acceleration acceleration) {
    String source =
        """
        la t0, handler
        csrw mtvec, t0
        la s0, record
        li s1, 50
        again: li ra, 7
        la t1, function
        jalr ra, 0(t1)
        li ra, 7
        indirect: jalr ra, 2(t1)
        direct: .4byte 0x006000ef
        branch: .4byte 0x00000363
        .4byte 0x00001363
        addi s1, s1, -1
        bnez s1, again
        stop: wfi
        j stop
        function: addi a0, a0, 1
        ret
        .align 2
        handler: csrr t2, mcause
        sd t2, 0(s0)
        csrr t2, mtval
        sd t2, 8(s0)
        csrr t2, mepc
        sd t2, 16(s0)
        sd ra, 24(s0)
        addi s0, s0, 32
        addi t2, t2, 4
        csrw mepc, t2
        mret
        .align 3
        record: .8byte 0
        """;
    RiscvConfig config = RiscvConfig.parse("rv64,c=off");
    try (TestMachine m = new TestMachine(config, acceleration, 1, true, source)) {
      m.run(100_000);
      assertThat(m.x("a0")).isEqualTo(50);
      String[] jumps = {"indirect", "direct", "branch"};
      for (int i = 0; i < 150; i++) {
        long jump = m.program.symbol(jumps[i % 3]);
        long target = i % 3 == 0 ? m.program.symbol("function") + 2 : jump + 6;
        long at = m.program.symbol("record") - TestMachine.RAM + 32 * i;
        assertThat(m.ram.getLong(at)).as("mcause").isZero();
        assertThat(m.ram.getLong(at + 8)).as("mtval").isEqualTo(target);
        assertThat(m.ram.getLong(at + 16)).as("mepc").isEqualTo(jump);
        assertThat(m.ram.getLong(at + 24)).as("ra").isEqualTo(7);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("accelerators")
  void atomicsOfFourHartsOnFourThreadsLoseNothing(Acceleration acceleration) throws InterruptedException {
    try (TestMachine m = new TestMachine(RiscvConfig.max(), acceleration, 4, false, """
        li t0, 0x80100000
        li t1, 20000
        1: li t2, 1
        amoadd.d zero, t2, (t0)
        2: lr.w t3, 8(t0)
        addi t3, t3, 1
        sc.w t4, t3, 8(t0)
        bnez t4, 2b
        addi t1, t1, -1
        bnez t1, 1b
        addi t0, t0, 16
        li t2, 1
        amoadd.d zero, t2, (t0)
        stop: wfi
        j stop
        """.replace("8(t0)", "(t5)").replace("li t1, 20000", "li t1, 20000\naddi t5, t0, 8"))) {
      m.machine.start(false);
      for (int i = 0; i < 3000 && m.ram.getLong(0x100010) != 4; i++) {
        Thread.sleep(10);
      }
      assertThat(m.machine.state()).isEqualTo(RunState.RUNNING);
      assertThat(m.ram.getLong(0x100000)).isEqualTo(80_000);
      assertThat(m.ram.getInt(0x100008)).isEqualTo(80_000);
    }
  }
}
