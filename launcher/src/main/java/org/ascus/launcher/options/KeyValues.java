package org.ascus.launcher.options;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Function;
import java.util.regex.Pattern;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.protocol.JsonKeys;
import org.ascus.devices.block.protocol.Keys;
import org.ascus.machine.device.PropertyValues;

/** An argument of the form {@code key=value,key=value}; a comma in a value is doubled. Each key may be taken once. */
public final class KeyValues {
  private static final Pattern ID = Pattern.compile("[A-Za-z][-A-Za-z0-9._]*");

  private final Map<String, String> values = new LinkedHashMap<>();
  private final Map<String, List<String>> repeated = new LinkedHashMap<>();
  private boolean help;

  private KeyValues() {}

  /**
   * Reads an argument.
   *
   * @param impliedKey the key of a first value that has none; empty when it must have one
   */
  public static KeyValues parse(String text, String impliedKey) throws OptionException {
    KeyValues result = new KeyValues();
    List<String> parts = split(text);
    for (int i = 0; i < parts.size(); i++) {
      String part = parts.get(i);
      int eq = part.indexOf('=');
      if (part.equals("help") || part.equals("?")) {
        result.help = true;
      } else if (eq > 0) {
        result.put(part.substring(0, eq), part.substring(eq + 1));
      } else if (i == 0 && !impliedKey.isEmpty()) {
        result.values.put(impliedKey, part);
      } else if (part.isEmpty() || eq == 0) {
        throw new OptionException("expected key=value, not '" + part + "'");
      } else if (part.startsWith("no") && part.length() > 2) {
        result.values.put(part.substring(2), "off");
      } else {
        result.values.put(part, "on");
      }
    }
    return result;
  }

  /** Values by their names. */
  static KeyValues of(Map<String, String> values) {
    KeyValues result = new KeyValues();
    result.values.putAll(values);
    return result;
  }

  /** As {@link #parse}, or a JSON object. */
  static KeyValues parseOrJson(String text, String impliedKey) throws OptionException {
    if (!text.startsWith("{")) {
      return parse(text, impliedKey);
    }
    KeyValues result = new KeyValues();
    result.putJson(text);
    return result;
  }

  /** Adds what a JSON object says. */
  void putJson(String text) throws OptionException {
    try {
      values.putAll(JsonKeys.read(text));
    } catch (BlockException e) {
      throw new OptionException(e.getMessage());
    }
  }

  /** Whether there are values whose names begin with {@code prefix}. */
  boolean hasWithin(String prefix) {
    return values.keySet().stream().anyMatch(k -> k.startsWith(prefix));
  }

  /** Removes and returns all whose names begin with {@code prefix}; they come without it. */
  Map<String, String> takeWithin(String prefix) {
    return new Keys(values).within(prefix).values();
  }

  /** Has {@code taker} take what it knows out of the values. */
  <T> T taking(Function<Map<String, String>, T> taker) {
    return taker.apply(values);
  }

  /** Adds a value as if it had been said. */
  void put(String key, String value) {
    values.put(key, value);
    repeated.computeIfAbsent(key, _ -> new ArrayList<>()).add(value);
  }

  private static List<String> split(String text) {
    List<String> parts = new ArrayList<>();
    StringBuilder part = new StringBuilder();
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c != ',') {
        part.append(c);
      } else if (i + 1 < text.length() && text.charAt(i + 1) == ',') {
        part.append(',');
        i++;
      } else {
        parts.add(part.toString());
        part.setLength(0);
      }
    }
    if (!part.isEmpty() || parts.isEmpty()) {
      parts.add(part.toString());
    }
    return parts;
  }

  /** Whether {@code help} was among the parts. */
  boolean asksForHelp() {
    return help;
  }

  /** Whether there is a value that was not taken. */
  boolean has(String key) {
    return values.containsKey(key);
  }

  /** Removes and returns a value. */
  Optional<String> take(String key) {
    return Optional.ofNullable(values.remove(key));
  }

  /** The value of a key, which stays. */
  Optional<String> peek(String key) {
    return Optional.ofNullable(values.get(key));
  }

  /** Removes and returns all values of a key that may be given several times; in JSON, of an array of strings. */
  List<String> takeAll(String key) {
    values.remove(key);
    List<String> all = new ArrayList<>(repeated.getOrDefault(key, List.of()));
    for (String name : List.copyOf(values.keySet())) {
      if (name.matches(Pattern.quote(key) + "\\.[0-9]+(\\.str)?")) {
        all.add(values.remove(name));
      }
    }
    return all;
  }

  /** Removes and returns a value that must be there and not be empty. */
  String require(String key) throws OptionException {
    String value = values.remove(key);
    if (value == null || value.isEmpty()) {
      throw new OptionException("Parameter '" + key + "' is missing");
    }
    return value;
  }

  /** Removes and returns the name that an option gives to what it makes. */
  Optional<String> takeId() throws OptionException {
    String id = values.remove("id");
    if (id != null && !ID.matcher(id).matches()) {
      throw new OptionException("Parameter 'id' expects an identifier\n"
          + "Identifiers consist of letters, digits, '-', '.', '_', starting with a letter.");
    }
    return Optional.ofNullable(id);
  }

  /** As {@link #takeId}, of a name that must be there. */
  String requireId() throws OptionException {
    return takeId().orElseThrow(() -> new OptionException("Parameter 'id' is missing"));
  }

  /** Removes and returns a switch. */
  boolean takeSwitch(String key, boolean otherwise) throws OptionException {
    String value = values.remove(key);
    return value == null ? otherwise : switchValue(key, value);
  }

  static boolean switchValue(String key, String value) throws OptionException {
    return switch (value) {
      case "on", "yes", "true", "y" -> true;
      case "off", "no", "false", "n" -> false;
      default -> throw new OptionException("Parameter '" + key + "' expects 'on' or 'off', not '" + value + "'");
    };
  }

  /** Removes and returns a value that is one of several. */
  Optional<String> takeOneOf(String key, String... allowed) throws OptionException {
    String value = values.remove(key);
    if (value != null && !List.of(allowed).contains(value)) {
      throw new OptionException(
          "Parameter '" + key + "' expects one of " + String.join(", ", allowed) + ", not '" + value + "'");
    }
    return Optional.ofNullable(value);
  }

  /** Removes and returns a whole number from {@code low} to {@code high}. */
  OptionalLong takeNumber(String key, long low, long high) throws OptionException {
    String value = values.remove(key);
    if (value == null) {
      return OptionalLong.empty();
    }
    try {
      long number = Long.decode(value);
      if (number >= low && number <= high) {
        return OptionalLong.of(number);
      }
    } catch (NumberFormatException e) {
      // Said below.
    }
    throw new OptionException(
        "Parameter '" + key + "' expects a number from " + low + " to " + high + ", not '" + value + "'");
  }

  /**
   * A size in bytes with a suffix k, M, G or T.
   *
   * @param unit bytes that a number without suffix counts
   */
  public static long size(String key, String text, long unit) throws OptionException {
    try {
      boolean plain = !text.isEmpty() && Character.isDigit(text.charAt(text.length() - 1)) && !text.startsWith("0x");
      long value = PropertyValues.parseSize(text);
      return plain ? Math.multiplyExact(value, unit) : value;
    } catch (ArithmeticException | NumberFormatException e) {
      throw new OptionException(
          "Parameter '" + key + "' expects a size, a number with suffix k, M, G or T, not '" + text + "'");
    }
  }

  /** What was not taken, in order; it is taken now. */
  public Map<String, String> rest() {
    Map<String, String> rest = new LinkedHashMap<>(values);
    values.clear();
    return rest;
  }

  /** Fails when something was not taken. */
  void expectEmpty() throws OptionException {
    if (!values.isEmpty()) {
      throw new OptionException("Invalid parameter '" + values.keySet().iterator().next() + "'");
    }
  }
}
