package org.ascus.tests.differential;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.ascus.devices.board.riscv.Firmware;
import org.ascus.devices.board.riscv.VirtBoard;
import org.ascus.devices.board.riscv.VirtOptions;
import org.ascus.devices.chardev.CharBackend;
import org.ascus.devices.chardev.CharReceiver;
import org.ascus.isa.riscv.Acceleration;
import org.ascus.isa.riscv.RiscvConfig;
import org.ascus.isa.riscv.RiscvCpus;
import org.ascus.machine.run.Machine;
import org.ascus.machine.run.ShutdownReason;
import org.ascus.machine.trace.Log;

/** Runs an image on the {@code virt} board until it powers off; the result is what it printed, by lines. */
final class Runs {
  private static final int MIB = 1 << 20;
  private static final int RAM_MIB = 128;

  private Runs() {}

  /** The result is short if the program did not end within {@code seconds}. */
  static List<String> qemu(Path qemu, String cpu, int harts, byte[] image, Path folder, int seconds)
      throws IOException, InterruptedException {
    Path file = Files.write(folder.resolve("image.bin"), image);
    Path output = folder.resolve("output.txt");
    Process process =
        new ProcessBuilder(
                qemu.toString(), "-M", "virt", "-cpu", cpu, "-smp", "" + harts, "-m", RAM_MIB + "M", "-bios",
                file.toString(), "-display", "none", "-monitor", "none", "-serial", "file:" + output)
            .inheritIO()
            .start();
    try {
      if (process.waitFor(seconds, TimeUnit.SECONDS) && process.exitValue() != 0) {
        throw new IOException(qemu + " failed: " + process.exitValue());
      }
    } finally {
      process.destroyForcibly();
    }
    return Files.readAllLines(output);
  }

  /** The result is short if the program did not end within {@code seconds}. */
  static List<String> ascus(RiscvConfig config, Acceleration acceleration, byte[] image, int seconds)
      throws Exception {
    Collector serial = new Collector();
    try (Machine machine = new Machine(Log.off())) {
      VirtOptions options =
          new VirtOptions(
              (long) RAM_MIB * MIB, 1, Optional.empty(), Optional.empty(), "", Optional.empty(),
              new Firmware.Bytes("sequences", image), List.of(serial), List.of(), true, false, () -> 0, new byte[0]);
      VirtBoard.build(machine, new RiscvCpus(config, acceleration), options);
      machine.start(false);
      Thread watchdog = Thread.ofVirtual().start(() -> shutDownLater(machine, seconds));
      machine.awaitShutdown();
      if (acceleration.tier() != Acceleration.Tier.INTERPRETER) {
        checkCompiled(machine.cpus().getFirst().describeTranslation());
      }
      watchdog.interrupt();
      machine.close();
      machine.ram().forEach(ram -> ram.release());
    }
    return serial.out.toString(StandardCharsets.US_ASCII).lines().toList();
  }

  /** Without this a change of how code becomes hot would quietly turn the test into one of the interpreter. */
  private static void checkCompiled(String translation) {
    Matcher regions = Pattern.compile("regions kept +(\\d+)[^\n]*\n\\w+ regions compiled +(\\d+)").matcher(translation);
    int kept = regions.find() ? Integer.parseInt(regions.group(1)) : Integer.MAX_VALUE;
    // A single sequence, run again for a report, may well have nothing hot.
    if (kept > 20 && (kept == Integer.MAX_VALUE || 2 * Integer.parseInt(regions.group(2)) < kept)) {
      throw new AssertionError("not even half of the hot regions ran compiled:\n" + translation);
    }
  }

  private static void shutDownLater(Machine machine, int seconds) {
    try {
      Thread.sleep(Duration.ofSeconds(seconds));
      machine.requestShutdown(new ShutdownReason(ShutdownReason.Kind.HOST_QUIT, 1, "too slow"));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static final class Collector implements CharBackend {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    @Override
    public synchronized void write(byte[] data, int offset, int length) {
      out.write(data, offset, length);
    }

    @Override
    public void connect(CharReceiver receiver) {}
  }
}
