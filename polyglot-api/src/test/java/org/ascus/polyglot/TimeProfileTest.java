package org.ascus.polyglot;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.Optional;
import org.ascus.devices.board.riscv.Firmware;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class TimeProfileTest {
  private static final String SLICE = "org.ascus.isa.cpu.VCpu.runSlice";

  /** addi a0, a0, 1; j back to it. */
  private static final byte[] COUNT_FOREVER = {0x13, 0x05, 0x15, 0, 0x6f, (byte) 0xf0, (byte) 0xdf, (byte) 0xff};

  private static Optional<TimeProfile.Doing> look(String... innermostFirst) {
    return TimeProfile.look(
        Arrays.stream(innermostFirst)
            .map(m -> new StackTraceElement(m.replaceAll("\\.\\w+$", ""), m.replaceAll(".*\\.", ""), "", -1))
            .toArray(StackTraceElement[]::new));
  }

  @Test
  void theInnermostFrameThatIsKnownDecides() {
    assertThat(look("org.ascus.isa.riscv.semantics.RvInteger.add", "org.ascus.isa.riscv.RiscvInterpreter.run", SLICE))
        .contains(TimeProfile.Doing.TIER_0);
    assertThat(look("org.ascus.isa.riscv.semantics.RvInteger.add", SLICE)).contains(TimeProfile.Doing.BYTECODE);
    assertThat(look("org.ascus.isa.node.LoadNode.execute", SLICE)).contains(TimeProfile.Doing.TRUFFLE);
    assertThat(look("org.ascus.devices.serial.Ns16550.write", "org.ascus.isa.riscv.RiscvHart.storeSlow", SLICE))
        .contains(TimeProfile.Doing.DEVICES);
    assertThat(look("org.ascus.isa.riscv.PageWalker.walk", "org.ascus.isa.riscv.RiscvHart.loadSlow", SLICE))
        .contains(TimeProfile.Doing.TRANSLATION);
    assertThat(look("jdk.internal.misc.Unsafe.park", "org.ascus.isa.cpu.VCpu.sleep", "org.ascus.isa.cpu.VCpu.loop"))
        .contains(TimeProfile.Doing.IDLE);
    assertThat(look("java.lang.Thread.run")).isEmpty();
  }

  @Test
  void aRunningGuestIsSeenInTier0() throws VmException, InterruptedException {
    try (Vm vm =
        Vm.builder()
            .memory(16 << 20)
            .accelerator(Accelerator.INTERPRETER)
            .bios(new Firmware.Bytes("test", COUNT_FOREVER))
            .build()) {
      assertThat(vm.timeProfile().describe()).doesNotContain("samples");
      vm.timeProfile().start();
      vm.start();
      while (!vm.timeProfile().describe().contains("samples")) {
        Thread.sleep(1);
      }
      vm.timeProfile().stop();
      assertThat(vm.timeProfile().describe()).contains("tier 0").contains("Truffle tier");
    }
  }

  @Test
  void hostThreadsAreToldApartByName() {
    String stat = "12 (C2 (x) y) S 1 2 3 4 5 6 7 8 9 10 250 50 0 0";
    assertThat(HostThreads.seconds(stat)).isEqualTo(3.0);
    assertThat(HostThreads.purpose("1 (ascus-cpu-3) S")).isEqualTo(HostThreads.Purpose.GUEST);
    assertThat(HostThreads.purpose("1 (C1 CompilerThre) S")).isEqualTo(HostThreads.Purpose.HOTSPOT);
    assertThat(HostThreads.purpose("1 (ascus-clock) S")).isEqualTo(HostThreads.Purpose.DEVICES);
    assertThat(HostThreads.purpose("1 (java) S")).isEqualTo(HostThreads.Purpose.OTHER);
  }
}
