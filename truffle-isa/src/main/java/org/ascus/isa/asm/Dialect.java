package org.ascus.isa.asm;

import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.ToLongFunction;

/** What an ISA's assembly language has beyond the lines of its instruction table. */
public interface Dialect {
  /** The number of a register, by any of its names. */
  OptionalInt register(String name, boolean floatingPoint);

  /** The usual name of a register. */
  String registerName(int number, boolean floatingPoint);

  /** The number of a system register. */
  OptionalInt systemRegister(String name);

  /** The name of a system register. */
  Optional<String> systemRegisterName(int number);

  /**
   * Rewrites a pseudo-instruction.
   *
   * @param evaluate value of an operand that must be known where it stands
   * @return the statements it stands for, empty if this is no pseudo-instruction
   */
  Optional<List<String>> expand(String mnemonic, List<String> operands, ToLongFunction<String> evaluate);

  /** The text of an encoding that has a mnemonic of its own without being a line of the table. */
  Optional<String> special(int bits);

  /** Smallest do-nothing encodings to pad code with: of two bytes and of four. */
  int[] padding();
}
