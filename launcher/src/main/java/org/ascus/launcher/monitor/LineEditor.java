package org.ascus.launcher.monitor;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;

/**
 * Turns keys into lines, showing them: backspace, Ctrl-U, Ctrl-W, Ctrl-C, history by cursor keys, completion by tab.
 */
final class LineEditor {
  private static final int MAX_LINE = 1024;
  private static final int MAX_HISTORY = 100;
  private static final int ESC = 27;

  private final Consumer<String> output;
  private final Consumer<String> lines;
  private final UnaryOperator<String> completer;
  private final StringBuilder line = new StringBuilder();
  private final List<String> history = new ArrayList<>();
  private int historyAt;
  private int escape;
  private boolean afterReturn;

  /**
   * An editor.
   *
   * @param output what to show
   * @param lines takes each finished line
   * @param completer the longest text that the given one can be completed to
   */
  LineEditor(Consumer<String> output, Consumer<String> lines, UnaryOperator<String> completer) {
    this.output = output;
    this.lines = lines;
    this.completer = completer;
  }

  /** Forgets what was typed of a line. */
  void clear() {
    line.setLength(0);
    escape = 0;
    historyAt = history.size();
  }

  void key(int key) {
    boolean secondHalf = afterReturn && key == '\n';
    afterReturn = key == '\r';
    if (secondHalf) {
      return;
    }
    if (escape > 0) {
      escapeSequence(key);
      return;
    }
    switch (key) {
      case '\r', '\n' -> finish();
      case '\b', 127 -> erase(1);
      case 3 -> {
        output.accept("^C\r\n");
        line.setLength(0);
        lines.accept("");
      }
      case '\t' -> replace(completer.apply(line.toString()));
      case 21 -> erase(line.length());
      case 23 -> erase(line.length() - (line.toString().stripTrailing().lastIndexOf(' ') + 1));
      case ESC -> escape = 1;
      default -> {
        if (key >= ' ' && key < 127 && line.length() < MAX_LINE) {
          line.append((char) key);
          output.accept(String.valueOf((char) key));
        }
      }
    }
  }

  private void escapeSequence(int key) {
    if (escape == 1 && (key == '[' || key == 'O')) {
      escape = 2;
      return;
    }
    if (escape == 2 && (key >= '0' && key <= '9' || key == ';')) {
      return;
    }
    if (escape == 2 && key == 'A' && historyAt > 0) {
      historyAt--;
      replace(history.get(historyAt));
    } else if (escape == 2 && key == 'B' && historyAt < history.size()) {
      historyAt++;
      replace(historyAt < history.size() ? history.get(historyAt) : "");
    }
    escape = 0;
  }

  private void replace(String text) {
    if (line.toString().equals(text)) {
      return;
    }
    erase(line.length());
    line.append(text);
    output.accept(text);
  }

  private void erase(int count) {
    int erased = Math.min(count, line.length());
    line.setLength(line.length() - erased);
    output.accept("\b \b".repeat(erased));
  }

  private void finish() {
    output.accept("\r\n");
    String text = line.toString();
    line.setLength(0);
    if (!text.isBlank() && (history.isEmpty() || !history.getLast().equals(text))) {
      history.add(text);
      if (history.size() > MAX_HISTORY) {
        history.removeFirst();
      }
    }
    historyAt = history.size();
    lines.accept(text);
  }
}
