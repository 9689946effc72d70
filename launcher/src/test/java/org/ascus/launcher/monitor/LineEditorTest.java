package org.ascus.launcher.monitor;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class LineEditorTest {
  private final StringBuilder shown = new StringBuilder();
  private final List<String> lines = new ArrayList<>();
  private final LineEditor editor = new LineEditor(shown::append, lines::add, t -> t.equals("in") ? "info " : t);

  private void type(String keys) {
    for (byte b : keys.getBytes(StandardCharsets.ISO_8859_1)) {
      editor.key(b & 0xff);
    }
  }

  @Test
  void keysAreShownAndReturnEndsTheLine() {
    type("stop\r");
    assertThat(lines).containsExactly("stop");
    assertThat(shown).hasToString("stop\r\n");
  }

  @Test
  void carriageReturnAndLineFeedTogetherAreOneEnd() {
    type("a\r\nb\nc\r");
    assertThat(lines).containsExactly("a", "b", "c");
  }

  @Test
  void backspaceErasesAndCtrlUErasesAll() {
    type("ab\177c\r");
    type("abc\025d\r");
    type("one two\027x\r");
    assertThat(lines).containsExactly("ac", "d", "one x");
    assertThat(shown.toString()).startsWith("ab\b \bc\r\n");
  }

  @Test
  void cursorKeysBringBackEarlierLines() {
    type("first\rsecond\r");
    type("\033[A\033[A\r");
    type("\033[A\033[B\r");
    assertThat(lines).containsExactly("first", "second", "first", "");
  }

  @Test
  void tabCompletesAndControlKeysAreIgnored() {
    type("in\tcpus\001\002\r");
    assertThat(lines).containsExactly("info cpus");
  }

  @Test
  void nothingMakesTheLineLongerThanItsLimit() {
    type("x".repeat(5000) + "\r");
    assertThat(lines.getFirst()).hasSize(1024);
  }
}
