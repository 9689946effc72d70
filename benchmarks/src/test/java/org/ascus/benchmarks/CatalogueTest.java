package org.ascus.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class CatalogueTest {
  private static final Path ROOT = Path.of("..");

  @Test
  void namesOfStepsBeginWithTheirSelectionsAndAreUnique() {
    for (Selection selection : Catalogue.selections()) {
      assertThat(selection.workloads()).extracting(Workload::name).doesNotHaveDuplicates()
          .allMatch(name -> name.startsWith(selection.name() + "/"));
    }
  }

  @Test
  void everyProgramIsMeasured() throws IOException {
    var names = Catalogue.selections().stream()
        .flatMap(selection -> selection.workloads().stream())
        .map(workload -> workload.name().replaceAll(".*/|-[124]$", ""))
        .toList();
    try (var sources = Files.walk(Path.of("src/guest"), 2)) {
      assertThat(sources.filter(source -> source.getNameCount() == 4 && source.toString().endsWith(".c")))
          .isNotEmpty()
          .allMatch(source -> names.contains(source.getFileName().toString().replace(".c", "")));
    }
  }

  @Test
  void quickRunsLeaveOutWhatIsSlowUnlessItIsNamed() throws UserException {
    assertThat(chosen("--quick")).contains("boot/all").doesNotContain("boot/debian");
    assertThat(chosen("--quick", "boot/debian")).containsExactly("boot/debian");
    assertThat(chosen("--quick", "network")).containsExactly("network/virtio", "network/e1000e");
    assertThat(chosen("--quick")).doesNotContain("network/virtio");
    assertThat(chosen("boot")).contains("boot/all", "boot/debian").allMatch(name -> name.startsWith("boot/"));
  }

  @Test
  void onlyWholeSelectionsReplaceTheReport() throws UserException {
    Selection boot = Catalogue.selections().stream().filter(s -> s.name().equals("boot")).findFirst().orElseThrow();
    assertThat(parse("boot").writes(boot)).isTrue();
    assertThat(parse("boot/all").writes(boot)).isFalse();
    assertThat(parse("--quick", "boot").writes(boot)).isFalse();
    assertThat(parse("--quick", "--out", "there", "boot").writes(boot)).isTrue();
    assertThat(parse("--out", "there").out()).isEqualTo(Path.of("there"));
  }

  @Test
  void wrongOptionsAreNamed() {
    assertThatThrownBy(() -> parse("boots")).hasMessageStartingWith("boots: no such option, selection or step");
    assertThatThrownBy(() -> parse("--runs", "none")).hasMessage("--runs none: not a number from 1");
    assertThatThrownBy(() -> parse("--out")).hasMessage("--out: a value is missing");
  }

  private static List<String> chosen(String... args) throws UserException {
    var options = parse(args);
    return Catalogue.selections().stream()
        .flatMap(selection -> options.chosen(selection).stream())
        .map(Workload::name)
        .toList();
  }

  private static Options parse(String... args) throws UserException {
    return Options.parse(Arrays.asList(args), ROOT, Catalogue.selections());
  }
}
