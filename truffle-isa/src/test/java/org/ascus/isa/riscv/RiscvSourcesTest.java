package org.ascus.isa.riscv;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;

class RiscvSourcesTest {
  @Test
  void generatedFilesFollowTheTable() throws IOException {
    for (Map.Entry<Path, String> file : RiscvSources.files().entrySet()) {
      assertThat(file.getKey())
          .as("stale: run %s.main in truffle-isa and commit the result", RiscvSources.class.getName())
          .exists()
          .hasContent(file.getValue());
      assertThat(Files.readString(file.getKey())).isEqualTo(file.getValue());
    }
  }
}
