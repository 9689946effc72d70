package org.ascus.tests.support;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

class ConsoleProcessTest {
  private static final Duration LONG = Duration.ofMinutes(1);

  @Test
  void talksToTheProcess() throws IOException, InterruptedException {
    try (var console = new ConsoleProcess(List.of("sh", "-c", "echo ready; read x; echo got $x; exit 3"))) {
      assertThat(console.expect("ready", LONG)).isEqualTo("ready");
      console.send("word\n");
      assertThat(console.expect("word", LONG)).isEqualTo("\ngot word");
      assertThat(console.awaitExit(LONG)).isEqualTo(3);
      assertThat(console.output()).isEqualTo("ready\ngot word\n");
    }
  }

  @Test
  void anUnmetExpectationShowsTheConsole() throws IOException {
    try (var console = new ConsoleProcess(List.of("echo", "something else"))) {
      assertThatThrownBy(() -> console.expect("login:", LONG))
          .isInstanceOf(AssertionError.class)
          .hasMessageContaining("expecting \"login:\"")
          .hasMessageContaining("something else");
    }
  }
}
