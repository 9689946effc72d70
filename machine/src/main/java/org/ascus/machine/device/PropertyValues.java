package org.ascus.machine.device;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Values for the properties of one device, checked against their declarations. */
public final class PropertyValues {
  private final String device;
  private final Map<String, Property> declared = new LinkedHashMap<>();
  private final Map<String, String> values = new LinkedHashMap<>();

  /**
   * @throws DeviceException for a name that is not declared or a value that its kind does not take
   */
  public PropertyValues(String device, List<Property> properties, Map<String, String> given) throws DeviceException {
    this.device = device;
    properties.forEach(p -> declared.put(p.name(), p));
    for (Map.Entry<String, String> e : given.entrySet()) {
      Property property = declared.get(e.getKey());
      if (property == null) {
        throw new DeviceException("Property '" + device + "." + e.getKey() + "' not found");
      }
      values.put(e.getKey(), e.getValue());
      check(property, e.getValue());
    }
  }

  private void check(Property property, String text) throws DeviceException {
    try {
      switch (property.kind()) {
        case BOOL -> parseBool(text);
        case UINT32 -> {
          long value = Long.decode(text);
          if (value < 0 || value > 0xffffffffL) {
            throw new NumberFormatException();
          }
        }
        case UINT64 -> {
          boolean hex = text.startsWith("0x");
          Long.parseUnsignedLong(hex ? text.substring(2) : text, hex ? 16 : 10);
        }
        case SIZE -> parseSize(text);
        case STRING, DRIVE, CHARDEV -> {}
      }
    } catch (NumberFormatException e) {
      throw new DeviceException(
          "Parameter '%s.%s' expects %s, not '%s'".formatted(device, property.name(), property.kind().label(), text));
    }
  }

  private static boolean parseBool(String text) {
    return switch (text.toLowerCase(Locale.ROOT)) {
      case "on", "yes", "true", "y" -> true;
      case "off", "no", "false", "n" -> false;
      default -> throw new NumberFormatException(text);
    };
  }

  /** Bytes, with QEMU's suffixes b, k, M, G, T (powers of 1024). */
  public static long parseSize(String text) {
    if (text.isEmpty()) {
      throw new NumberFormatException(text);
    }
    int shift =
        switch (text.charAt(text.length() - 1)) {
          case 'k', 'K' -> 10;
          case 'm', 'M' -> 20;
          case 'g', 'G' -> 30;
          case 't', 'T' -> 40;
          default -> 0;
        };
    boolean hasUnit = shift != 0 || text.endsWith("b") || text.endsWith("B");
    String digits = hasUnit ? text.substring(0, text.length() - 1) : text;
    if (text.startsWith("0x")) {
      return Long.parseUnsignedLong(text.substring(2), 16);
    }
    long value = new java.math.BigDecimal(digits).multiply(java.math.BigDecimal.valueOf(1L << shift)).longValue();
    if (value < 0) {
      throw new NumberFormatException(text);
    }
    return value;
  }

  public boolean isSet(String name) {
    return values.containsKey(name);
  }

  public String getString(String name) {
    return values.getOrDefault(name, declared.get(name).defaultValue());
  }

  public boolean getBool(String name) {
    return parseBool(getString(name));
  }

  public long getLong(String name) {
    String text = getString(name);
    return text.startsWith("0x") ? Long.parseUnsignedLong(text.substring(2), 16) : Long.parseUnsignedLong(text);
  }

  public long getSize(String name) {
    return parseSize(getString(name));
  }

  /** Name and text of each property, defaults included, in order of declaration. */
  public Map<String, String> all() {
    Map<String, String> result = new LinkedHashMap<>();
    declared.values().forEach(p -> result.put(p.name(), getString(p.name())));
    return result;
  }
}
