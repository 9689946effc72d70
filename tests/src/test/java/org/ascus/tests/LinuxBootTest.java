package org.ascus.tests;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.ascus.tests.support.ConsoleProcess;
import org.ascus.tests.support.Host;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A stock Debian kernel with OpenSBI on the RISC-V {@code virt} board. */
class LinuxBootTest {
  private static final Duration BOOT = Duration.ofMinutes(5);
  private static final Duration SOON = Duration.ofMinutes(1);

  @TempDir Path folder;

  @Test
  void bootsToUserSpaceAndPowersOff() throws IOException, InterruptedException {
    try (var console = boot("guest.mods=none guest.run=\"uname -m; cat /proc/cpuinfo\"")) {
      console.expect("GUEST-READY riscv64", BOOT);
      assertThat(console.expect("GUEST-DONE rc=0", SOON)).contains("riscv64", "rv64imafdc");
      assertThat(console.awaitExit(SOON)).isZero();
    }
  }

  @Test
  void shellOnTheConsoleAnswers() throws IOException, InterruptedException {
    try (var console = boot("quiet guest.mods=none")) {
      console.expect(" # ", BOOT);
      console.send("echo $((6 * 7))\n");
      console.expect("42", SOON);
      console.send("poweroff\n");
      assertThat(console.awaitExit(SOON)).isZero();
    }
  }

  @Test
  void writesAndReadsAVirtioDisk() throws IOException, InterruptedException {
    Path disk = folder.resolve("disk.raw");
    byte[] content = new byte[1 << 20];
    System.arraycopy("from the host".getBytes(StandardCharsets.US_ASCII), 0, content, 0, 13);
    Files.write(disk, content);
    String drive = "file=" + disk + ",if=none,id=d,format=raw";
    String script = "head -c 13 /dev/vda; echo; echo from the guest | dd of=/dev/vda bs=512 seek=1 conv=notrunc,fsync";
    try (var console =
        boot("quiet guest.mods=mmio guest.run=\"" + script + "\"", "-drive", drive,
            "-device", "virtio-blk-device,drive=d")) {
      console.expect("GUEST-READY", BOOT);
      assertThat(console.expect("GUEST-DONE rc=0", SOON)).contains("from the host");
      assertThat(console.awaitExit(SOON)).isZero();
    }
    byte[] written = Arrays.copyOfRange(Files.readAllBytes(disk), 512, 512 + 14);
    assertThat(new String(written, StandardCharsets.US_ASCII)).isEqualTo("from the guest");
  }

  @Test
  void findsVirtioDevicesOnPciAndBehindARootPort() throws IOException, InterruptedException {
    Path disk = folder.resolve("pci.raw");
    Files.write(disk, Arrays.copyOf("over the bus".getBytes(StandardCharsets.US_ASCII), 1 << 20));
    String script =
        "cat /sys/bus/virtio/drivers/virtio_blk/virtio*/device; head -c 12 /dev/vda; echo;"
            + " readlink -f /sys/block/vda; ls /sys/bus/pci/drivers/virtio-pci";
    try (var console =
        boot("quiet guest.mods=all guest.run=\"" + script + "\"",
            "-drive", "file=" + disk + ",if=virtio,format=raw",
            "-device", "pcie-root-port,id=rp0,addr=5",
            "-device", "virtio-rng,bus=rp0")) {
      console.expect("GUEST-READY", BOOT);
      assertThat(console.expect("GUEST-DONE rc=0", SOON))
          .contains("0x0002", "over the bus", "/pci0000:00/0000:00:", "0000:01:00.0");
      assertThat(console.awaitExit(SOON)).isZero();
    }
  }

  @Test
  void bootsWithTwoHarts() throws IOException, InterruptedException {
    try (var console = boot("quiet guest.mods=none guest.run=true", "-smp", "2")) {
      assertThat(console.expect("GUEST-DONE rc=0", BOOT)).contains("cpus=2");
      assertThat(console.awaitExit(SOON)).isZero();
    }
  }

  private static ConsoleProcess boot(String words, String... more) throws IOException {
    Path guest = Host.requireRiscv64Guest();
    var arguments = new ArrayList<String>();
    arguments.addAll(List.of("-M", "virt", "-m", "512M", "-nographic", "-no-reboot"));
    arguments.addAll(List.of("-bios", guest.resolve("fw/fw_dynamic.bin").toString()));
    arguments.addAll(List.of("-kernel", guest.resolve("Image").toString()));
    arguments.addAll(List.of("-initrd", guest.resolve("initramfs.cpio.gz").toString()));
    arguments.addAll(List.of("-append", "console=ttyS0 " + words));
    arguments.addAll(List.of(more));
    return Host.startAscus(arguments);
  }
}
