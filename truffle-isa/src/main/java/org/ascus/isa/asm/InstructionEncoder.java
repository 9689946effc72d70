package org.ascus.isa.asm;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import org.ascus.isa.table.Instruction;
import org.ascus.isa.table.Shape;

/** Encodes one instruction from its operands as text, following the syntax column of its line. */
final class InstructionEncoder {
  private static final String[] ROUNDING = {"rne", "rtz", "rdn", "rup", "rmm", "", "", "dyn"};

  private final Instruction line;
  private final Dialect dialect;
  private final Cursor in;
  private final Expression.Scope scope;
  private int rd;
  private int rs1;
  private int rs2;
  private int imm;
  private boolean sawRd;
  private boolean sawRs1;
  private boolean sawRs2;

  private InstructionEncoder(Instruction line, Dialect dialect, Cursor in, Expression.Scope scope) {
    this.line = line;
    this.dialect = dialect;
    this.in = in;
    this.scope = scope;
  }

  /** The encoding; {@code ordering} is acquire &lt;&lt; 1 | release of an atomic, 0 for others. */
  static int encode(Instruction line, int ordering, Dialect dialect, Cursor operands, Expression.Scope scope) {
    InstructionEncoder encoder = new InstructionEncoder(line, dialect, operands, scope);
    encoder.imm = ordering;
    for (String token : tokens(line.syntax())) {
      encoder.operand(token);
    }
    operands.expectEnd();
    return encoder.encode();
  }

  static List<String> tokens(String syntax) {
    List<String> tokens = new ArrayList<>();
    for (int i = 0; i < syntax.length(); ) {
      int start = i;
      while (i < syntax.length() && Cursor.isNamePart(syntax.charAt(i))) {
        i++;
      }
      i = i == start ? i + 1 : i;
      String token = syntax.substring(start, i);
      // A rounding mode takes its comma with it when it is left out.
      if (token.startsWith("rm")) {
        tokens.removeLast();
      }
      tokens.add(token);
    }
    return tokens;
  }

  private void operand(String token) {
    switch (token) {
      case "rd" -> {
        rd = register(line.rdIsFp());
        sawRd = true;
      }
      case "rs1" -> {
        rs1 = register(line.rs1IsFp());
        sawRs1 = true;
      }
      case "rs2" -> {
        rs2 = register(line.rs2IsFp());
        sawRs2 = true;
      }
      case "rs3" -> imm |= register(true) << 8;
      case "imm" -> imm = in.peek() == '(' && isBareBase() ? 0 : number();
      case "shamt" -> imm = number();
      case "upper" -> imm = upper();
      case "target" -> imm = toInt(Expression.evaluate(in, scope) - scope.here());
      case "csr" -> imm = systemRegister();
      case "zimm" -> {
        rs1 = number();
        sawRs1 = true;
      }
      case "rm", "rm0" -> imm |= roundingMode(token.equals("rm") ? 7 : 0);
      case "pred" -> imm |= fenceSet() << 4;
      case "succ" -> imm |= fenceSet();
      case "0" -> in.accept("0");
      case "sp" -> {
        if (register(false) != 2) {
          throw new SyntaxProblem("the register must be sp");
        }
      }
      default -> in.expect(token);
    }
  }

  /** Whether "(register)" comes next: an offset left out, not an expression in parentheses. */
  private boolean isBareBase() {
    int mark = in.mark();
    in.accept("(");
    boolean base = dialect.register(in.word(), false).isPresent() && in.peek() == ')';
    in.reset(mark);
    return base;
  }

  private int register(boolean floatingPoint) {
    String name = in.word();
    OptionalInt number = dialect.register(name, floatingPoint);
    if (number.isEmpty()) {
      String kind = floatingPoint ? "a floating-point register" : "an integer register";
      throw new SyntaxProblem((name.isEmpty() ? "nothing" : name) + " is not " + kind);
    }
    return number.getAsInt();
  }

  private int number() {
    return toInt(Expression.evaluate(in, scope));
  }

  private static int toInt(long value) {
    if (value != (int) value) {
      throw new SyntaxProblem("value 0x" + Long.toHexString(value) + " is out of range");
    }
    return (int) value;
  }

  /** Units of 4096, written as 20 unsigned bits or as a negative number. */
  private int upper() {
    long value = Expression.evaluate(in, scope);
    if (value < -0x80000 || value > 0xfffff) {
      throw new SyntaxProblem("value 0x" + Long.toHexString(value) + " does not fit 20 bits");
    }
    return (int) value << 12;
  }

  private int systemRegister() {
    int mark = in.mark();
    OptionalInt number = dialect.systemRegister(in.word());
    if (number.isPresent()) {
      return number.getAsInt();
    }
    in.reset(mark);
    return number();
  }

  private int roundingMode(int absent) {
    if (in.atEnd()) {
      return absent;
    }
    in.expect(",");
    String name = in.word();
    for (int i = 0; i < ROUNDING.length; i++) {
      if (!name.isEmpty() && ROUNDING[i].equals(name)) {
        return i;
      }
    }
    throw new SyntaxProblem(name + " is not a rounding mode");
  }

  /** The name of a rounding mode, empty for a reserved one. */
  static String roundingModeName(int mode) {
    return ROUNDING[mode];
  }

  private int fenceSet() {
    int set = 0;
    String letters = in.word();
    if (letters.equals("0")) {
      return 0;
    }
    for (char letter : letters.toCharArray()) {
      int index = "wroi".indexOf(letter);
      if (index < 0) {
        throw new SyntaxProblem(letters + " is not a set of i, o, r, w");
      }
      set |= 1 << index;
    }
    if (set == 0) {
      throw new SyntaxProblem("expected a set of i, o, r, w " + in.where());
    }
    return set;
  }

  private int encode() {
    var layout = line.layout();
    int operands = line.match();
    int impliedRd = sawRd ? rd : layout.rd(operands);
    // A compressed form that names a register once may use it as both.
    int impliedRs1 = sawRs1 ? rs1 : line.isCompressed() && layout.hasRs1() && sawRd ? rd : layout.rs1(operands);
    int impliedRs2 = sawRs2 ? rs2 : layout.rs2(operands);
    int impliedImm = layout.hasImm() || line.shape() == Shape.FENCE ? imm : layout.imm(operands);
    OptionalInt bits = layout.encode(impliedRd, impliedRs1, impliedRs2, impliedImm);
    if (bits.isEmpty()) {
      throw new SyntaxProblem(line.name() + " cannot encode these operands (value out of range or misaligned)");
    }
    return line.match() | bits.getAsInt();
  }
}
