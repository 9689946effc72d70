package org.ascus.isa.asm;

import java.util.Map;

/**
 * Assembled bytes.
 *
 * @param origin guest address of the first byte
 * @param bytes code and data, in guest order
 * @param symbols labels and constants by name
 */
public record Program(long origin, byte[] bytes, Map<String, Long> symbols) {
  /** The value of a symbol of the program. */
  public long symbol(String name) {
    Long value = symbols.get(name);
    if (value == null) {
      throw new IllegalArgumentException("no symbol " + name + " in the program");
    }
    return value;
  }
}
