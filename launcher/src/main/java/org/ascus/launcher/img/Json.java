package org.ascus.launcher.img;

import java.nio.charset.StandardCharsets;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * JSON text in the shape that qemu-img prints: an item a line, indented by four, the members of an object in the order
 * of a hash table's chains.
 */
final class Json {
  private static final int CHAINS = 512;

  private Json() {}

  /** The members of an object in the order in which they are printed. */
  static Map<String, Object> members(Map<?, ?> object) {
    Map<String, Object> sorted = new LinkedHashMap<>();
    object.entrySet().stream()
        .sorted(Comparator.comparingInt(e -> chain(e.getKey().toString())))
        .forEach(e -> sorted.put(e.getKey().toString(), e.getValue()));
    return sorted;
  }

  /** The chain that a name is in: Trivial Database's hash, modulo the number of chains. */
  private static int chain(String name) {
    byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
    int sum = 0x238f13af * bytes.length;
    for (int i = 0; i < bytes.length; i++) {
      sum += (bytes[i] & 0xff) << i * 5 % 24;
    }
    return (1103515243 * sum + 12345) & CHAINS - 1;
  }

  /** Text of a map, list, string, number or truth value. */
  static String text(Object value) {
    StringBuilder out = new StringBuilder();
    put(out, value, "");
    return out.toString();
  }

  /** The same in one line, as in a file's name. */
  static String line(Map<?, ?> object) {
    StringBuilder out = new StringBuilder("{");
    members(object).forEach((name, value) -> {
      out.append(out.length() == 1 ? "" : ", ").append(quote(name)).append(": ");
      out.append(value instanceof Map<?, ?> map ? line(map) : value instanceof String s ? quote(s) : value.toString());
    });
    return out.append("}").toString();
  }

  private static void put(StringBuilder out, Object value, String indent) {
    String deeper = indent + "    ";
    if (value instanceof Map<?, ?> map) {
      out.append("{");
      String comma = "\n";
      for (Map.Entry<String, Object> e : members(map).entrySet()) {
        out.append(comma).append(deeper).append(quote(e.getKey())).append(": ");
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
