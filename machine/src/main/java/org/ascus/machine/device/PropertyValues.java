package org.ascus.machine.device;

import java.math.BigDecimal;
import java.math.BigInteger;
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
        case INT32 -> Integer.parseInt(text);
        case UINT32 -> {
          if (parseNumber(text) >>> 32 != 0) {
            throw new NumberFormatException(text);
          }
        }
        case UINT64 -> parseNumber(text);
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

  /** An unsigned 64-bit number, decimal or with {@code 0x} hexadecimal. */
  private static long parseNumber(String text) {
    boolean hex = text.startsWith("0x") || text.startsWith("0X");
    String digits = hex ? text.substring(2) : text;
    if (digits.isEmpty() || Character.digit(digits.charAt(0), 16) < 0) {
      throw new NumberFormatException(text);
    }
    return Long.parseUnsignedLong(digits, hex ? 16 : 10);
  }

  /** Bytes, with QEMU's suffixes b, k, M, G, T, P, E (powers of 1024); decimal fractions are fine. */
  public static long parseSize(String text) {
    if (text.startsWith("0x") || text.startsWith("0X")) {
      long value = parseNumber(text);
      if (value < 0) {
        throw new NumberFormatException(text);
      }
      return value;
    }
    int unit = text.isEmpty() ? -1 : "bkmgtpe".indexOf(Character.toLowerCase(text.charAt(text.length() - 1)));
    String digits = unit >= 0 ? text.substring(0, text.length() - 1) : text;
    if (!digits.matches("[0-9]{1,20}(\\.[0-9]{1,20})?")) {
      throw new NumberFormatException(text);
    }
    BigInteger value = new BigDecimal(digits).multiply(new BigDecimal(BigInteger.ONE.shiftLeft(10 * Math.max(unit, 0))))
        .toBigInteger();
    if (value.bitLength() > 63) {
      throw new NumberFormatException(text);
    }
    return value.longValue();
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
    return declared.get(name).kind() == Property.Kind.INT32 ? Integer.parseInt(text) : parseNumber(text);
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
