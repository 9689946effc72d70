package org.ascus.isa.asm;

/** A position in one statement, with the lexical elements that can be read there. */
final class Cursor {
  private final String text;
  private int position;

  Cursor(String text) {
    this.text = text;
  }

  private void skipSpaces() {
    while (position < text.length() && Character.isWhitespace(text.charAt(position))) {
      position++;
    }
  }

  boolean atEnd() {
    skipSpaces();
    return position == text.length();
  }

  /** The next character that is not a space, 0 at the end. */
  char peek() {
    return atEnd() ? 0 : text.charAt(position);
  }

  /** Passes {@code token} if it comes next. */
  boolean accept(String token) {
    skipSpaces();
    if (!text.startsWith(token, position)) {
      return false;
    }
    position += token.length();
    return true;
  }

  void expect(String token) {
    if (!accept(token)) {
      throw new SyntaxProblem("expected '" + token + "' " + where());
    }
  }

  void expectEnd() {
    if (!atEnd()) {
      throw new SyntaxProblem("unexpected '" + rest() + "'");
    }
  }

  String where() {
    return atEnd() ? "at the end" : "before '" + rest() + "'";
  }

  String rest() {
    skipSpaces();
    return text.substring(position).strip();
  }

  int mark() {
    return position;
  }

  void reset(int mark) {
    position = mark;
  }

  static boolean isNamePart(char c) {
    return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '.' || c == '$';
  }

  /** A name or number as written, empty if something else comes next. */
  String word() {
    skipSpaces();
    int start = position;
    while (position < text.length() && isNamePart(text.charAt(position))) {
      position++;
    }
    return text.substring(start, position);
  }

  /** The value of a character after an opening quote, escapes resolved. */
  char character() {
    if (position == text.length()) {
      throw new SyntaxProblem("unfinished character or string");
    }
    char c = text.charAt(position++);
    if (c != '\\' || position == text.length()) {
      return c;
    }
    c = text.charAt(position++);
    return switch (c) {
      case 'n' -> '\n';
      case 't' -> '\t';
      case 'r' -> '\r';
      case 'b' -> '\b';
      case 'f' -> '\f';
      case 'e' -> 27;
      case '\\', '"', '\'' -> c;
      case '0', '1', '2', '3', '4', '5', '6', '7' -> {
        int value = c - '0';
        for (int i = 0; i < 2 && position < text.length(); i++) {
          int digit = text.charAt(position) - '0';
          if (digit < 0 || digit > 7) {
            break;
          }
          value = value * 8 + digit;
          position++;
        }
        yield (char) (value & 0xff);
      }
      case 'x' -> {
        int value = 0;
        while (position < text.length() && Character.digit(text.charAt(position), 16) >= 0) {
          value = value * 16 + Character.digit(text.charAt(position++), 16);
        }
        yield (char) (value & 0xff);
      }
      default -> throw new SyntaxProblem("unknown escape \\" + c);
    };
  }

  /** Whether {@code c} comes next, with no space skipped. */
  boolean acceptExactly(char c) {
    if (position < text.length() && text.charAt(position) == c) {
      position++;
      return true;
    }
    return false;
  }

  /** A string in double quotes. */
  String string() {
    expect("\"");
    StringBuilder value = new StringBuilder();
    while (!acceptExactly('"')) {
      value.append(character());
    }
    return value.toString();
  }
}
