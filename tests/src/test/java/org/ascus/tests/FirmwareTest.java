package org.ascus.tests;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.ascus.tests.support.ConsoleProcess;
import org.ascus.tests.support.Host;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Boot firmware made for QEMU's {@code virt} board, and what it does with flash, fw_cfg and the console. */
class FirmwareTest {
  private static final Duration BOOT = Duration.ofMinutes(4);
  private static final Duration SOON = Duration.ofMinutes(1);
  private static final String PROMPT = "=> ";

  @TempDir Path folder;

  private static Path uboot(String variant) {
    Path file = Path.of("/usr/lib/u-boot", variant, "u-boot.bin");
    Assumptions.assumeTrue(Files.exists(file), file + " is missing: install u-boot-qemu");
    return file;
  }

  private static ConsoleProcess start(String... more) throws IOException {
    var arguments = new ArrayList<String>(List.of("-M", "virt", "-m", "256M", "-nographic"));
    arguments.addAll(List.of(more));
    return Host.startAscus(arguments);
  }

  private static void prompt(ConsoleProcess console) throws IOException, InterruptedException {
    console.expect("Hit any key to stop autoboot", BOOT);
    console.send(" ");
    console.expect(PROMPT, SOON);
  }

  private static String command(ConsoleProcess console, String line) throws IOException, InterruptedException {
    console.send(line + "\n");
    return console.expect(PROMPT, SOON);
  }

  @Test
  void ubootInSupervisorModeProgramsFlashAndPowersOff() throws IOException, InterruptedException {
    try (var console = start("-kernel", uboot("qemu-riscv64_smode").toString())) {
      prompt(console);
      assertThat(command(console, "erase 0x22000000 +0x40000")).contains("Erased");
      assertThat(command(console, "cp.b 0x80200000 0x22000000 0x1000")).contains("Copy to Flash... done");
      assertThat(command(console, "cmp.b 0x80200000 0x22000000 0x1000")).contains("4096 byte(s) were the same");
      assertThat(command(console, "bdinfo")).contains("DRAM bank");
      console.send("poweroff\n");
      assertThat(console.awaitExit(SOON)).isZero();
    }
  }

  @Test
  void ubootInMachineModeSharesItsConsoleWithTheMonitor() throws IOException, InterruptedException {
    try (var console = start("-bios", uboot("qemu-riscv64").toString())) {
      prompt(console);
      assertThat(command(console, "virtio info")).doesNotContain("Unknown command");
      console.send("\u0001c");
      console.expect("(qemu) ", SOON);
      console.send("info registers\n");
      console.expect("mstatus", SOON);
      console.expect("(qemu) ", SOON);
      console.send("\u0001c\n");
      console.expect(PROMPT, SOON);
      console.send("\u0001x");
      assertThat(console.awaitExit(SOON)).isZero();
    }
  }

  @Test
  void edk2InFlashKeepsItsVariablesAndBootsAKernelItGetsByFwCfg() throws IOException, InterruptedException {
    Path guest = Host.requireRiscv64Guest();
    Path code = guest.resolve("fw/RISCV_VIRT_CODE.fd");
    Assumptions.assumeTrue(Files.exists(code), code + " is missing");
    Path variables = folder.resolve("vars.fd");
    Files.copy(guest.resolve("fw/RISCV_VIRT_VARS.fd"), variables, StandardCopyOption.REPLACE_EXISTING);
    byte[] before = Files.readAllBytes(variables);
    try (var console =
        start(
            "-drive", "if=pflash,unit=0,format=raw,readonly=on,file=" + code,
            "-drive", "if=pflash,unit=1,format=raw,file=" + variables,
            "-kernel", guest.resolve("Image").toString(),
            "-initrd", guest.resolve("initramfs.cpio.gz").toString(),
            "-append", "console=ttyS0 quiet guest.mods=none guest.run=true")) {
      console.expect("EDK2 firmware", BOOT);
      console.expect("GUEST-DONE rc=0", BOOT);
      assertThat(console.awaitExit(SOON)).isZero();
    }
    assertThat(Files.readAllBytes(variables)).isNotEqualTo(before);
  }
}
