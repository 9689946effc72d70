package org.ascus.isa.table;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** Reads one line of a table. Scans by hand: this runs at every start of the emulator. */
final class LineParser {
  private int bit;
  private int mask;
  private int match;
  private Layout.Register rd = Layout.Register.ABSENT;
  private Layout.Register rs1 = Layout.Register.ABSENT;
  private Layout.Register rs2 = Layout.Register.ABSENT;
  private final List<Layout.Segment> segments = new ArrayList<>(4);
  private int immBase;
  private int signBit = 31;

  private LineParser() {}

  static Instruction parse(String line, int index, Map<String, Instruction> earlier) {
    List<String> columns = split(line, ';');
    if (columns.size() < 5 || columns.size() > 6) {
      throw new IllegalArgumentException("expected 5 or 6 columns, found " + columns.size());
    }
    return new LineParser().parse(columns, index, earlier);
  }

  private Instruction parse(List<String> columns, int index, Map<String, Instruction> earlier) {
    String name = columns.get(0);
    int length = pattern(columns.get(1));

    String form = columns.get(2);
    Instruction base = null;
    Shape shape;
    if (form.charAt(0) == '=') {
      List<String> parts = split(form.substring(1).strip(), ' ');
      base = earlier.get(parts.get(0));
      if (base == null) {
        throw new IllegalArgumentException("no instruction " + parts.get(0) + " above this line");
      }
      for (String assignment : parts.subList(1, parts.size())) {
        assign(assignment);
      }
      shape = base.shape();
    } else {
      shape = Shape.valueOf(form);
    }

    String semantics = base != null ? base.semantics() : name.replace('.', '_');
    int flags = base != null ? base.flags() : shape.flags();
    int accessBytes = base != null ? base.accessBytes() : 0;
    List<Layout.Forbidden> forbidden = new ArrayList<>(2);
    for (String option : columns.size() > 5 ? split(columns.get(5), ' ') : List.<String>of()) {
      if (option.charAt(0) == '!') {
        forbidden.add(forbidden(option.substring(1)));
      } else if (option.startsWith("sem=")) {
        semantics = option.substring(4);
      } else if (option.startsWith("bytes=")) {
        accessBytes = Integer.parseInt(option.substring(6));
      } else if (Flags.byName(option) != 0) {
        flags |= Flags.byName(option);
      } else {
        throw new IllegalArgumentException("unknown option " + option);
      }
    }
    Layout layout =
        new Layout(
            rd,
            rs1,
            rs2,
            segments.toArray(new Layout.Segment[0]),
            immBase,
            signBit,
            forbidden.toArray(new Layout.Forbidden[0]));
    return new Instruction(
        index,
        name,
        semantics,
        mask,
        match,
        length,
        shape,
        flags,
        List.copyOf(split(columns.get(4), '+')),
        columns.get(3),
        accessBytes,
        base != null ? base.index() : index,
        layout);
  }

  /** Reads the pattern column from its right end, where bit 0 is; returns the length in bytes. */
  private int pattern(String pattern) {
    int end = pattern.length();
    while (end > 0) {
      int start = pattern.lastIndexOf(' ', end - 1) + 1;
      if (start < end) {
        token(pattern.substring(start, end));
      }
      end = start - 1;
    }
    if (bit != 16 && bit != 32) {
      throw new IllegalArgumentException("the pattern has " + bit + " bits");
    }
    return bit / 8;
  }

  private void token(String token) {
    switch (token) {
      case "rd" -> rd = register(5, 0);
      case "rs1" -> rs1 = register(5, 0);
      case "rs2" -> rs2 = register(5, 0);
      case "rd'" -> rd = register(3, 8);
      case "rs1'" -> rs1 = register(3, 8);
      case "rs2'" -> rs2 = register(3, 8);
      case "csr" -> segment(11, 0);
      case "aqrl" -> segment(1, 0);
      case "rm" -> segment(2, 0);
      case "rs3" -> segment(12, 8);
      case "sh5" -> segment(4, 0);
      case "sh6" -> segment(5, 0);
      default -> {
        char first = token.charAt(0);
        if (first == '0' || first == '1' || first == 'x') {
          fixed(token);
        } else if (token.startsWith("uimm[") || token.startsWith("simm[")) {
          immediate(token, first == 's');
        } else {
          throw new IllegalArgumentException("unknown field " + token);
        }
      }
    }
  }

  private void fixed(String token) {
    for (int i = token.length() - 1; i >= 0; i--, bit++) {
      char c = token.charAt(i);
      if (c == '0' || c == '1') {
        mask |= 1 << bit;
        match |= (c - '0') << bit;
      } else if (c != 'x') {
        throw new IllegalArgumentException("bad bits " + token);
      }
    }
  }

  private Layout.Register register(int width, int base) {
    Layout.Register register = new Layout.Register(bit, (1 << width) - 1, base);
    bit += width;
    return register;
  }

  private void segment(int high, int low) {
    segments.add(new Layout.Segment(bit, (int) ((1L << (high - low + 1)) - 1), low));
    bit += high - low + 1;
  }

  private void immediate(String token, boolean signed) {
    List<String> ranges = split(token.substring(5, token.length() - 1), '|');
    for (int i = ranges.size() - 1; i >= 0; i--) {
      String range = ranges.get(i);
      int colon = range.indexOf(':');
      int high = Integer.parseInt(colon < 0 ? range : range.substring(0, colon));
      segment(high, colon < 0 ? high : Integer.parseInt(range.substring(colon + 1)));
      if (signed) {
        signBit = signBit == 31 ? high : Math.max(signBit, high);
      }
    }
  }

  /** An assignment of a compressed line: field=number or field=other field. */
  private void assign(String assignment) {
    int equals = assignment.indexOf('=');
    String value = assignment.substring(equals + 1);
    boolean number = Character.isDigit(value.charAt(0));
    Layout.Register register =
        number ? new Layout.Register(0, 0, Integer.parseInt(value)) : value.equals("rd") ? rd : rs1;
    switch (assignment.substring(0, equals)) {
      case "rd" -> rd = register;
      case "rs1" -> rs1 = register;
      case "rs2" -> rs2 = register;
      case "imm" -> immBase = Integer.parseInt(value);
      default -> throw new IllegalArgumentException("bad assignment " + assignment);
    }
  }

  /** A condition field=value, or several joined by an ampersand that must hold together. */
  private Layout.Forbidden forbidden(String conditions) {
    int fields = 0;
    int values = 0;
    for (String condition : split(conditions, '&')) {
      Layout.Forbidden one = condition(condition);
      fields |= one.mask();
      values |= one.value();
    }
    return new Layout.Forbidden(fields, values);
  }

  private Layout.Forbidden condition(String condition) {
    int equals = condition.indexOf('=');
    int value = Integer.parseInt(condition.substring(equals + 1));
    return switch (condition.substring(0, equals)) {
      case "rd" -> new Layout.Forbidden(rd.encodingMask(), rd.put(value));
      case "rs1" -> new Layout.Forbidden(rs1.encodingMask(), rs1.put(value));
      case "rs2" -> new Layout.Forbidden(rs2.encodingMask(), rs2.put(value));
      case "imm" -> {
        int bits = 0;
        for (Layout.Segment s : segments) {
          bits |= s.mask() << s.from();
        }
        if (value != 0) {
          throw new IllegalArgumentException("only !imm=0 is supported");
        }
        yield new Layout.Forbidden(bits, 0);
      }
      default -> throw new IllegalArgumentException("bad condition !" + condition);
    };
  }

  private static List<String> split(String text, char separator) {
    String[] parts = new String[8];
    int n = 0;
    for (int start = 0; start <= text.length(); ) {
      int end = text.indexOf(separator, start);
      end = end < 0 ? text.length() : end;
      String part = text.substring(start, end).strip();
      start = end + 1;
      if (separator == ' ' && part.isEmpty()) {
        continue;
      }
      if (n == parts.length) {
        parts = Arrays.copyOf(parts, 2 * n);
      }
      parts[n++] = part;
    }
    return Arrays.asList(parts).subList(0, n);
  }
}
