package org.ascus.isa.hostcode;

import static org.ascus.isa.hostcode.X64Assembler.RAX;
import static org.ascus.isa.hostcode.X64Assembler.RBX;
import static org.ascus.isa.hostcode.X64Assembler.RCX;

import java.util.List;
import java.util.Set;
import java.util.function.IntUnaryOperator;
import org.ascus.isa.code.Formula;
import org.ascus.isa.code.Formula.Constant;
import org.ascus.isa.code.Formula.Floating;
import org.ascus.isa.code.Formula.FloatingOperation;
import org.ascus.isa.code.Formula.Register;
import org.ascus.isa.cpu.Slots;
import org.ascus.isa.fp.F32;
import org.ascus.isa.fp.F64;
import org.ascus.isa.fp.FpFlags;
import org.ascus.isa.fp.RoundingMode;
import org.ascus.isa.hostcode.X64Assembler.Label;

/**
 * Emits host code that computes a {@link Floating} formula with the processor's floating-point unit. It collects the
 * exceptions as guests want them: tininess is detected after rounding, and rounding is to the nearest.
 */
final class HostFloating {
  /** All exceptions masked, none raised, rounding to the nearest: the register of exceptions where control comes in. */
  static final int NO_EXCEPTIONS = 0x1f80;

  /** By the low bits of that register: invalid, denormal, division by zero, overflow, underflow, inexact. */
  private static final int[] FLAGS = {FpFlags.NV, 0, FpFlags.DZ, FpFlags.OF, FpFlags.UF, FpFlags.NX};

  static final int EXCEPTION_BITS = FLAGS.length;

  private static final boolean FUSES = HostFormulas.hostHas(Set.of("fma"));

  private final X64Assembler code;
  private final HostFormulas formulas;
  private final IntUnaryOperator homes;

  HostFloating(X64Assembler code, HostFormulas formulas, IntUnaryOperator homes) {
    this.code = code;
    this.formulas = formulas;
    this.homes = homes;
  }

  /** {@link FpFlags} of what the register of exceptions tells. */
  static int flags(long exceptions) {
    int flags = 0;
    for (int i = 0; i < FLAGS.length; i++) {
      flags |= (exceptions >>> i & 1) != 0 ? FLAGS[i] : 0;
    }
    return flags;
  }

  /** As {@link HostFormulas#fits}. */
  static boolean fits(Floating formula, int used) {
    int needed = formula.operation() == FloatingOperation.FROM_UNSIGNED_LONG ? 2 : 1;
    return (formula.operation() != FloatingOperation.FUSED || FUSES)
        && used + needed <= HostFormulas.TEMPORARY.length
        && formula.operands().stream().allMatch(o -> HostFormulas.fits(o, used + 1));
  }

  /** As {@link HostFormulas#compute}; every operand is read before {@code to} is written. */
  void compute(Floating formula, int to, int used) {
    boolean wide = formula.wide();
    List<Formula> operands = formula.operands();
    FloatingOperation operation = formula.operation();
    if (operation.isFromInteger()) {
      fromInteger(formula, to, used);
      return;
    }
    boolean fused = operation == FloatingOperation.FUSED;
    for (int i = 0; i < operands.size(); i++) {
      // A fused multiplication adds to register 0.
      int register = fused ? (i + 1) % 3 : i;
      operand(operands.get(i), operation == FloatingOperation.FROM_OTHER_WIDTH ? !wide : wide, register, used);
    }
    switch (operation) {
      case ADD -> code.floating(X64Assembler.ADD_FLOAT, wide, 0, 1);
      case SUBTRACT -> code.floating(X64Assembler.SUBTRACT_FLOAT, wide, 0, 1);
      case MULTIPLY -> code.floating(X64Assembler.MULTIPLY_FLOAT, wide, 0, 1);
      case DIVIDE -> code.floating(X64Assembler.DIVIDE_FLOAT, wide, 0, 1);
      case SQUARE_ROOT -> code.floating(X64Assembler.SQUARE_ROOT, wide, 0, 0);
      case FUSED -> code.fusedMultiplyAdd(wide, 0, 1, 2);
      case FROM_OTHER_WIDTH -> code.convertFloat(!wide, 0, 0);
      case EQUAL, LESS, LESS_EQUAL -> {
        compare(operation, wide, to);
        return;
      }
      default -> {
        toInteger(formula, to);
        return;
      }
    }
    Label number = new Label();
    code.compareFloats(false, wide, 0, 0);
    code.fromFloat(wide, to, 0);
    code.jumpIf(X64Assembler.NO_PARITY, number);
    if (fused) {
      raiseOfProduct(wide);
    }
    code.move(to, wide ? F64.DEFAULT_NAN : F32.DEFAULT_NAN);
    code.bind(number);
  }

  /**
   * Emits that rax has the exceptions raised so far, as {@link FpFlags}.
   *
   * @param table {@link #flags} of all values, a byte each
   */
  void readFlags(long table) {
    code.storeExceptions(RBX, 8 * Slots.EXCEPTIONS);
    code.load(RAX, RBX, 8 * Slots.EXCEPTIONS, 2, false);
    code.aluConstant(X64Assembler.AND, false, RAX, (1 << EXCEPTION_BITS) - 1);
    code.move(RCX, table);
    code.alu(X64Assembler.ADD, true, RCX, RAX);
    code.load(RAX, RCX, 0, 0, false);
    code.alu(X64Assembler.OR, true, RAX, RBX, 8 * Slots.FLAGS);
  }

  /** Emits that the exceptions in {@code from} are those that were raised so far. */
  void writeFlags(int from) {
    Label none = new Label();
    code.store(from, RBX, 8 * Slots.FLAGS, 3);
    // To load the register takes ten times as long as to look.
    code.storeExceptions(RBX, 8 * Slots.EXCEPTIONS);
    code.compareConstant(NO_EXCEPTIONS, RBX, 8 * Slots.EXCEPTIONS);
    code.jumpIf(X64Assembler.EQUAL, none);
    code.storeConstant(NO_EXCEPTIONS, RBX, 8 * Slots.EXCEPTIONS);
    code.loadExceptions(RBX, 8 * Slots.EXCEPTIONS);
    code.bind(none);
  }

  private void operand(Formula operand, boolean wide, int to, int used) {
    if (wide && operand instanceof Register r) {
      int home = homes.applyAsInt(r.slot());
      if (home >= 0) {
        code.toFloat(true, to, home);
      } else {
        code.loadFloat(true, to, RBX, 8 * r.slot());
      }
    } else {
      code.toFloat(wide, to, integer(operand, used));
    }
  }

  private int integer(Formula operand, int used) {
    int temporary = HostFormulas.TEMPORARY[used];
    formulas.compute(operand, temporary, used + 1);
    return temporary;
  }

  /** Infinity times zero is invalid, which the processor does not say if what is to be added is not a number. */
  private void raiseOfProduct(boolean wide) {
    Label invalid = new Label();
    code.storeExceptions(RBX, 8 * Slots.EXCEPTIONS);
    code.floating(X64Assembler.MULTIPLY_FLOAT, wide, 1, 2);
    code.compareFloats(false, wide, 1, 1);
    code.jumpIf(X64Assembler.PARITY, invalid);
    code.loadExceptions(RBX, 8 * Slots.EXCEPTIONS);
    code.bind(invalid);
  }

  private void compare(FloatingOperation operation, boolean wide, int to) {
    if (operation == FloatingOperation.EQUAL) {
      Label unordered = new Label();
      code.move(to, 0);
      code.compareFloats(false, wide, 0, 1);
      code.jumpIf(X64Assembler.PARITY, unordered);
      code.set(X64Assembler.EQUAL, to);
      code.bind(unordered);
    } else {
      code.compareFloats(true, wide, 1, 0);
      code.set(operation == FloatingOperation.LESS ? X64Assembler.ABOVE : X64Assembler.ABOVE_EQUAL, to);
    }
  }

  private void fromInteger(Floating formula, int to, int used) {
    boolean wide = formula.wide();
    int from = integer(formula.operands().getFirst(), used);
    code.zeroFloat(0);
    switch (formula.operation()) {
      case FROM_WORD -> code.floatFromInteger(wide, false, 0, from);
      case FROM_UNSIGNED_WORD -> {
        code.move(false, from, from);
        code.floatFromInteger(wide, true, 0, from);
      }
      case FROM_LONG -> code.floatFromInteger(wide, true, 0, from);
      default -> fromUnsignedLong(wide, from, HostFormulas.TEMPORARY[used + 1]);
    }
    code.fromFloat(wide, to, 0);
  }

  /** The processor knows signed integers only; the bit that is lost by halving a greater one only says "inexact". */
  private void fromUnsignedLong(boolean wide, int from, int other) {
    Label great = new Label();
    Label end = new Label();
    code.test(true, from, from);
    code.jumpIf(X64Assembler.LESS, great);
    code.floatFromInteger(wide, true, 0, from);
    code.jump(end);
    code.bind(great);
    code.move(true, other, from);
    code.shift(X64Assembler.SHR, true, from, 1);
    code.aluConstant(X64Assembler.AND, true, other, 1);
    code.alu(X64Assembler.OR, true, from, other);
    code.floatFromInteger(wide, true, 0, from);
    code.floating(X64Assembler.ADD_FLOAT, wide, 0, 0);
    code.bind(end);
  }

  /** What is out of range saturates, and what is not a number gives the greatest integer. */
  private void toInteger(Floating formula, int to) {
    boolean wide = formula.wide();
    boolean isLong = formula.operation() == FloatingOperation.TO_LONG;
    Label greatest = new Label();
    Label end = new Label();
    code.integerFromFloat(wide, isLong, formula.rounding().equals(new Constant(RoundingMode.RTZ)), to, 0);
    // Only the smallest integer overflows here.
    code.aluConstant(X64Assembler.CMP, isLong, to, 1);
    code.jumpIf(X64Assembler.NO_OVERFLOW, end);
    code.zeroFloat(1);
    code.compareFloats(false, wide, 0, 1);
    code.jumpIf(X64Assembler.PARITY, greatest);
    code.jumpIf(X64Assembler.BELOW, end);
    code.bind(greatest);
    code.move(to, isLong ? Long.MAX_VALUE : Integer.MAX_VALUE);
    code.bind(end);
  }
}
