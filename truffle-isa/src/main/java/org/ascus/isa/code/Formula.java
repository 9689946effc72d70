package org.ascus.isa.code;

import java.util.function.IntFunction;

/** What an instruction computes, as a tree: the semantic method of the table, in a form that can become host code. */
public sealed interface Formula {
  /** Parameter {@code number} of a semantic method, 64 bits. */
  record Parameter(int number) implements Formula {
    @Override
    public Formula with(IntFunction<Formula> arguments) {
      return arguments.apply(number);
    }
  }

  /** A register of the guest's. */
  record Register(int slot) implements Formula {
    @Override
    public long registers() {
      return 1L << slot;
    }
  }

  record Constant(long value) implements Formula {}

  Constant ZERO = new Constant(0);

  /** The virtual address {@code offset} bytes from the region's head. */
  record Address(int offset) implements Formula {}

  /** Memory, {@code displacement} bytes from the first of group {@code group} of a stretch; sign-extended or not. */
  record Memory(int group, int displacement, int widthLog2, boolean signed) implements Formula {}

  /** What is on the host's stack of temporary values already. */
  record Computed() implements Formula {}

  /** {@code operation} of one operand. */
  record Unary(UnaryOperation operation, Formula a) implements Formula {
    @Override
    public Formula with(IntFunction<Formula> arguments) {
      return new Unary(operation, a.with(arguments));
    }

    @Override
    public Formula simplified() {
      Formula simple = a.simplified();
      return operation == UnaryOperation.LOW_WORD && simple instanceof Constant
          ? simple
          : new Unary(operation, simple);
    }

    @Override
    public long registers() {
      return a.registers();
    }
  }

  /**
   * {@code operation} of two operands.
   *
   * @param wide whether it is one of 64 bits; if not it is one of 32, as are its operands, but for a shift's second
   */
  record Binary(Operation operation, boolean wide, Formula a, Formula b) implements Formula {
    @Override
    public Formula simplified() {
      Formula first = a.simplified();
      Formula second = b.simplified();
      if (operation != Operation.ADD) {
        return new Binary(operation, wide, first, second);
      }
      if (first instanceof Constant c && second instanceof Constant d) {
        return new Constant(c.value() + d.value());
      }
      if (first.equals(ZERO)) {
        return second;
      }
      return second.equals(ZERO) ? first : new Binary(operation, wide, first, second);
    }

    /** With the operands the other way round. */
    public Binary swapped() {
      return new Binary(operation, wide, b, a);
    }

    @Override
    public Formula with(IntFunction<Formula> arguments) {
      return new Binary(operation, wide, a.with(arguments), b.with(arguments));
    }

    @Override
    public long registers() {
      return a.registers() | b.registers();
    }
  }

  /** One of two values. */
  record Select(Condition condition, Formula yes, Formula no) implements Formula {
    @Override
    public Formula with(IntFunction<Formula> arguments) {
      return new Select(condition.with(arguments), yes.with(arguments), no.with(arguments));
    }

    @Override
    public Formula simplified() {
      return new Select(condition.simplified(), yes.simplified(), no.simplified());
    }

    @Override
    public long registers() {
      return condition.a().registers() | condition.b().registers() | yes.registers() | no.registers();
    }
  }

  /** What {@link Select} asks: whether {@code relation} holds between two values of 64 or 32 bits. */
  record Condition(Relation relation, boolean wide, Formula a, Formula b) {
    public Condition negated() {
      return new Condition(relation.negated(), wide, a, b);
    }

    Condition with(IntFunction<Formula> arguments) {
      return new Condition(relation, wide, a.with(arguments), b.with(arguments));
    }

    Condition simplified() {
      return new Condition(relation, wide, a.simplified(), b.simplified());
    }
  }

  /** What has one operand. */
  enum UnaryOperation {
    /** The low 32 bits. */
    LOW_WORD,
    /** 32 bits made 64. */
    SIGN_EXTEND_WORD,
    /** The low 8 of 32 bits made 32. */
    SIGN_EXTEND_BYTE,
    /** The low 16 of 32 bits made 32. */
    SIGN_EXTEND_HALF,
    REVERSE_BYTES,
    /** Of 64 bits; 64 if there is no one. */
    LEADING_ZEROS,
    /** Of 64 bits; 64 if there is no one. */
    TRAILING_ZEROS,
    /** Of 64 bits. */
    ONES,
    /** Of 32 bits; 32 if there is no one. */
    LEADING_ZEROS_OF_WORD,
    /** Of 32 bits; 32 if there is no one. */
    TRAILING_ZEROS_OF_WORD,
    /** Of 32 bits. */
    ONES_OF_WORD
  }

  /** What has two operands; a shift count counts modulo the width. */
  enum Operation {
    ADD,
    SUBTRACT,
    AND,
    OR,
    XOR,
    MULTIPLY,
    SHIFT_LEFT,
    SHIFT_RIGHT,
    SHIFT_RIGHT_UNSIGNED,
    ROTATE_LEFT,
    ROTATE_RIGHT,
    /** The upper half of the product. */
    MULTIPLY_HIGH,
    MULTIPLY_HIGH_UNSIGNED,
    /** Towards zero; what divides is not zero, and the smallest number by -1 is itself. */
    DIVIDE,
    REMAINDER,
    DIVIDE_UNSIGNED,
    REMAINDER_UNSIGNED
  }

  /** Relations between two numbers. */
  enum Relation {
    EQUAL,
    NOT_EQUAL,
    LESS,
    GREATER_EQUAL,
    GREATER,
    LESS_EQUAL,
    BELOW,
    ABOVE_EQUAL,
    ABOVE,
    BELOW_EQUAL;

    Relation negated() {
      return switch (this) {
        case EQUAL -> NOT_EQUAL;
        case NOT_EQUAL -> EQUAL;
        case LESS -> GREATER_EQUAL;
        case GREATER_EQUAL -> LESS;
        case GREATER -> LESS_EQUAL;
        case LESS_EQUAL -> GREATER;
        case BELOW -> ABOVE_EQUAL;
        case ABOVE_EQUAL -> BELOW;
        case ABOVE -> BELOW_EQUAL;
        case BELOW_EQUAL -> ABOVE;
      };
    }

    /** Of numbers without sign. */
    Relation unsigned() {
      return switch (this) {
        case LESS -> BELOW;
        case GREATER_EQUAL -> ABOVE_EQUAL;
        case GREATER -> ABOVE;
        case LESS_EQUAL -> BELOW_EQUAL;
        default -> this;
      };
    }
  }

  /** This with {@code arguments} in place of the parameters. */
  default Formula with(IntFunction<Formula> arguments) {
    return this;
  }

  /** Another with the same value, without what constants make needless. */
  default Formula simplified() {
    return this;
  }

  /** Registers that it reads, as a bit set. */
  default long registers() {
    return 0;
  }
}
