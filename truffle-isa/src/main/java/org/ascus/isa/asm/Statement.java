package org.ascus.isa.asm;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * One statement of the source, comments removed and macros expanded.
 *
 * @param line the line it comes from, for a macro's body the line of the call
 * @param text label, mnemonic and operands
 */
record Statement(int line, String text) {
  private static final int MAX_STATEMENTS = 1_000_000;

  private record Macro(List<String> parameters, List<Statement> body) {}

  /** Splits source text into statements. */
  static List<Statement> read(String source) {
    return new Reader().expand(split(source));
  }

  private static List<Statement> split(String source) {
    List<Statement> statements = new ArrayList<>();
    StringBuilder text = new StringBuilder();
    int line = 1;
    for (int i = 0; i <= source.length(); i++) {
      char c = i < source.length() ? source.charAt(i) : '\n';
      if (c == '\n' || c == ';') {
        if (!text.toString().isBlank()) {
          statements.add(new Statement(line, text.toString().strip()));
        }
        text.setLength(0);
        line += c == '\n' ? 1 : 0;
      } else if (c == '#' || source.startsWith("//", i)) {
        i = source.indexOf('\n', i) - 1;
        i = i < 0 ? source.length() - 1 : i;
      } else if (source.startsWith("/*", i)) {
        int end = source.indexOf("*/", i + 2);
        if (end < 0) {
          throw new AssemblyException(line, "/*", "the comment does not end");
        }
        line += (int) source.substring(i, end).chars().filter(x -> x == '\n').count();
        text.append(' ');
        i = end + 1;
      } else if (c == '"' || c == '\'') {
        int end = quotedEnd(source, i);
        text.append(source, i, end);
        i = end - 1;
      } else {
        text.append(c);
      }
    }
    return statements;
  }

  /** The index behind a quoted string or a character constant, whose closing quote may be missing. */
  private static int quotedEnd(String source, int start) {
    char quote = source.charAt(start);
    int i = start + 1;
    while (i < source.length() && source.charAt(i) != '\n') {
      if (source.charAt(i) == '\\') {
        i++;
      } else if (source.charAt(i) == quote && (quote == '"' || i > start + 1)) {
        return i + 1;
      } else if (quote == '\'' && i > start + 1) {
        return i;
      }
      i++;
    }
    return Math.min(i, source.length());
  }

  /** The directive or mnemonic the statement starts with, if it has no label. */
  private String firstWord() {
    int end = 0;
    while (end < text.length() && !Character.isWhitespace(text.charAt(end))) {
      end++;
    }
    return text.substring(0, end);
  }

  private static final class Reader {
    private final Map<String, Macro> macros = new HashMap<>();
    private final List<Statement> out = new ArrayList<>();
    private int calls;

    List<Statement> expand(List<Statement> statements) {
      expand(statements, 0);
      return out;
    }

    private void expand(List<Statement> statements, int depth) {
      for (int i = 0; i < statements.size(); i++) {
        Statement statement = statements.get(i);
        switch (statement.firstWord()) {
          case ".macro" -> {
            int end = end(statements, i, ".macro", ".endm");
            define(statement, statements.subList(i + 1, end));
            i = end;
          }
          case ".rept" -> {
            int end = end(statements, i, ".rept", ".endr");
            repeat(statement, statements.subList(i + 1, end), depth);
            i = end;
          }
          default -> call(statement, depth);
        }
      }
    }

    private static int end(List<Statement> statements, int start, String open, String close) {
      int nesting = 0;
      for (int i = start; i < statements.size(); i++) {
        String word = statements.get(i).firstWord();
        nesting += word.equals(open) ? 1 : word.equals(close) ? -1 : 0;
        if (nesting == 0) {
          return i;
        }
      }
      Statement opening = statements.get(start);
      throw new AssemblyException(opening.line, opening.text, "no " + close);
    }

    private void define(Statement head, List<Statement> body) {
      Cursor in = new Cursor(head.text);
      in.accept(".macro");
      String name = in.word();
      List<String> parameters = new ArrayList<>();
      in.accept(",");
      while (!in.atEnd()) {
        String parameter = in.word();
        if (parameter.isEmpty()) {
          throw new AssemblyException(head.line, head.text, "expected a parameter name");
        }
        parameters.add(parameter);
        in.accept(",");
      }
      macros.put(name, new Macro(parameters, List.copyOf(body)));
    }

    private void repeat(Statement head, List<Statement> body, int depth) {
      int count;
      try {
        count = Integer.decode(head.text.substring(".rept".length()).strip());
      } catch (NumberFormatException e) {
        throw new AssemblyException(head.line, head.text, "the count must be a number");
      }
      for (int i = 0; i < count; i++) {
        expand(body, depth);
      }
    }

    private void call(Statement statement, int depth) {
      String name = statement.firstWord();
      Macro macro = macros.get(name);
      if (macro == null) {
        if (out.size() >= MAX_STATEMENTS) {
          throw new AssemblyException(statement.line, statement.text, "more than " + MAX_STATEMENTS + " statements");
        }
        out.add(statement);
        return;
      }
      if (depth > 50) {
        throw new AssemblyException(statement.line, statement.text, "macros nest too deeply");
      }
      List<String> arguments = Assembly.splitOperands(statement.text.substring(name.length()));
      if (arguments.size() > macro.parameters.size()) {
        throw new AssemblyException(statement.line, statement.text, "too many arguments");
      }
      String unique = Integer.toString(calls++);
      List<Statement> body = new ArrayList<>();
      for (Statement line : macro.body) {
        body.add(new Statement(statement.line, substitute(line.text, macro.parameters, arguments, unique)));
      }
      expand(body, depth + 1);
    }

    private static String substitute(String text, List<String> parameters, List<String> arguments, String unique) {
      StringBuilder result = new StringBuilder();
      for (int i = 0; i < text.length(); ) {
        char c = text.charAt(i);
        if (c != '\\') {
          result.append(c);
          i++;
          continue;
        }
        if (text.startsWith("\\@", i)) {
          result.append(unique);
          i += 2;
        } else if (text.startsWith("\\()", i)) {
          i += 3;
        } else {
          int end = i + 1;
          while (end < text.length() && (Character.isLetterOrDigit(text.charAt(end)) || text.charAt(end) == '_')) {
            end++;
          }
          int index = parameters.indexOf(text.substring(i + 1, end));
          result.append(index < 0 ? text.substring(i, end) : index < arguments.size() ? arguments.get(index) : "");
          i = end;
          if (index < 0 && end < text.length() && text.charAt(end) == '\\') {
            result.append('\\');
            i++;
          }
        }
      }
      return result.toString();
    }
  }
}
