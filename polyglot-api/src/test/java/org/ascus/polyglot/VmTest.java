package org.ascus.polyglot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.ascus.devices.block.format.ImageOptions;
import org.ascus.devices.board.riscv.Firmware;
import org.ascus.isa.asm.Program;
import org.ascus.isa.riscv.RiscvDialect;
import org.ascus.machine.run.RunState;
import org.ascus.machine.run.ShutdownReason;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@Timeout(60)
class VmTest {
  private static final long RAM = 0x8000_0000L;
  private static final String FINISH =
      """
      li t0, 0x100000
      li t1, 0x%x
      sw t1, 0(t0)
      1: j 1b
      """;
  private static final String PASS = FINISH.formatted(0x5555);
  private static final String RESET = FINISH.formatted(0x7777);

  private static Program assemble(String source) {
    return RiscvDialect.assembler().assemble(source, RAM);
  }

  private static VmBuilder machine(String source) {
    return Vm.builder()
        .memory(16 << 20)
        .accelerator(Accelerator.INTERPRETER)
        .bios(new Firmware.Bytes("test", assemble(source).bytes()));
  }

  @Test
  void aGuestsExitCodeIsTheReasonsExitCode() throws Exception {
    try (Vm vm = machine(FINISH.formatted(42 << 16 | 0x3333)).build()) {
      vm.start();
      assertThat(vm.awaitExit()).isEqualTo(new ShutdownReason(ShutdownReason.Kind.GUEST_SHUTDOWN, 42, ""));
      assertThat(vm.state()).isEqualTo(RunState.ENDED);
    }
  }

  @Test
  void registersAreReadByAbiAndArchitecturalName() throws Exception {
    try (Vm vm = machine("li a0, 1234\nli s1, -1\n" + PASS).build()) {
      vm.start();
      vm.awaitExit();
      assertThat(vm.cpu(0).register("a0")).isEqualTo(1234);
      assertThat(vm.cpu(0).register("x9")).isEqualTo(-1);
      assertThatThrownBy(() -> vm.cpu(0).register("rax")).isInstanceOf(IllegalArgumentException.class);
    }
  }

  @Test
  void aSupervisorSoftwareInterruptOfTheAclintStaysUntilItIsCleared() throws Exception {
    String source =
        """
        la t0, handler
        csrw mtvec, t0
        csrwi mie, 2
        csrsi mstatus, 8
        li t0, 0x2f00000
        li t1, 1
        sw t1, 0(t0)
        1: j 1b
        .align 2
        handler: csrr a0, mcause
        csrr a1, mip
        csrci mip, 2
        csrr a2, mip
        """;
    try (Vm vm = machine(source + PASS).aclint(true).build()) {
      vm.start();
      vm.awaitExit();
      assertThat(vm.cpu(0).register("a0")).isEqualTo(1L << 63 | 1);
      assertThat(vm.cpu(0).register("a1") & 2).isEqualTo(2);
      assertThat(vm.cpu(0).register("a2") & 2).isZero();
    }
  }

  @Test
  void theTimeRegisterFollowsWritesToMtime() throws Exception {
    String source =
        """
        li t0, 0x200bff8
        li t1, 1
        slli t1, t1, 40
        sd t1, 0(t0)
        csrr a0, time
        """;
    try (Vm vm = machine(source + PASS).build()) {
      vm.start();
      vm.awaitExit();
      assertThat(vm.cpu(0).register("a0")).isBetween(1L << 40, (1L << 40) + 600_000_000);
    }
  }

  /** Hart 1 sleeps until hart 0 calls it; hart 0 spins until it has answered. */
  @ParameterizedTest
  @EnumSource
  void cpusThatShareAThreadTakeTurns(Accelerator accelerator) throws Exception {
    String source =
        """
        la s0, flag
        csrr t0, mhartid
        bnez t0, second
        li t0, 0x2000004
        li t1, 1
        sw t1, 0(t0)
        spin: lw a0, 0(s0)
        beqz a0, spin
        li t0, 0x100000
        li t1, 0x5555
        sw t1, 0(t0)
        1: j 1b
        second: csrwi mie, 8
        wfi
        csrr t0, mip
        andi t0, t0, 8
        beqz t0, second
        li t0, 1
        sw t0, 0(s0)
        sleep: csrwi mie, 0
        wfi
        j sleep
        .align 3
        flag: .word 0
        """;
    try (Vm vm = machine(source).accelerator(accelerator).smp(2).oneThread(true).build()) {
      vm.start();
      vm.awaitExit();
      assertThat(vm.cpu(0).register("a0")).isEqualTo(1);
    }
  }

  @Test
  void anEntropyDeviceTakesItsSourceById() throws Exception {
    HostObject zeroes = new HostObject.Rng("-object x", "z", Optional.of(Path.of("/dev/zero")));
    try (Vm vm = machine(PASS).object(zeroes).device("virtio-rng-device", Map.of("rng", "z")).build()) {
      vm.start();
      vm.awaitExit();
    }
    HostObject missing = new HostObject.Rng("-object x", "z", Optional.of(Path.of("/nosuch")));
    assertThatThrownBy(() -> machine(PASS).object(missing).build())
        .hasMessage("-object x: Could not open '/nosuch': No such file or directory");
    assertThatThrownBy(() -> machine(PASS).device("virtio-rng-device", Map.of("rng", "z")).build())
        .hasMessage("-device virtio-rng-device: Device 'z' not found");
  }

  @Test
  void aClosedMachineTakesNoMemory() throws Exception {
    Vm vm = machine("li t2, 0x80100000\nli t3, -1\nsd t3, 0(t2)\n" + PASS).build();
    vm.start();
    vm.awaitExit();
    assertThat(vm.memory().read(RAM + (1 << 20), 8)).isEqualTo(-1);
    vm.close();
    assertThat(vm.machine().ram()).allSatisfy(ram -> assertThat(ram.getLong(0)).isZero());
    assertThatThrownBy(() -> vm.memory().read(RAM, 8)).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(vm::save).isInstanceOf(IllegalStateException.class);
    vm.close();
  }

  @Test
  void theTruffleAcceleratorRunsGuestsToo() throws Exception {
    String loop = "li a0, 0\nli a1, 1000000\n1: addi a0, a0, 3\naddi a1, a1, -1\nbnez a1, 1b\n";
    try (Vm vm = machine(loop + PASS).accelerator(Accelerator.TRUFFLE).build()) {
      vm.start();
      vm.awaitExit();
      assertThat(vm.cpu(0).register("a0")).isEqualTo(3_000_000);
    }
  }

  @Test
  void theConsoleSendsAndExpects() throws Exception {
    String echo =
        """
        li s0, 0x10000000
        li a0, '>'
        sb a0, 0(s0)
        1: lbu a1, 5(s0)
        andi a1, a1, 1
        beqz a1, 1b
        lbu a0, 0(s0)
        addi a0, a0, 1
        sb a0, 0(s0)
        j 1b
        """;
    try (Vm vm = machine(echo).build()) {
      vm.start();
      assertThat(vm.console().expect(">", Duration.ofSeconds(30))).isEqualTo(">");
      vm.console().send("ABC");
      assertThat(vm.console().expect("BCD", Duration.ofSeconds(30))).isEqualTo("BCD");
      vm.quit();
      assertThat(vm.awaitExit().kind()).isEqualTo(ShutdownReason.Kind.HOST_QUIT);
    }
  }

  @Test
  void aBreakpointPausesBeforeItsInstruction() throws Exception {
    String source = "li a0, 1\nnop\nhere: addi a0, a0, 1\n" + PASS;
    long here = assemble(source).symbol("here");
    try (Vm vm = machine(source).life(new LifeOptions(true, false, false)).build()) {
      vm.start();
      vm.cpu(0).addBreakpoint(here);
      vm.resume();
      assertThat(vm.awaitStop(Duration.ofSeconds(30))).isTrue();
      assertThat(vm.state()).isEqualTo(RunState.PAUSED);
      assertThat(vm.cpu(0).pc()).isEqualTo(here);
      assertThat(vm.cpu(0).register("a0")).isEqualTo(1);
      vm.resume();
      vm.awaitExit();
      assertThat(vm.cpu(0).register("a0")).isEqualTo(2);
    }
  }

  @Test
  void runForExecutesExactlySoManyInstructionsAndRepeats() throws Exception {
    String source = "li a0, 0\n1: addi a0, a0, 1\nj 1b\n";
    long[] counts = new long[2];
    for (int i = 0; i < counts.length; i++) {
      try (Vm vm = machine(source).icount(0).build()) {
        assertThat(vm.runFor(10_000)).isEqualTo(10_000);
        assertThat(vm.cpu(0).instructionCount()).isEqualTo(10_000);
        counts[i] = vm.cpu(0).register("a0");
      }
    }
    assertThat(counts[0]).isEqualTo(counts[1]).isPositive();
  }

  @Test
  void instructionCountModeStartsPausesAndEndsLikeRealTime() throws Exception {
    try (Vm vm = machine("1: addi a0, a0, 1\nj 1b\n").icount(3).build()) {
      vm.start();
      vm.pause();
      assertThat(vm.state()).isEqualTo(RunState.PAUSED);
      long count = vm.cpu(0).instructionCount();
      assertThat(vm.cpu(0).instructionCount()).isEqualTo(count);
      vm.resume();
      vm.quit();
      assertThat(vm.awaitExit().kind()).isEqualTo(ShutdownReason.Kind.HOST_QUIT);
    }
  }

  @Test
  void aResetByTheGuestStartsAgainAndKeepsNothingButMemory() throws Exception {
    // The first run leaves a mark behind the image, where nothing is loaded again.
    String source =
        """
        la s0, _start
        li t0, 0x100000
        add s0, s0, t0
        ld a0, 0(s0)
        li a1, 1
        sd a1, 0(s0)
        bnez a0, end
        """;
    String program = "_start:\n" + source + RESET + "end:\n" + PASS;
    try (Vm vm = machine(program).build()) {
      vm.start();
      assertThat(vm.awaitExit().kind()).isEqualTo(ShutdownReason.Kind.GUEST_SHUTDOWN);
    }
    try (Vm vm = machine(program).icount(0).build()) {
      vm.runFor(1000);
      assertThat(vm.state()).isEqualTo(RunState.ENDED);
    }
    try (Vm vm = machine(program).life(new LifeOptions(false, true, false)).build()) {
      vm.start();
      assertThat(vm.awaitExit().kind()).isEqualTo(ShutdownReason.Kind.GUEST_RESET);
    }
  }

  @Test
  void noShutdownLeavesTheMachineToBeLookedAt() throws Exception {
    try (Vm vm = machine("li a0, 7\n" + PASS).life(new LifeOptions(false, false, true)).build()) {
      vm.start();
      assertThat(vm.awaitStop(Duration.ofSeconds(30))).isTrue();
      assertThat(vm.cpu(0).register("a0")).isEqualTo(7);
      vm.quit();
      vm.awaitExit();
    }
  }

  @Test
  void aSavedStateContinuesInAnotherMachine() throws Exception {
    String source = "li a0, 0\n1: addi a0, a0, 1\nj 1b\n";
    try (Vm first = machine(source).icount(0).build();
        Vm second = machine(source).icount(0).build()) {
      first.runFor(1001);
      second.load(first.save());
      assertThat(second.cpu(0).register("a0")).isEqualTo(first.cpu(0).register("a0"));
      first.runFor(500);
      second.runFor(500);
      assertThat(second.cpu(0).register("a0")).isEqualTo(first.cpu(0).register("a0"));
      assertThat(second.cpu(0).pc()).isEqualTo(first.cpu(0).pc());
      assertThatThrownBy(() -> second.load(new byte[3])).isInstanceOf(VmException.class);
    }
  }

  @Test
  void memoryIsReadAndWritten() throws Exception {
    try (Vm vm = machine(PASS).icount(0).build()) {
      vm.memory().write(RAM + 0x1000, 4, 0x12345678);
      assertThat(vm.memory().read(RAM + 0x1001, 1)).isEqualTo(0x56);
      assertThat(vm.memory().readBytes(RAM + 0x1000, 2)).containsExactly(0x78, 0x56);
      assertThatThrownBy(() -> vm.memory().read(0x4000_0000_0000L, 8)).hasMessageContaining("0x400000000000");
    }
  }

  @Test
  void mistakesNameOptionAndValue() {
    assertError(machine(PASS).cpu("rv64,zfoo=on"), "-cpu rv64,zfoo=on: ");
    assertError(machine(PASS).smp(9), "-smp 9: ");
    assertError(machine(PASS).kernel(Path.of("/nonexistent")), "-kernel /nonexistent");
    assertError(machine(PASS).device("nosuch", Map.of()), "-device nosuch: 'nosuch' is not a valid device model name");
    assertError(machine(PASS).device("virtio-rng-device", Map.of("a", "b")), "'virtio-rng-device.a' not found");
    assertError(
        machine(PASS).device("virtio-blk-device", Map.of("drive", "x")),
        "Property 'drive' can't find value 'x'");
    assertError(machine(PASS).global("virtio-mmio", "nosuch", "on"), "'virtio-mmio.nosuch' not found");
    ImageOptions image = ImageOptions.raw(Path.of("/nonexistent.img"));
    assertError(
        machine(PASS).drive(new DriveOptions("-drive file=/nonexistent.img", "d", true, image)),
        "-drive file=/nonexistent.img: Could not open '/nonexistent.img': No such file or directory");
  }

  private static void assertError(VmBuilder builder, String part) {
    assertThatThrownBy(builder::build).isInstanceOf(VmException.class).hasMessageContaining(part);
  }

  @Test
  void devicesFindTheFirstFreeBus() throws Exception {
    VmBuilder builder = machine(PASS);
    for (int i = 0; i < 8; i++) {
      builder.device("virtio-rng-device", Map.of());
    }
    try (Vm vm = builder.build()) {
      List<String> ids = vm.machine().devices().stream().map(d -> d.id()).toList();
      assertThat(ids).contains("virtio-rng-device.0", "virtio-rng-device.7").doesNotHaveDuplicates();
    }
    assertError(builder.device("virtio-rng-device", Map.of()), "No 'virtio-bus' bus found");
  }

  @Test
  void whatCouldNotBePluggedInCanBeTriedAgain(@TempDir Path dir) throws Exception {
    Path file = Files.write(dir.resolve("disk"), new byte[1 << 20]);
    VmBuilder builder =
        machine(PASS)
            .device(new DeviceOptions("-device", "pcie-root-port", "rp", Map.of()))
            .drive(new DriveOptions("-drive", "d", false, ImageOptions.raw(file)));
    try (Vm vm = builder.build()) {
      Map<String, String> place = Map.of("bus", "rp", "drive", "d");
      Map<String, String> wrong = Map.of("bus", "rp", "drive", "d", "addr", "1");
      assertThatThrownBy(() -> vm.plug(new DeviceOptions("device_add", "virtio-blk-pci", "x", wrong)))
          .isInstanceOf(VmException.class);
      vm.plug(new DeviceOptions("device_add", "virtio-blk-pci", "x", place));
      assertThatThrownBy(() -> vm.plug(new DeviceOptions("device_add", "virtio-blk-pci", "y", place)))
          .hasMessageContaining("Drive 'd' is already in use by another device");
    }
  }

  private static void awaitFree(Vm vm, String drive) throws InterruptedException {
    while (vm.drives().get(drive).user().isPresent()) {
      Thread.sleep(1);
    }
  }

  @Test
  void disksComeAndGoAndAreFreeAfterwards(@TempDir Path dir) throws Exception {
    Path d = Files.write(dir.resolve("d"), new byte[1 << 20]);
    Path e = Files.write(dir.resolve("e"), new byte[1 << 20]);
    VmBuilder builder =
        machine(PASS)
            .drive(new DriveOptions("-drive", "d", false, ImageOptions.raw(d)))
            .drive(new DriveOptions("-drive", "e", false, ImageOptions.raw(e)))
            .device(new DeviceOptions("-device", "pcie-root-port", "rp", Map.of()))
            .device(new DeviceOptions("-device", "virtio-scsi-pci", "s", Map.of()));
    try (Vm vm = builder.build()) {
      for (int i = 0; i < 2; i++) {
        vm.plug(new DeviceOptions("device_add", "scsi-hd", "hd", Map.of("bus", "s.0", "drive", "d")));
        vm.unplug("hd");
        awaitFree(vm, "d");
        vm.plug(new DeviceOptions("device_add", "virtio-scsi-pci", "t" + i, Map.of("bus", "rp")));
        vm.plug(new DeviceOptions("device_add", "scsi-hd", "x", Map.of("bus", "t" + i + ".0", "drive", "d")));
        vm.plug(new DeviceOptions("device_add", "scsi-hd", "y", Map.of("bus", "t" + i + ".0", "drive", "e")));
        assertThatThrownBy(() -> vm.plug(
            new DeviceOptions("device_add", "scsi-hd", "z", Map.of("bus", "s.0", "drive", "e"))))
            .hasMessageContaining("Drive 'e' is already in use by another device");
        vm.unplug("t" + i);
        awaitFree(vm, "d");
        awaitFree(vm, "e");
      }
      assertThatThrownBy(() -> vm.unplug("x")).hasMessage("Device 'x' not found");
    }
  }

  @Test
  void optionsComeBackAsTheyWereGiven() {
    MachineOptions options = Vm.builder().cpu("max").smp(2).append("quiet").icount(2).options();
    assertThat(Vm.builder(options).options()).isEqualTo(options);
    assertThat(options.boot().append()).isEqualTo("quiet");
    assertThat(options.boot().firmware()).isEqualTo(Optional.empty());
  }
}
