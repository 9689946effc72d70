package org.ascus.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import org.junit.jupiter.api.Test;

class StatisticsTest {
  @Test
  void medianIsTheMiddleOrTheMeanOfTheTwoInTheMiddle() {
    assertThat(Statistics.median(List.of(4.0, 100.0, 3.0))).isEqualTo(4);
    assertThat(Statistics.median(List.of(1.0, 100.0, 3.0, 4.0))).isEqualTo(3.5);
    assertThat(Statistics.median(List.of())).isNaN();
  }

  @Test
  void geometricMeanOfARatioAndItsInverseIsOne() {
    assertThat(Statistics.geometricMean(List.of(8.0, 1 / 8.0))).isEqualTo(1, within(1e-12));
    assertThat(Statistics.geometricMean(List.of())).isNaN();
  }

  @Test
  void steadyStateIsTheMeanOfTheLastQuarter() {
    assertThat(Statistics.steadyState(List.of(9.0, 14.0, 15.0, 16.0, 17.0, 17.5, 18.0, 18.5))).isEqualTo(0.5);
    assertThat(Statistics.steadyState(List.of(9.0, 14.0, 15.0, 17.0))).isEqualTo(1.5);
    assertThat(Statistics.steadyState(List.of(1.0, 2.0, 3.0))).isNaN();
  }
}
