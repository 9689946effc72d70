package org.ascus.devices.block.protocol;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.ascus.devices.block.BlockException;

/**
 * Takes options out of a map of names and values.
 *
 * @param values what was not taken yet
 */
public record Keys(Map<String, String> values) {
  public Optional<String> text(String key) {
    return Optional.ofNullable(values.remove(key));
  }

  public String require(String key) throws BlockException {
    return text(key).filter(v -> !v.isEmpty())
        .orElseThrow(() -> new BlockException("Parameter '" + key + "' is missing"));
  }

  public boolean flag(String key, boolean otherwise) throws BlockException {
    String value = values.remove(key);
    if (value == null) {
      return otherwise;
    }
    return switch (value) {
      case "on", "yes", "true", "y" -> true;
      case "off", "no", "false", "n" -> false;
      default -> throw new BlockException("Parameter '" + key + "' expects 'on' or 'off'");
    };
  }

  public Optional<String> oneOf(String key, String... allowed) throws BlockException {
    Optional<String> value = text(key);
    if (value.isPresent() && !List.of(allowed).contains(value.get())) {
      throw new BlockException("Parameter '" + key + "' does not accept value '" + value.get() + "'");
    }
    return value;
  }

  /** A number of bytes, or of anything, with an optional suffix k, M, G, T. */
  public long size(String key, long otherwise) throws BlockException {
    String value = values.remove(key);
    if (value == null) {
      return otherwise;
    }
    try {
      int last = value.length() - 1;
      int unit = value.isEmpty() ? -1 : "bkmgtpe".indexOf(Character.toLowerCase(value.charAt(last)));
      String digits = unit < 0 ? value : value.substring(0, last);
      long bytes = Math.multiplyExact(Long.parseLong(digits), 1L << 10 * Math.max(0, unit));
      if (bytes >= 0) {
        return bytes;
      }
    } catch (NumberFormatException | ArithmeticException e) {
      // Said below.
    }
    throw new BlockException("Parameter '" + key + "' expects a size, not '" + value + "'");
  }

  /** Takes out all whose names begin with {@code prefix}; they come without it. */
  public Keys within(String prefix) {
    Map<String, String> inner = new LinkedHashMap<>();
    for (String name : List.copyOf(values.keySet())) {
      if (name.startsWith(prefix)) {
        inner.put(name.substring(prefix.length()), values.remove(name));
      }
    }
    return new Keys(inner);
  }

  /** Fails when something was not taken. */
  public void expectEmpty(String driver) throws BlockException {
    if (!values.isEmpty()) {
      throw new BlockException(
          "Block driver '" + driver + "' does not support the option '" + values.keySet().iterator().next() + "'");
    }
  }
}
