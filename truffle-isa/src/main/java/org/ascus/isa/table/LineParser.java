package org.ascus.isa.table;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * Reads one line of a table. This runs at every start of the emulator, in HotSpot's interpreter, where a call costs
 * far more than a step of a loop: the text stays an array until a name must be kept.
 */
final class LineParser {
  private static final int MAX_COLUMNS = 6;

  private final byte[] text;
  private final int[] starts = new int[MAX_COLUMNS];
  private final int[] ends = new int[MAX_COLUMNS];
  private int columns;
  private int bit;
  private int mask;
  private int match;
  private Layout.Register rd = Layout.Register.ABSENT;
  private Layout.Register rs1 = Layout.Register.ABSENT;
  private Layout.Register rs2 = Layout.Register.ABSENT;
  private final Layout.Segment[] segments = new Layout.Segment[16];
  private int segmentCount;
  private int immBase;
  private int signBit = 31;

  private LineParser(byte[] text) {
    this.text = text;
  }

  /** Reads the line of ASCII text in {@code [start, end)}. */
  static Instruction parse(byte[] text, int start, int end, int index, Map<String, Instruction> earlier) {
    LineParser parser = new LineParser(text);
    parser.findColumns(start, end);
    return parser.parse(index, earlier);
  }

  private void findColumns(int start, int end) {
    int from = start;
    for (int i = start; i <= end; i++) {
      if (i == end || text[i] == ';') {
        if (columns == MAX_COLUMNS) {
          throw new IllegalArgumentException("more than " + MAX_COLUMNS + " columns");
        }
        int to = i;
        while (from < to && text[from] == ' ') {
          from++;
        }
        while (from < to && text[to - 1] == ' ') {
          to--;
        }
        starts[columns] = from;
        ends[columns] = to;
        columns++;
        from = i + 1;
      }
    }
    if (columns < MAX_COLUMNS - 1) {
      throw new IllegalArgumentException("expected 5 or 6 columns, found " + columns);
    }
  }

  private String text(int start, int end) {
    return new String(text, start, end - start, StandardCharsets.ISO_8859_1);
  }

  private String column(int column) {
    return text(starts[column], ends[column]);
  }

  private Instruction parse(int index, Map<String, Instruction> earlier) {
    String name = column(0);
    int length = pattern(starts[1], ends[1]);

    String form = column(2);
    Instruction base = null;
    Shape shape;
    if (form.startsWith("= ")) {
      List<String> parts = split(form.substring(2), ' ');
      base = earlier.get(parts.getFirst());
      if (base == null) {
        throw new IllegalArgumentException("no instruction " + parts.getFirst() + " above this line");
      }
      for (int i = 1; i < parts.size(); i++) {
        assign(parts.get(i));
      }
      shape = base.shape();
    } else {
      shape = Shape.valueOf(form);
    }

    String semantics = base != null ? base.semantics() : name.replace('.', '_');
    int flags = base != null ? base.flags() : shape.flags();
    int accessBytes = base != null ? base.accessBytes() : 0;
    List<Layout.Forbidden> forbidden = new ArrayList<>(2);
    for (String option : columns == MAX_COLUMNS ? split(column(5), ' ') : List.<String>of()) {
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
            Arrays.copyOf(segments, segmentCount),
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
        List.copyOf(split(column(4), '+')),
        column(3),
        accessBytes,
        base != null ? base.index() : index,
        layout);
  }

  /** Reads the pattern column from its right end, where bit 0 is; returns the length in bytes. */
  private int pattern(int from, int to) {
    int end = to;
    while (end > from) {
      int start = end - 1;
      while (start >= from && text[start] != ' ') {
        start--;
      }
      if (start + 1 < end) {
        token(start + 1, end);
      }
      end = start;
    }
    if (bit != 16 && bit != 32) {
      throw new IllegalArgumentException("the pattern has " + bit + " bits");
    }
    return bit / 8;
  }

  private void token(int start, int end) {
    byte first = text[start];
    if (first == '0' || first == '1' || first == 'x') {
      fixed(start, end);
    } else if (end - start > 5 && text[start + 4] == '[' && (first == 's' || first == 'u')) {
      immediate(start + 5, end - 1, first == 's');
    } else {
      field(text(start, end));
    }
  }

  private void field(String name) {
    switch (name) {
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
      default -> throw new IllegalArgumentException("unknown field " + name);
    }
  }

  private void fixed(int start, int end) {
    for (int i = end - 1; i >= start; i--, bit++) {
      int c = text[i];
      if (c == '0' || c == '1') {
        mask |= 1 << bit;
        match |= (c - '0') << bit;
      } else if (c != 'x') {
        throw new IllegalArgumentException("bad bits " + text(start, end));
      }
    }
  }

  private Layout.Register register(int width, int base) {
    Layout.Register register = new Layout.Register(bit, (1 << width) - 1, base);
    bit += width;
    return register;
  }

  private void segment(int high, int low) {
    if (segmentCount == segments.length || high < low) {
      throw new IllegalArgumentException("bad range " + high + ":" + low);
    }
    segments[segmentCount++] = new Layout.Segment(bit, (int) ((1L << (high - low + 1)) - 1), low);
    bit += high - low + 1;
  }

  /** Ranges like 11|4|9:8, again from the right. */
  private void immediate(int start, int end, boolean signed) {
    int low = -1;
    int number = 0;
    int scale = 1;
    for (int i = end - 1; i >= start - 1; i--) {
      int c = i >= start ? text[i] : '|';
      if (c >= '0' && c <= '9') {
        number += (c - '0') * scale;
        scale *= 10;
        continue;
      }
      if (c == ':') {
        low = number;
      } else if (c == '|') {
        segment(number, low < 0 ? number : low);
        if (signed) {
          signBit = signBit == 31 ? number : Math.max(signBit, number);
        }
        low = -1;
      } else {
        throw new IllegalArgumentException("bad range " + text(start, end));
      }
      number = 0;
      scale = 1;
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
        for (int i = 0; i < segmentCount; i++) {
          bits |= segments[i].mask() << segments[i].from();
        }
        if (value != 0) {
          throw new IllegalArgumentException("only !imm=0 is supported");
        }
        yield new Layout.Forbidden(bits, 0);
      }
      default -> throw new IllegalArgumentException("bad condition !" + condition);
    };
  }

  /** The parts of a short text between separators, empty ones dropped. */
  private static List<String> split(String text, char separator) {
    int end = text.indexOf(separator);
    if (end < 0) {
      return text.isEmpty() ? List.of() : List.of(text);
    }
    List<String> parts = new ArrayList<>(4);
    int start = 0;
    while (start < text.length()) {
      end = text.indexOf(separator, start);
      end = end < 0 ? text.length() : end;
      if (start < end) {
        parts.add(text.substring(start, end));
      }
      start = end + 1;
    }
    return parts;
  }
}
