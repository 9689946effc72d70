package org.ascus.tests;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.ascus.tests.support.Host;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ComputeProgramsTest {
  @TempDir Path folder;

  /** The checksums are QEMU's for the same programs. */
  @ParameterizedTest
  @CsvSource({
    "sieve, e5f98",
    "fib, 118b9b",
    "sort, e13394543f4a0b98",
    "records, 60f907beb1cc5abe",
    "matrix, 9662df0bc97a5780",
    "bytecode, 19cbc8feac0c4444",
  })
  void bareMetalProgramComputesWhatItComputesElsewhere(String program, String checksum)
      throws IOException, InterruptedException {
    Path elf = Host.requireBenchmarkProgram(program, 1, folder);
    var arguments = List.of("-M", "virt", "-m", "128M", "-nographic", "-bios", "none", "-kernel", elf.toString());
    try (var console = Host.startAscus(arguments)) {
      assertThat(console.awaitExit(Duration.ofMinutes(3))).as(console.output()).isZero();
      assertThat(console.output()).containsPattern("BENCH-DONE name=" + program + " ticks=\\d+ checksum=" + checksum);
    }
  }
}
