package org.ascus.tests.robustness;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.ascus.devices.block.format.ImageOptions;
import org.ascus.devices.board.riscv.Firmware;
import org.ascus.devices.net.user.UserNetOptions;
import org.ascus.isa.riscv.RiscvDialect;
import org.ascus.machine.run.ShutdownReason;
import org.ascus.machine.trace.Log;
import org.ascus.polyglot.Accelerator;
import org.ascus.polyglot.DriveOptions;
import org.ascus.polyglot.NetdevOptions;
import org.ascus.polyglot.Vm;
import org.ascus.polyglot.VmBuilder;

/** A whole virt board with all its virtio devices, and what must hold of the host whatever the guest does. */
final class HostileRun {
  static final int RAM_SIZE = 16 << 20;
  static final long RAM = 0x8000_0000L;

  private static final String LINES =
      "[ -~]*(unassigned|write to ROM|virtio|queue|fw.?cfg|flash|plic|clint|aclint|rtc|serial|guest)[ -~]*";

  /** What a hostile guest gets: junk that it sends must not leave the machine. */
  private static final UserNetOptions RESTRICTED =
      new UserNetOptions(
          true, UserNetOptions.DEFAULT.ipv4(), UserNetOptions.DEFAULT.ipv6(), UserNetOptions.Names.NONE,
          UserNetOptions.Boot.NONE, List.of(), List.of());

  private final ByteArrayOutputStream logged = new ByteArrayOutputStream();
  private final List<Throwable> escaped = new CopyOnWriteArrayList<>();

  /**
   * A builder of the board.
   *
   * @param folder where its disk image is made
   */
  VmBuilder board(Path folder, Accelerator accelerator) throws IOException {
    Path disk = Files.write(folder.resolve("disk.raw"), new byte[1 << 20]);
    return Vm.builder()
        .memory(RAM_SIZE)
        .accelerator(accelerator)
        .log(new Log(new PrintStream(logged, true), EnumSet.of(Log.Category.GUEST_ERRORS)))
        .drive(new DriveOptions("-drive file=disk.raw", "disk", false, ImageOptions.raw(disk)))
        .device("virtio-blk-device", Map.of("drive", "disk"))
        .device("virtio-rng-device", Map.of())
        .netdev(new NetdevOptions.User("-netdev user,id=n", "n", RESTRICTED))
        .device("virtio-net-device", Map.of("netdev", "n"))
        .device("virtio-serial-device", Map.of())
        .device("virtio-rng-pci", Map.of())
        .device("pcie-root-port", Map.of())
        .device("virtio-scsi-pci", Map.of("bus", "pcie-root-port.0"));
  }

  /**
   * Runs a program that knows what it should get: it ends with the test device, and its exit code says which check
   * failed.
   */
  void passes(Path folder, Accelerator accelerator, String source) throws Exception {
    byte[] program = RiscvDialect.assembler().assemble(source, RAM).bytes();
    Thread.UncaughtExceptionHandler before = Thread.getDefaultUncaughtExceptionHandler();
    Thread.setDefaultUncaughtExceptionHandler((thread, failure) -> escaped.add(failure));
    try (Vm vm = board(folder, accelerator).bios(new Firmware.Bytes("hostile", program)).build()) {
      vm.start();
      ShutdownReason end = vm.awaitExit();
      assertThat(end)
          .as(() -> end + "\n" + vm.cpu(0).describe())
          .isEqualTo(new ShutdownReason(ShutdownReason.Kind.GUEST_SHUTDOWN, 0, ""));
    } finally {
      Thread.setDefaultUncaughtExceptionHandler(before);
    }
    checkHost();
  }

  /** Lets {@code vm} run and pauses it when it has trapped at {@code mepc}; a reset may come in between first. */
  private static void runUntil(Vm vm, long mepc) {
    do {
      vm.resume();
      long before = vm.cpu(0).instructionCount();
      while (vm.cpu(0).instructionCount() < before + 100_000) {
        Thread.onSpinWait();
      }
      vm.pause();
    } while (vm.cpu(0).register("mepc") == 0);
    assertThat(vm.cpu(0).register("mepc")).isEqualTo(mepc);
  }

  /** Runs a program that never ends for a while; pauses it, looks at mepc, goes on, resets it and quits. */
  void endlessly(Path folder, Accelerator accelerator, String source, long mepc) throws Exception {
    byte[] program = RiscvDialect.assembler().assemble(source, RAM).bytes();
    try (Vm vm = board(folder, accelerator).bios(new Firmware.Bytes("hostile", program)).build()) {
      vm.start();
      for (int i = 0; i < 3; i++) {
        runUntil(vm, mepc);
        vm.resume();
        vm.reset();
      }
      vm.quit();
      assertThat(vm.awaitExit().kind()).isEqualTo(ShutdownReason.Kind.HOST_QUIT);
    }
    checkHost();
  }

  /** Nothing but lines of the guest_errors log came out. */
  void checkHost() {
    assertThat(escaped).isEmpty();
    assertThat(log()).allMatch(line -> line.matches(LINES));
  }

  List<String> log() {
    return logged.toString(StandardCharsets.UTF_8).lines().toList();
  }
}
