package org.ascus.isa.riscv;

/** What an AMO stores, given the old value and the operand (unprivileged specification, chapter "A"). */
final class Amo {
  static final int SWAP = 0;
  static final int ADD = 1;
  static final int XOR = 2;
  static final int AND = 3;
  static final int OR = 4;
  static final int MIN = 5;
  static final int MAX = 6;
  static final int MINU = 7;
  static final int MAXU = 8;

  private Amo() {}

  static int apply32(int operation, int old, int operand) {
    return switch (operation) {
      case SWAP -> operand;
      case ADD -> old + operand;
      case XOR -> old ^ operand;
      case AND -> old & operand;
      case OR -> old | operand;
      case MIN -> Math.min(old, operand);
      case MAX -> Math.max(old, operand);
      case MINU -> Integer.compareUnsigned(old, operand) < 0 ? old : operand;
      case MAXU -> Integer.compareUnsigned(old, operand) > 0 ? old : operand;
      default -> throw new IllegalArgumentException("AMO " + operation);
    };
  }

  static long apply64(int operation, long old, long operand) {
    return switch (operation) {
      case SWAP -> operand;
      case ADD -> old + operand;
      case XOR -> old ^ operand;
      case AND -> old & operand;
      case OR -> old | operand;
      case MIN -> Math.min(old, operand);
      case MAX -> Math.max(old, operand);
      case MINU -> Long.compareUnsigned(old, operand) < 0 ? old : operand;
      case MAXU -> Long.compareUnsigned(old, operand) > 0 ? old : operand;
      default -> throw new IllegalArgumentException("AMO " + operation);
    };
  }
}
