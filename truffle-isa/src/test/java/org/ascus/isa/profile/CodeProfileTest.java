package org.ascus.isa.profile;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CodeProfileTest {
  private static final int USUAL = 2_500;
  private static final long[] HOT = {1, 2, 3};
  private static final long[] OTHER = {1, 2, 4};

  @TempDir private Path folder;

  private Path file() {
    return folder.resolve("cache").resolve("profile");
  }

  private void learn(long physical, long... code) throws IOException {
    CodeProfile profile = CodeProfile.load(file());
    profile.hot(physical, code);
    profile.save();
  }

  @Test
  void codeThatWasHotIsCompiledSoonerNextTime() throws IOException {
    learn(0x8000_1234L, HOT);
    assertThat(CodeProfile.load(file()).threshold(0x8000_1234L, HOT, USUAL)).isLessThan(USUAL);
  }

  @Test
  void codeIsKnownOnAnyPageAtTheSamePlace() throws IOException {
    learn(0x8000_1234L, HOT);
    CodeProfile next = CodeProfile.load(file());
    assertThat(next.threshold(0x9000_0234L, HOT, USUAL)).isLessThan(USUAL);
    assertThat(next.threshold(0x8000_1236L, HOT, USUAL)).isEqualTo(USUAL);
    assertThat(next.threshold(0x8000_1234L, OTHER, USUAL)).isEqualTo(USUAL);
  }

  @Test
  void whatWasKnownStaysKnown() throws IOException {
    learn(0, HOT);
    learn(0, OTHER);
    CodeProfile next = CodeProfile.load(file());
    assertThat(next.threshold(0, HOT, USUAL)).isLessThan(USUAL);
    assertThat(next.threshold(0, OTHER, USUAL)).isLessThan(USUAL);
  }

  @Test
  void aThresholdBelowThatOfKnownCodeStays() throws IOException {
    learn(0, HOT);
    assertThat(CodeProfile.load(file()).threshold(0, HOT, 2)).isEqualTo(2);
  }

  @Test
  void aFileThatIsNoProfileIsReplaced() throws IOException {
    Files.createDirectories(file().getParent());
    Files.writeString(file(), "something else altogether");
    assertThat(CodeProfile.load(file()).threshold(0, HOT, USUAL)).isEqualTo(USUAL);
    learn(0, HOT);
    assertThat(CodeProfile.load(file()).threshold(0, HOT, USUAL)).isLessThan(USUAL);
  }

  @Test
  void theFileIsBoundedAndTheLastRunComesFirst() throws IOException {
    CodeProfile first = CodeProfile.load(file());
    for (int i = 0; i < 70_000; i++) {
      first.hot(0, new long[] {i, 7});
    }
    first.save();
    learn(0, HOT);
    assertThat(Files.size(file())).isLessThanOrEqualTo(8L * 65_537);
    assertThat(CodeProfile.load(file()).threshold(0, HOT, USUAL)).isLessThan(USUAL);
  }

  @Test
  void nothingElseIsLeftInTheFolder() throws IOException {
    learn(0, HOT);
    try (Stream<Path> files = Files.list(file().getParent())) {
      assertThat(files).containsExactly(file());
    }
  }
}
