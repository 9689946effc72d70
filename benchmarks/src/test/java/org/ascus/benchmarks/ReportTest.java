package org.ascus.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.StringReader;
import java.util.List;
import java.util.Map;
import java.util.stream.DoubleStream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.xml.sax.InputSource;

class ReportTest {
  private static final Workload WORKLOAD =
      new Workload("x/<y>", false, List.of("wall"), List.of(Aim.ratio("wall", 1.5)), List.of(), lab -> null);

  @Test
  void ratioIsOfMedians() {
    var comparison = comparison(runs("1", 4, 100, 3), runs("1", 2, 2));
    assertThat(comparison.ratio("wall")).isEqualTo(2);
    assertThat(comparison.problems()).isEmpty();
    assertThat(report(comparison).table())
        .contains("| x/<y> | **wall** | 4.00 (3.00 .. 100) | 2.00 (2.00 .. 2.00) |  | **2.00** |")
        .contains("| **2.00** | ratio ≤ 1.50, missed |");
  }

  @Test
  void differentResultsAndFailedRunsAreProblems() {
    var comparison = comparison(List.of(run("1", 1), run("", 1)), runs("2", 1));
    assertThat(comparison.problems())
        .containsExactly("Ascus: a run failed; it ended with: last words", "results differ: 1, 2");
    assertThat(comparison.values(Side.ASCUS, "wall")).hasSize(1);
    assertThat(report(comparison).good()).isFalse();
    assertThat(report(comparison).summary()).contains("- x/<y>: results differ: 1, 2\n");
  }

  @Test
  void figureThatOneSideLacksHasNoRatio() {
    var comparison = comparison(List.of(run("", 1)), runs("1", 2));
    assertThat(report(comparison).table()).contains("| x/<y> | **wall** |  | 2.00 |  |  | ratio ≤ 1.50 |");
    assertThat(report(comparison).json()).contains("\"wall\":{\"ascus\":[],\"qemu\":[2.0],\"host\":[],\"ratio\":null}");
  }

  @Test
  void jsonHasEverySingleValue() {
    assertThat(report(comparison(runs("1", 4, 5), runs("1", 2))).json())
        .isEqualTo(
            "{\"selection\":\"x\",\"conditions\":{\"QEMU\":\"\\\"7\\\"\"},\"geometricMean\":2.25,\"workloads\":["
                + "{\"name\":\"x/<y>\",\"headlines\":[\"wall\"],\"figures\":{\"wall\":{\"ascus\":[4.0,5.0],"
                + "\"qemu\":[2.0],\"host\":[],\"ratio\":2.25}},\"problems\":[]}]}\n");
  }

  @Test
  void speedUpIsTheWorkOfOneHartOverThatOfSeveral() {
    var selection = new Selection("smp", "t", "e", Double.NaN, List.of());
    var report = new Report(selection, Map.of(), List.of(scale(1, 6), scale(2, 4), scale(4, 2)));
    assertThat(report.summary())
        .contains("- Ascus: 2 harts are 1.50 times as fast as one (aim: at least 1.80, missed)\n")
        .contains("- Ascus: 4 harts are 3.00 times as fast as one\n")
        .doesNotContain("QEMU");
  }

  @Test
  void numbersHaveThreeDigits() {
    assertThat(DoubleStream.of(0.05, 1.234, 12.34, 1234.4, 0, Double.NaN).mapToObj(Report::number))
        .containsExactly("0.0500", "1.23", "12.3", "1234", "0", "");
  }

  @Test
  void plotIsXmlWithABarForEveryRatio() throws Exception {
    String svg = report(comparison(runs("1", 400), runs("1", 2))).svg();
    var document =
        DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(new InputSource(new StringReader(svg)));
    assertThat(document.getElementsByTagName("rect").getLength()).isEqualTo(2);
    assertThat(svg).contains(">&lt;y></text>", ">200</text>");
  }

  private static Comparison scale(int harts, double seconds) {
    var workload =
        new Workload("smp/scale-" + harts, false, List.of("work"), List.of(), List.of(), lab -> null);
    return Comparison.of(workload, Map.of(Side.ASCUS, List.of(new Run("1", Map.of("work", seconds), ""))));
  }

  private static Report report(Comparison comparison) {
    var selection = new Selection("x", "Title", "What it is.", 1.0, List.of(WORKLOAD));
    return new Report(selection, Map.of("QEMU", "\"7\""), List.of(comparison));
  }

  private static Comparison comparison(List<Run> ascus, List<Run> qemu) {
    return Comparison.of(WORKLOAD, Map.of(Side.ASCUS, ascus, Side.QEMU, qemu));
  }

  private static List<Run> runs(String result, double... walls) {
    return DoubleStream.of(walls).mapToObj(wall -> run(result, wall)).toList();
  }

  private static Run run(String result, double wall) {
    return new Run(result, Map.of("wall", wall), "last words");
  }
}
