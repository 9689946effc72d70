package org.ascus.tests;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.ascus.tests.support.Host;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The benchmarks' bare-metal programs, each of which knows the answer it must come to. */
class ComputeProgramsTest {
  @TempDir static Path folder;

  @BeforeAll
  static void buildPrograms() throws IOException, InterruptedException {
    Host.requireBenchmarkPrograms(List.of("--small", "--harts", "2"), 2, folder.resolve("small"));
    Host.requireBenchmarkPrograms(
        List.of(), 1, folder.resolve("full"), "sieve", "fib", "sort", "records", "matrix", "bytecode");
  }

  static List<String> programs() throws IOException {
    return Host.benchmarkPrograms();
  }

  @ParameterizedTest
  @MethodSource("programs")
  void programComesToItsAnswerInTheInterpreter(String program) throws IOException, InterruptedException {
    run(program, folder.resolve("small"), "-accel", "interpreter", "-smp", "2");
  }

  @ParameterizedTest
  @ValueSource(strings = {"sieve", "fib", "sort", "records", "matrix", "bytecode"})
  void programComesToItsAnswerCompiled(String program) throws IOException, InterruptedException {
    run(program, folder.resolve("full"), "-accel", "truffle", "-smp", "1");
  }

  private static void run(String program, Path from, String... options) throws IOException, InterruptedException {
    String elf = from.resolve(program + ".elf").toString();
    var arguments = new ArrayList<>(List.of(options));
    arguments.addAll(List.of("-M", "virt", "-m", "128M", "-nographic", "-bios", "none", "-kernel", elf));
    try (var console = Host.startAscus(arguments)) {
      assertThat(console.awaitExit(Duration.ofMinutes(3))).as(console.output()).isZero();
      assertThat(console.output()).contains("BENCH-DONE name=" + program + " ");
    }
  }
}
