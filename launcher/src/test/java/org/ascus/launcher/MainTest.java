package org.ascus.launcher;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import org.ascus.isa.riscv.RiscvDialect;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class MainTest {
  @TempDir Path folder;
  private final ByteArrayOutputStream output = new ByteArrayOutputStream();
  private final ByteArrayOutputStream errors = new ByteArrayOutputStream();

  private int run(String... arguments) {
    return Main.run(arguments, new PrintStream(output, true), new PrintStream(errors, true));
  }

  private String program(String source) throws IOException {
    Path file = folder.resolve("program.bin");
    Files.write(file, RiscvDialect.assembler().assemble(source, 0x8000_0000L).bytes());
    return file.toString();
  }

  private static String finish(int value) {
    return "li t0, 0x100000\nli t1, " + value + "\nsw t1, 0(t0)\n1: j 1b\n";
  }

  @Test
  void theGuestsExitCodeIsTheProcesss() throws IOException {
    String bios = program(finish(23 << 16 | 0x3333));
    assertThat(run("-M", "virt", "-display", "none", "-accel", "interpreter", "-bios", bios)).isEqualTo(23);
    assertThat(errors.toString()).isEmpty();
  }

  @Test
  void serialOutputGoesToAFileInWhole() throws IOException {
    Path console = folder.resolve("console.txt");
    String print = "li s0, 0x10000000\nli a0, 'O'\nsb a0, 0(s0)\nli a0, 'K'\nsb a0, 0(s0)\n";
    String bios = program(print + finish(0x5555));
    int code = run("-M", "virt", "-display", "none", "-serial", "file:" + console, "-icount", "2", "-bios", bios);
    assertThat(code).isZero();
    assertThat(console).hasContent("OK");
  }

  @Test
  void noRebootEndsWithZero() throws IOException {
    String bios = program(finish(0x7777));
    assertThat(run("-M", "virt", "-display", "none", "-no-reboot", "-bios", bios)).isZero();
  }

  @Test
  void wrongOptionsGiveOneLineAndExitCodeOne() {
    assertThat(run("-M", "virt", "-m", "12Q")).isEqualTo(1);
    assertThat(errors.toString()).startsWith("ascus-system-riscv64: -m 12Q: ").hasLineCount(1);
  }

  @Test
  void filesThatCannotBeLoadedGiveOneLineAndExitCodeOne() throws IOException {
    Path text = Files.writeString(folder.resolve("kernel"), "This is not a kernel.\n");
    assertThat(run("-M", "virt", "-display", "none", "-bios", "none", "-kernel", text.toString())).isEqualTo(1);
    assertThat(errors.toString()).startsWith("ascus-system-riscv64: -kernel " + text + ": ").hasLineCount(1);
  }

  @Test
  void drivesThatCannotBeOpenedGiveOneLineAndExitCodeOne() {
    assertThat(run("-M", "virt", "-display", "none", "-drive", "file=missing,format=raw")).isEqualTo(1);
    assertThat(errors.toString())
        .isEqualToIgnoringNewLines(
            "ascus-system-riscv64: -drive file=missing,format=raw: "
                + "Could not open 'missing': No such file or directory");
  }

  @Test
  void theTrainingRunEndsWell() {
    assertThat(run("train")).isZero();
    assertThat(errors.toString()).isEmpty();
  }

  @Test
  void helpGoesToStandardOutput() {
    assertThat(run("-M", "help")).isZero();
    assertThat(output.toString()).contains("virt");
    assertThat(errors.toString()).isEmpty();
  }

  @Test
  void theDeviceTreeIsWrittenInsteadOfRunning() throws IOException {
    Path tree = folder.resolve("virt.dtb");
    assertThat(run("-M", "virt,dumpdtb=" + tree, "-smp", "2", "-bios", "none")).isZero();
    assertThat(Files.readAllBytes(tree)).startsWith(0xd0, 0x0d, 0xfe, 0xed);
  }
}
