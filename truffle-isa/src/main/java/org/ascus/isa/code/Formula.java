package org.ascus.isa.code;

import java.util.List;
import java.util.function.IntFunction;
import java.util.function.UnaryOperator;

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

  /** What is in {@code slot}, one behind those of registers. */
  record State(int slot) implements Formula {}

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
      if (simple instanceof Constant c) {
        // Of a value of 32 bits nobody looks at the upper half.
        if (operation == UnaryOperation.LOW_WORD) {
          return c;
        } else if (operation == UnaryOperation.SIGN_EXTEND_WORD) {
          return new Constant((int) c.value());
        }
      }
      return new Unary(operation, simple);
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
      Binary simple = new Binary(operation, wide, first, second);
      if (operation.commutes() && first instanceof Constant && !(second instanceof Constant)) {
        return simple.swapped().simplified();
      }
      if (operation != Operation.ADD || !(second instanceof Constant d)) {
        return simple;
      }
      return first instanceof Constant c ? new Constant(c.value() + d.value()) : second.equals(ZERO) ? first : simple;
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

  /**
   * A floating-point operation on values in IEEE formats, as the bits of {@code long} or {@code int}. It raises
   * exceptions, and a result that is not a number is the default one.
   *
   * @param wide whether what is computed, or compared or converted to an integer, has 64 bits; if not it has 32
   * @param rounding its mode, as {@link org.ascus.isa.fp.RoundingMode} numbers them
   */
  record Floating(FloatingOperation operation, boolean wide, List<Formula> operands, Formula rounding)
      implements Formula {
    @Override
    public Formula with(IntFunction<Formula> arguments) {
      return map(o -> o.with(arguments));
    }

    @Override
    public Formula simplified() {
      return map(Formula::simplified);
    }

    private Formula map(UnaryOperator<Formula> change) {
      return new Floating(operation, wide, operands.stream().map(change).toList(), change.apply(rounding));
    }

    @Override
    public long registers() {
      return operands.stream().mapToLong(Formula::registers).reduce(0, (a, b) -> a | b);
    }
  }

  /** What {@link Floating} does. Comparisons give 1 or 0. */
  enum FloatingOperation {
    ADD,
    SUBTRACT,
    MULTIPLY,
    DIVIDE,
    SQUARE_ROOT,
    /** The product of the first two and the sum of that and the third, rounded once. */
    FUSED,
    EQUAL,
    LESS,
    LESS_EQUAL,
    FROM_WORD,
    FROM_UNSIGNED_WORD,
    FROM_LONG,
    FROM_UNSIGNED_LONG,
    TO_WORD,
    TO_LONG,
    /** From the format of the other width. */
    FROM_OTHER_WIDTH;

    public boolean isComparison() {
      return this == EQUAL || this == LESS || this == LESS_EQUAL;
    }

    public boolean isFromInteger() {
      return this == FROM_WORD || this == FROM_UNSIGNED_WORD || this == FROM_LONG || this == FROM_UNSIGNED_LONG;
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
      boolean comparison =
          condition.a() instanceof Floating f
              && f.operation().isComparison()
              && condition.relation() == Relation.NOT_EQUAL
              && condition.b().equals(ZERO)
              && yes.equals(new Constant(1))
              && no.equals(ZERO);
      return comparison
          ? condition.a().simplified()
          : new Select(condition.simplified(), yes.simplified(), no.simplified());
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
    REMAINDER_UNSIGNED;

    public boolean commutes() {
      return this == ADD || this == AND || this == OR || this == XOR || this == MULTIPLY;
    }
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
