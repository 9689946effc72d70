package org.ascus.tests.support;

import java.io.File;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;

/** What this machine has for tests to use. The {@code require} methods skip the running test if it is missing. */
public final class Host {
  private Host() {}

  /** The project's top folder. */
  public static Path projectRoot() {
    Path folder = Path.of("").toAbsolutePath();
    while (!Files.exists(folder.resolve("launcher/bin/common.sh"))) {
      folder = folder.getParent();
      if (folder == null) {
        throw new IllegalStateException("tests must run inside the project's folder");
      }
    }
    return folder;
  }

  /** A program on the PATH. */
  public static Optional<Path> program(String name) {
    return Stream.of(System.getenv().getOrDefault("PATH", "").split(File.pathSeparator))
        .map(folder -> Path.of(folder, name))
        .filter(Files::isExecutable)
        .findFirst();
  }

  /** A program on the PATH, which Debian has in the package named. */
  public static Path requireProgram(String name, String debianPackage) {
    Optional<Path> found = program(name);
    Assumptions.assumeTrue(found.isPresent(), name + " is missing: install " + debianPackage);
    return found.orElseThrow();
  }

  /** The folder of the RISC-V guest that {@code tests/guests/make-guest.sh} makes: Image, initramfs.cpio.gz, fw. */
  public static Path requireRiscv64Guest() {
    String folder = System.getenv("ASCUS_GUESTS");
    Path guests = folder == null ? projectRoot().resolve(".guests") : Path.of(folder);
    Path guest = guests.resolve("riscv64");
    Assumptions.assumeTrue(
        Files.exists(guest.resolve("initramfs.cpio.gz")),
        "no guest in " + guest + ": make it with tests/guests/make-guest.sh riscv64");
    return guest;
  }

  /** The names of all benchmark programs: the sources in the folders of {@code benchmarks/src/guest}. */
  public static List<String> benchmarkPrograms() throws IOException {
    try (var sources = Files.walk(projectRoot().resolve("benchmarks/src/guest"))) {
      return sources
          .filter(source -> source.toString().endsWith(".c"))
          .filter(source -> !source.getParent().endsWith("guest"))
          .map(source -> source.getFileName().toString().replace(".c", ""))
          .sorted()
          .toList();
    }
  }

  /**
   * Builds bare-metal benchmark programs for the {@code virt} board, as {@code NAME.elf}.
   *
   * @param options of {@code benchmarks/bin/build-guests}, such as {@code --small}
   * @param iterations how often they do their work
   * @param folder for the ELF files
   * @param names such as {@code fib}; all if there is none
   */
  public static void requireBenchmarkPrograms(List<String> options, int iterations, Path folder, String... names)
      throws IOException, InterruptedException {
    requireProgram("riscv64-unknown-elf-gcc", "gcc-riscv64-unknown-elf");
    var command = new ArrayList<String>();
    command.add(projectRoot().resolve("benchmarks/bin/build-guests").toString());
    command.addAll(options);
    command.addAll(List.of(folder.toString(), Integer.toString(iterations)));
    command.addAll(List.of(names));
    Process build = new ProcessBuilder(command).inheritIO().redirectOutput(ProcessBuilder.Redirect.DISCARD).start();
    if (build.waitFor() != 0) {
      throw new IOException(String.join(" ", command) + ": failed");
    }
  }

  /** Starts {@code ascus-system-riscv64} from the classes under test, with this JVM's own options. */
  public static ConsoleProcess startAscus(List<String> arguments) throws IOException {
    var command = new ArrayList<String>();
    command.add(ProcessHandle.current().info().command().orElseThrow());
    ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
        .filter(option -> option.startsWith("-X") || option.startsWith("--"))
        .forEach(command::add);
    command.addAll(List.of("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"));
    command.addAll(List.of("-cp", System.getProperty("java.class.path")));
    command.add("org.ascus.launcher.Main");
    command.addAll(arguments);
    return new ConsoleProcess(command);
  }
}
