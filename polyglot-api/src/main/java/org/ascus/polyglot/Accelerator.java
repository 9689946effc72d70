package org.ascus.polyglot;

import org.ascus.isa.riscv.Acceleration;

/** How guest code is run. */
public enum Accelerator {
  /** Hot code is compiled to host code by Graal. */
  TRUFFLE("truffle", "hot guest code is compiled by Graal (QEMU's name for it: tcg)"),
  /** Everything is interpreted: slow, starts at once. */
  INTERPRETER("interpreter", "guest code is interpreted");

  private final String key;
  private final String help;

  Accelerator(String key, String help) {
    this.key = key;
    this.help = help;
  }

  /** The name on the command line. */
  public String key() {
    return key;
  }

  /** One line of help. */
  public String help() {
    return help;
  }

  Acceleration acceleration() {
    return switch (this) {
      case TRUFFLE -> Acceleration.truffle();
      case INTERPRETER -> Acceleration.interpreter();
    };
  }
}
