package org.ascus.launcher.img;

import java.util.List;
import java.util.Map;

/** JSON text in the shape that qemu-img prints: an item a line, indented by four. */
final class Json {
  private Json() {}

  /** Text of a map, list, string, number or truth value. */
  static String text(Object value) {
    StringBuilder out = new StringBuilder();
    put(out, value, "");
    return out.toString();
  }

  private static void put(StringBuilder out, Object value, String indent) {
    String deeper = indent + "    ";
    if (value instanceof Map<?, ?> map) {
      out.append("{");
      String comma = "\n";
      for (Map.Entry<?, ?> e : map.entrySet()) {
        out.append(comma).append(deeper).append(quote(e.getKey().toString())).append(": ");
        put(out, e.getValue(), deeper);
        comma = ",\n";
      }
      out.append("\n").append(indent).append("}");
    } else if (value instanceof List<?> list) {
      out.append("[");
      String comma = "\n";
      for (Object item : list) {
        out.append(comma).append(deeper);
        put(out, item, deeper);
        comma = ",\n";
      }
      out.append("\n").append(indent).append("]");
    } else if (value instanceof String text) {
      out.append(quote(text));
    } else {
      out.append(value);
    }
  }

  static String quote(String text) {
    StringBuilder out = new StringBuilder("\"");
    for (char c : text.toCharArray()) {
      if (c == '"' || c == '\\') {
        out.append('\\').append(c);
      } else if (c < ' ') {
        out.append(String.format("\\u%04x", (int) c));
      } else {
        out.append(c);
      }
    }
    return out.append('"').toString();
  }
}
