package org.ascus.polyglot;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.util.EnumSet;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.ascus.devices.board.riscv.Firmware;
import org.ascus.isa.riscv.RiscvDialect;
import org.ascus.machine.run.RunState;
import org.ascus.machine.trace.Log;
import org.ascus.machine.trace.Log.Category;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What the {@code -d} log tells of a guest's run. */
@Timeout(60)
class VmLogTest {
  private static final long RAM = 0x8000_0000L;
  private static final String SOURCE =
      """
      la t0, handler
      csrw mtvec, t0
      li a0, 3
      loop: addi a0, a0, -1
      bnez a0, loop
      after: call function
      trap: ecall
      function: ret
      .align 2
      handler: li t0, 0x100000
      li t1, 0x5555
      sw t1, 0(t0)
      1: j 1b
      """;

  private final ByteArrayOutputStream text = new ByteArrayOutputStream();

  private static long label(String name) {
    return RiscvDialect.assembler().assemble(SOURCE, RAM).symbol(name);
  }

  private String run(Accelerator accelerator, Category first, Category... more) throws Exception {
    Log log = new Log(new PrintStream(text, true), EnumSet.of(first, more));
    Firmware guest = new Firmware.Bytes("test", RiscvDialect.assembler().assemble(SOURCE, RAM).bytes());
    try (Vm vm = Vm.builder().memory(16 << 20).accelerator(accelerator).log(log).bios(guest).build()) {
      vm.start();
      vm.awaitExit();
      assertThat(vm.state()).isEqualTo(RunState.ENDED);
    }
    return text.toString();
  }

  private static Stream<MatchResult> find(String pattern, String text) {
    return Pattern.compile(pattern, Pattern.MULTILINE).matcher(text).results();
  }

  private static List<Long> blocks(String log) {
    return find("^Trace 0: 0x[0-9a-f]+ \\[0{16}/([0-9a-f]{16})/0{7}3/0{8}] $", log)
        .map(m -> Long.parseLong(m.group(1), 16))
        .toList();
  }

  @ParameterizedTest
  @EnumSource
  void execNamesEveryBlockThatRuns(Accelerator accelerator) throws Exception {
    long loop = label("loop");
    assertThat(blocks(run(accelerator, Category.EXEC)))
        .startsWith(0x1000L, RAM, loop, loop, label("after"), label("function"), label("trap"), label("handler"));
  }

  @ParameterizedTest
  @EnumSource
  void inAsmShowsEachBlockOnce(Accelerator accelerator) throws Exception {
    String log = run(accelerator, Category.IN_ASM);
    assertThat(log).startsWith("----------------\nIN: \nPriv: 3; Virt: 0\n0x0000000000001000:  ");
    assertThat(find("^0x%016x:  00000073          ecall$".formatted(label("trap")), log)).hasSize(1);
    assertThat(find("^0x%016x:  [0-9a-f]{8}          jalr zero,0\\(ra\\)$".formatted(label("function")), log))
        .hasSize(1);
    assertThat(log).doesNotContain("Trace");
  }

  @ParameterizedTest
  @EnumSource
  void cpuShowsRegistersBeforeEachBlock(Accelerator accelerator) throws Exception {
    String log = run(accelerator, Category.CPU, Category.EXEC);
    int blocks = blocks(log).size();
    assertThat(find("^ pc       [0-9a-f]{16}$", log)).hasSize(blocks);
    assertThat(find("x10/a0 +0{15}2 ", log)).hasSize(1);
    assertThat(log).doesNotContain(" f31 ");
  }

  @ParameterizedTest
  @EnumSource
  void intNamesTraps(Accelerator accelerator) throws Exception {
    assertThat(run(accelerator, Category.INT))
        .isEqualTo(
            "riscv_cpu_do_interrupt: hart:0, async:0, cause:000000000000000b, epc:0x%016x, tval:0x%016x, desc=%s\n"
                .formatted(label("trap"), 0, "machine_ecall"));
  }

  @ParameterizedTest
  @EnumSource
  void mmuShowsWhatWasLookedUp(Accelerator accelerator) throws Exception {
    assertThat(run(accelerator, Category.MMU))
        .startsWith(
            "riscv_cpu_tlb_fill ad 1000 rw 2 mmu_idx 3\n"
                + "riscv_cpu_tlb_fill address=1000 ret 0 physical 0000000000001000 prot 7\n");
  }
}
