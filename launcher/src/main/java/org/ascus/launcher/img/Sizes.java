package org.ascus.launcher.img;

import java.math.BigDecimal;
import java.math.RoundingMode;

/** Sizes as people write and read them. */
final class Sizes {
  private static final String SUFFIXES = "BKMGTPE";
  private static final String[] UNITS = {"", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"};

  private Sizes() {}

  /** Bytes of a text such as {@code 1.5G}. */
  static long parse(String what, String text) throws ImgException {
    try {
      String number = text;
      long unit = 1;
      int suffix = text.isEmpty() ? -1 : SUFFIXES.indexOf(Character.toUpperCase(text.charAt(text.length() - 1)));
      if (suffix >= 0 && !text.startsWith("0x")) {
        number = text.substring(0, text.length() - 1);
        unit = 1L << 10 * suffix;
      }
      BigDecimal value = number.startsWith("0x")
          ? BigDecimal.valueOf(Long.parseLong(number.substring(2), 16)) : new BigDecimal(number);
      long bytes = value.multiply(BigDecimal.valueOf(unit)).toBigInteger().longValueExact();
      if (bytes >= 0) {
        return bytes;
      }
    } catch (ArithmeticException | NumberFormatException e) {
      // Said below.
    }
    throw new ImgException("Invalid " + what + " specified. You may use k, M, G, T, P or E suffixes for "
        + "kilobytes, megabytes, gigabytes, terabytes, petabytes and exabytes.");
  }

  /** Three digits and a unit. */
  static String human(long bytes) {
    int unit = 0;
    double value = bytes;
    while (value >= 1000 && unit < UNITS.length - 1) {
      value /= 1024;
      unit++;
    }
    int digits = value >= 100 ? 0 : value >= 10 ? 1 : value >= 1 || value == 0 ? 2 : 3;
    BigDecimal rounded = new BigDecimal(value).setScale(digits, RoundingMode.HALF_EVEN).stripTrailingZeros();
    return rounded.toPlainString() + " " + UNITS[unit] + "B";
  }
}
