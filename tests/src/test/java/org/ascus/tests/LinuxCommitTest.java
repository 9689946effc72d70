package org.ascus.tests;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.ascus.tests.support.Host;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What a stock Linux guest writes to a disk of {@code snapshot=on} is in the image once Ctrl-a s was pressed. */
class LinuxCommitTest {
  private static final Duration BOOT = Duration.ofMinutes(5);
  private static final Duration SOON = Duration.ofMinutes(1);
  private static final String TEXT = "kept by a key";
  private static final String SCRIPT =
      "echo " + TEXT + " > /tmp/t; dd if=/tmp/t of=/dev/vda conv=sync,notrunc; sync; echo WRIT''TEN; sleep 600";

  @TempDir Path folder;

  @Test
  @Timeout(600)
  void theKeySavesDiskData() throws Exception {
    Path guest = Host.requireRiscv64Guest();
    Path image = Files.write(folder.resolve("image"), new byte[1 << 20]);
    List<String> arguments =
        List.of(
            "-M", "virt", "-m", "256M", "-nographic", "-no-reboot",
            "-bios", guest.resolve("fw/fw_dynamic.bin").toString(),
            "-kernel", guest.resolve("Image").toString(),
            "-initrd", guest.resolve("initramfs.cpio.gz").toString(),
            "-append", "console=ttyS0 quiet guest.mods=mmio guest.run=\"" + SCRIPT + "\"",
            "-drive", "file=" + image + ",format=raw,if=none,id=d,snapshot=on",
            "-device", "virtio-blk-device,drive=d");
    try (var console = Host.startAscus(arguments)) {
      console.expect("WRITTEN", BOOT);
      assertThat(start(image)).isNotEqualTo(TEXT);
      console.send("\u0001s");
      while (!start(image).equals(TEXT)) {
        Thread.sleep(10);
      }
      console.send("\u0001x");
      assertThat(console.awaitExit(SOON)).isZero();
    }
  }

  private static String start(Path image) throws Exception {
    try (var in = Files.newInputStream(image)) {
      return new String(in.readNBytes(TEXT.length()), StandardCharsets.US_ASCII);
    }
  }
}
