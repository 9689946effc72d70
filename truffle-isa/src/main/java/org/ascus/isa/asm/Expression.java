package org.ascus.isa.asm;

/**
 * Evaluates constant expressions: C's operators {@code | ^ & << >> + - * / % ~} and parentheses with C's precedence,
 * decimal, 0x, 0b and 0 (octal) numbers, characters, symbols, local labels like 1b and 1f, and "." for the address of
 * the statement. All arithmetic is on 64 bits.
 */
final class Expression {
  /** Where symbols get their values. */
  interface Scope {
    /** The value of a symbol or {@link SyntaxProblem.Undefined}. */
    long symbol(String name);

    /** The nearest definition of a numeric label before or after this statement. */
    long local(int number, boolean forward);

    /** The address of the statement. */
    long here();
  }

  private static final String[][] LEVELS = {{"|"}, {"^"}, {"&"}, {"<<", ">>"}, {"+", "-"}, {"*", "/", "%"}};

  private final Cursor in;
  private final Scope scope;

  private Expression(Cursor in, Scope scope) {
    this.in = in;
    this.scope = scope;
  }

  /** Evaluates the expression at the cursor and moves behind it. */
  static long evaluate(Cursor in, Scope scope) {
    return new Expression(in, scope).binary(0);
  }

  private long binary(int level) {
    if (level == LEVELS.length) {
      return unary();
    }
    long value = binary(level + 1);
    while (true) {
      String operator = operator(LEVELS[level]);
      if (operator.isEmpty()) {
        return value;
      }
      value = apply(operator, value, binary(level + 1));
    }
  }

  private String operator(String[] operators) {
    for (String operator : operators) {
      if (in.accept(operator)) {
        return operator;
      }
    }
    return "";
  }

  private static long apply(String operator, long a, long b) {
    return switch (operator) {
      case "|" -> a | b;
      case "^" -> a ^ b;
      case "&" -> a & b;
      case "<<" -> a << b;
      case ">>" -> a >>> b;
      case "+" -> a + b;
      case "-" -> a - b;
      case "*" -> a * b;
      default -> {
        if (b == 0) {
          throw new SyntaxProblem("division by zero");
        }
        yield operator.equals("/") ? a / b : a % b;
      }
    };
  }

  private long unary() {
    if (in.accept("-")) {
      return -unary();
    }
    if (in.accept("+")) {
      return unary();
    }
    if (in.accept("~")) {
      return ~unary();
    }
    if (in.accept("(")) {
      long value = binary(0);
      in.expect(")");
      return value;
    }
    if (in.accept("'")) {
      long value = in.character();
      in.acceptExactly('\'');
      return value;
    }
    if (in.accept("%")) {
      return relocation();
    }
    String word = in.word();
    if (word.isEmpty()) {
      throw new SyntaxProblem("expected a number or symbol " + in.where());
    }
    if (word.equals(".")) {
      return scope.here();
    }
    return Character.isDigit(word.charAt(0)) ? number(word) : scope.symbol(word);
  }

  private long relocation() {
    String function = in.word();
    in.expect("(");
    long value = binary(0);
    in.expect(")");
    return switch (function) {
      case "hi" -> high20(value);
      case "lo" -> low12(value);
      case "pcrel_hi" -> high20(value - scope.here());
      // Of an address that the auipc right before this statement was given the high part of.
      case "pcrel_lo_after" -> low12(value - (scope.here() - 4));
      default -> throw new SyntaxProblem("unknown function %" + function);
    };
  }

  private static long high20(long value) {
    long high = value + 0x800 >> 12;
    if (high != high << 44 >> 44) {
      throw new SyntaxProblem("value 0x" + Long.toHexString(value) + " is out of reach");
    }
    return high & 0xfffff;
  }

  private static long low12(long value) {
    return value << 52 >> 52;
  }

  private long number(String word) {
    char last = word.charAt(word.length() - 1);
    if ((last == 'b' || last == 'f') && isDecimal(word.substring(0, word.length() - 1))) {
      return scope.local(Integer.parseInt(word.substring(0, word.length() - 1)), last == 'f');
    }
    try {
      if (word.startsWith("0x") || word.startsWith("0X")) {
        return Long.parseUnsignedLong(word.substring(2), 16);
      }
      if (word.startsWith("0b") || word.startsWith("0B")) {
        return Long.parseUnsignedLong(word.substring(2), 2);
      }
      return Long.parseUnsignedLong(word, word.length() > 1 && word.charAt(0) == '0' ? 8 : 10);
    } catch (NumberFormatException e) {
      throw new SyntaxProblem("bad number " + word);
    }
  }

  private static boolean isDecimal(String word) {
    return !word.isEmpty() && word.length() < 9 && word.chars().allMatch(c -> c >= '0' && c <= '9');
  }
}
