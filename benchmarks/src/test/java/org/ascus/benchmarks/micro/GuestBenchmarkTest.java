package org.ascus.benchmarks.micro;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The micro-benchmarks do what they say they time, each run once without JMH. */
class GuestBenchmarkTest {
  static Stream<Arguments> everyLoopOnBothAccelerators() {
    return Stream.of(GuestLoop.values())
        .flatMap(loop -> List.of("truffle", "interpreter").stream().map(accel -> Arguments.of(loop, accel)));
  }

  @ParameterizedTest
  @MethodSource("everyLoopOnBothAccelerators")
  void theGuestDoesTheWorkThatIsTimed(GuestLoop loop, String accel) {
    GuestBenchmark benchmark = new GuestBenchmark();
    benchmark.loop = loop;
    benchmark.accel = accel;
    benchmark.start();
    try {
      // Between two warm runs nothing but rounds is executed.
      assertThat(benchmark.run())
          .isBetween(
              (long) GuestBenchmark.INSTRUCTIONS / loop.instructionsPerRound(),
              (long) GuestBenchmark.INSTRUCTIONS / loop.instructionsPerRound() + 1);
    } finally {
      benchmark.stop();
    }
  }

  @Test
  void componentBenchmarksRun() throws Exception {
    assertThat(new DecodeBenchmark().randomWords()).isNotZero();
    assertThat(new BusBenchmark().readRam()).isZero();
    FloatBenchmark floats = new FloatBenchmark();
    assertThat(floats.add()).isNotZero();
    assertThat(floats.multiply()).isNotZero();
    assertThat(floats.fusedMultiplyAdd()).isNotZero();
  }
}
