package org.ascus.tests;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.ascus.tests.support.ConsoleProcess;
import org.ascus.tests.support.Host;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A signal that ends a process, which QEMU takes as a wish to quit. */
class SignalTest {
  private static final Duration SOON = Duration.ofMinutes(1);

  @TempDir Path folder;

  /** By the signal that a process in the background takes, too: others may be ignored there. */
  @Test
  void aSignalEndsTheMachineAndTheExitCodeTellsNoError() throws IOException, InterruptedException {
    Path loop = folder.resolve("loop.bin");
    // lui t0, 0x10000; li t1, '!'; sb t1, 0(t0); j .
    Files.write(loop, new byte[] {
      (byte) 0xb7, 0x02, 0x00, 0x10, 0x13, 0x03, 0x10, 0x02, 0x23, (byte) 0x80, 0x62, 0x00, 0x6f, 0, 0, 0
    });
    try (ConsoleProcess console =
        Host.startAscus(List.of("-M", "virt", "-display", "none", "-serial", "stdio", "-bios", loop.toString()))) {
      console.expect("!", SOON);
      assertThat(new ProcessBuilder("kill", "-TERM", "" + console.pid()).start().waitFor()).isZero();
      console.expect("terminating on a signal", SOON);
      assertThat(console.awaitExit(SOON)).isZero();
    }
  }
}
