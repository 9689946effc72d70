package org.ascus.isa.hostcode;

import static org.ascus.isa.hostcode.X64Assembler.RAX;
import static org.ascus.isa.hostcode.X64Assembler.RBX;
import static org.ascus.isa.hostcode.X64Assembler.RCX;
import static org.ascus.isa.hostcode.X64Assembler.RDX;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.IntUnaryOperator;
import java.util.stream.Stream;
import org.ascus.isa.code.Formula;
import org.ascus.isa.code.Formula.Binary;
import org.ascus.isa.code.Formula.Condition;
import org.ascus.isa.code.Formula.Constant;
import org.ascus.isa.code.Formula.Floating;
import org.ascus.isa.code.Formula.Operation;
import org.ascus.isa.code.Formula.Register;
import org.ascus.isa.code.Formula.Relation;
import org.ascus.isa.code.Formula.Select;
import org.ascus.isa.code.Formula.Unary;
import org.ascus.isa.code.Formula.UnaryOperation;
import org.ascus.isa.hostcode.X64Assembler.Label;

/** Emits host code that computes a {@link Formula}. Values of 32 bits have anything in the upper half. */
final class HostFormulas {
  /** For what a formula needs on the way, in this order; rcx is that of shift counts and divisors, too. */
  static final int[] TEMPORARY = {RAX, RDX, RCX};

  private static final Set<String> HOST_FEATURES = hostFeatures();

  /** Whether the processor has lzcnt, tzcnt and popcnt; one without them takes them for something else. */
  private static final boolean COUNTS = hostHas(Set.of("abm", "bmi1", "popcnt"));

  private static final long WORD = 0xffffffffL;

  private final X64Assembler code;
  private final IntUnaryOperator homes;
  private final Addresses addresses;
  private final int[] groups;
  private final HostFloating floating;

  /** Emits that {@code to} gets the virtual address {@code offset} bytes from the head. */
  interface Addresses {
    void compute(int to, int offset);
  }

  /**
   * @param homes the host register that has the value of a slot, or -1
   * @param groups the host registers that have the addresses of a stretch's groups
   */
  HostFormulas(X64Assembler code, IntUnaryOperator homes, Addresses addresses, int[] groups) {
    this.code = code;
    this.homes = homes;
    this.addresses = addresses;
    this.groups = groups;
    this.floating = new HostFloating(code, this, homes);
  }

  HostFloating floating() {
    return floating;
  }

  // ---- what can be emitted ----

  /** Whether all processors of the host have what Linux calls so. */
  static boolean hostHas(Set<String> features) {
    return HOST_FEATURES.containsAll(features);
  }

  /** What Linux says that every processor has; nothing if it says nothing. */
  private static Set<String> hostFeatures() {
    try (Stream<String> lines = Files.lines(Path.of("/proc/cpuinfo"))) {
      return lines
          .filter(line -> line.startsWith("flags"))
          .<Set<String>>map(line -> new HashSet<>(List.of(line.split("\\s+"))))
          .reduce(
              (a, b) -> {
                a.retainAll(b);
                return a;
              })
          .orElse(Set.of());
    } catch (IOException | UncheckedIOException e) {
      return Set.of();
    }
  }

  /** Whether {@link #compute} takes {@code formula}, of which parameters are registers and constants. */
  static boolean fits(Formula formula) {
    return fits(formula, 0);
  }

  /** @param used how many of {@link #TEMPORARY} have something already */
  static boolean fits(Formula formula, int used) {
    // Not by patterns: what the JVM makes for those at run time takes a tenth of a second of the first code.
    if (formula instanceof Unary u) {
      return (u.operation().compareTo(UnaryOperation.REVERSE_BYTES) <= 0 || COUNTS) && fits(u.a(), used);
    }
    if (formula instanceof Select s) {
      return fits(s.condition().a(), used + 1) && fits(s.condition().b(), used + 2) && fits(s.yes(), used)
          && fits(s.no(), used);
    }
    if (formula instanceof Floating f) {
      return HostFloating.fits(f, used);
    }
    if (!(formula instanceof Binary b)) {
      return used <= TEMPORARY.length;
    }
    return switch (b.operation()) {
      case SHIFT_LEFT, SHIFT_RIGHT, SHIFT_RIGHT_UNSIGNED, ROTATE_LEFT, ROTATE_RIGHT ->
          fits(b.a(), used) && isPlain(b.b()) && used < TEMPORARY.length;
      case MULTIPLY_HIGH, MULTIPLY_HIGH_UNSIGNED, DIVIDE, REMAINDER, DIVIDE_UNSIGNED, REMAINDER_UNSIGNED ->
          isPlain(b.a()) && isPlain(b.b()) && used == 0;
      case ADD, SUBTRACT, AND, OR, XOR, MULTIPLY -> fits(b.a(), used) && fits(b.b(), used + 1);
    };
  }

  /** Whether it is computed in the register that it goes to, and nothing else. */
  private static boolean isPlain(Formula formula) {
    if (formula instanceof Unary u) {
      return isPlain(u.a());
    }
    if (formula instanceof Binary b) {
      return b.operation() == Operation.AND && isPlain(b.a()) && b.b() instanceof Constant;
    }
    return !(formula instanceof Select) && !(formula instanceof Floating);
  }

  /**
   * {@code formula}, or another with the same value, so that it can be computed where {@code slot} is; empty if it
   * reads the slot where that has something else already.
   */
  static Optional<Formula> inPlace(Formula formula, int slot) {
    // Operands in floating-point registers are read before anything is written.
    if (!reads(formula, slot) || formula instanceof Register || formula instanceof Floating) {
      return Optional.of(formula);
    }
    if (formula instanceof Unary u) {
      return inPlace(u.a(), slot).map(a -> new Unary(u.operation(), a));
    }
    if (formula instanceof Select s) {
      // Its condition is read before anything is written.
      return inPlace(s.yes(), slot)
          .flatMap(yes -> inPlace(s.no(), slot).map(no -> new Select(s.condition(), yes, no)));
    }
    if (!(formula instanceof Binary b)) {
      return Optional.empty();
    }
    return switch (b.operation()) {
      // Both operands are read before anything is written.
      case MULTIPLY_HIGH, MULTIPLY_HIGH_UNSIGNED, DIVIDE, REMAINDER, DIVIDE_UNSIGNED, REMAINDER_UNSIGNED ->
          Optional.of(b);
      default ->
          b.operation().commutes() ? first(b, slot).or(() -> first(b.swapped(), slot)) : first(b, slot);
    };
  }

  /** As {@link #inPlace} if only the first operand reads {@code slot}. */
  private static Optional<Formula> first(Binary b, int slot) {
    return reads(b.b(), slot)
        ? Optional.empty()
        : inPlace(b.a(), slot).map(a -> new Binary(b.operation(), b.wide(), a, b.b()));
  }

  private static boolean reads(Formula formula, int slot) {
    return (formula.registers() >>> slot & 1) != 0;
  }

  // ---- emitting ----

  private static boolean isSmall(long value) {
    return value == (int) value;
  }

  /** The register that is read by {@code formula}, of which only the low word counts if it is not wide; else null. */
  private static Register register(Formula formula, boolean wide) {
    if (!wide && formula instanceof Unary u && u.operation() == UnaryOperation.LOW_WORD) {
      return register(u.a(), false);
    }
    return formula instanceof Register r ? r : null;
  }

  /** Whether what is emitted for the 32 bits of {@code formula} is never negative, and the same in 64. */
  private static boolean isPositive(Formula formula) {
    return formula instanceof Binary b
        && !b.wide()
        && b.operation() == Operation.SHIFT_RIGHT_UNSIGNED
        && b.b() instanceof Constant c
        && (c.value() & 31) != 0;
  }

  /**
   * Emits it.
   *
   * @param to the host register that the result goes to, and that has no operand
   * @param used how many of {@link #TEMPORARY} have something already
   */
  void compute(Formula formula, int to, int used) {
    if (formula instanceof Constant c) {
      code.move(to, c.value());
    } else if (formula instanceof Register r) {
      int home = homes.applyAsInt(r.slot());
      if (home < 0) {
        code.load(to, RBX, 8 * r.slot(), 3, false);
      } else if (home != to) {
        code.move(true, to, home);
      }
    } else if (formula instanceof Formula.State s) {
      code.load(to, RBX, 8 * s.slot(), 3, false);
    } else if (formula instanceof Formula.Address a) {
      addresses.compute(to, a.offset());
    } else if (formula instanceof Formula.Memory m) {
      code.load(to, groups[m.group()], m.displacement(), m.widthLog2(), m.signed());
    } else if (formula instanceof Floating f) {
      floating.compute(f, to, used);
    } else if (formula instanceof Unary u) {
      unary(u, to, used);
    } else if (formula instanceof Binary b) {
      binary(b, to, used);
    } else if (formula instanceof Select s) {
      select(s, to, used);
    } else if (formula instanceof Formula.Computed) {
      if (to != RAX) {
        code.move(true, to, RAX);
      }
    } else {
      throw new IllegalStateException(formula + " is not known");
    }
  }

  private void unary(Unary u, int to, int used) {
    Register word = u.operation() == UnaryOperation.SIGN_EXTEND_WORD ? register(u.a(), false) : null;
    if (word != null) {
      int home = homes.applyAsInt(word.slot());
      if (home < 0) {
        code.load(to, RBX, 8 * word.slot(), 2, true);
      } else {
        code.signExtend(true, to, home, 2);
      }
      return;
    }
    compute(u.a(), to, used);
    switch (u.operation()) {
      case LOW_WORD -> {}
      case SIGN_EXTEND_WORD -> {
        if (!isPositive(u.a())) {
          code.signExtend(true, to, to, 2);
        }
      }
      case SIGN_EXTEND_BYTE -> code.signExtend(false, to, to, 0);
      case SIGN_EXTEND_HALF -> code.signExtend(false, to, to, 1);
      case REVERSE_BYTES -> code.swapBytes(to);
      case LEADING_ZEROS -> code.leadingZeros(true, to, to);
      case TRAILING_ZEROS -> code.trailingZeros(true, to, to);
      case ONES -> code.ones(true, to, to);
      case LEADING_ZEROS_OF_WORD -> code.leadingZeros(false, to, to);
      case TRAILING_ZEROS_OF_WORD -> code.trailingZeros(false, to, to);
      case ONES_OF_WORD -> code.ones(false, to, to);
    }
  }

  private void binary(Binary b, int to, int used) {
    switch (b.operation()) {
      case ADD -> add(b, to, used);
      case SUBTRACT -> alu(X64Assembler.SUB, b, to, used);
      case AND -> {
        if (b.wide() && b.b() instanceof Constant c && c.value() == WORD) {
          compute(b.a(), to, used);
          code.move(false, to, to);
        } else {
          alu(X64Assembler.AND, b, to, used);
        }
      }
      case OR -> alu(X64Assembler.OR, b, to, used);
      case XOR -> alu(X64Assembler.XOR, b, to, used);
      case MULTIPLY -> multiply(b, to, used);
      case SHIFT_LEFT -> shift(X64Assembler.SHL, b, to, used);
      case SHIFT_RIGHT -> shift(X64Assembler.SAR, b, to, used);
      case SHIFT_RIGHT_UNSIGNED -> shift(X64Assembler.SHR, b, to, used);
      case ROTATE_LEFT -> shift(X64Assembler.ROL, b, to, used);
      case ROTATE_RIGHT -> shift(X64Assembler.ROR, b, to, used);
      case MULTIPLY_HIGH, MULTIPLY_HIGH_UNSIGNED -> {
        operands(b);
        boolean signed = b.operation() == Operation.MULTIPLY_HIGH;
        code.accumulate(signed ? X64Assembler.IMUL : X64Assembler.MUL, true, RCX);
        code.move(true, to, RDX);
      }
      case DIVIDE, REMAINDER -> divide(b, to);
      case DIVIDE_UNSIGNED, REMAINDER_UNSIGNED -> {
        operands(b);
        code.move(RDX, 0);
        code.accumulate(X64Assembler.DIV, b.wide(), RCX);
        code.move(true, to, b.operation() == Operation.DIVIDE_UNSIGNED ? RAX : RDX);
      }
    }
  }

  private void add(Binary b, int to, int used) {
    Register first = register(b.a(), b.wide());
    Register second = register(b.b(), b.wide());
    int home = first == null ? -1 : homes.applyAsInt(first.slot());
    int other = second == null ? -1 : homes.applyAsInt(second.slot());
    if (home >= 0 && home != to && b.wide() && b.b() instanceof Constant c && isSmall(c.value())) {
      code.lea(to, home, (int) c.value());
    } else if (home >= 0 && home != to && other >= 0) {
      code.lea(b.wide(), to, home, other);
    } else {
      alu(X64Assembler.ADD, b, to, used);
    }
  }

  private void alu(int operation, Binary b, int to, int used) {
    compute(b.a(), to, used);
    Register register = register(b.b(), b.wide());
    if (b.b() instanceof Constant c && isSmall(c.value())) {
      code.aluConstant(operation, b.wide(), to, (int) c.value());
    } else if (register != null) {
      int home = homes.applyAsInt(register.slot());
      if (home < 0) {
        code.alu(operation, b.wide(), to, RBX, 8 * register.slot());
      } else {
        code.alu(operation, b.wide(), to, home);
      }
    } else {
      compute(b.b(), TEMPORARY[used], used + 1);
      code.alu(operation, b.wide(), to, TEMPORARY[used]);
    }
  }

  private void multiply(Binary b, int to, int used) {
    compute(b.a(), to, used);
    Register register = register(b.b(), b.wide());
    int home = register == null ? -1 : homes.applyAsInt(register.slot());
    if (home >= 0) {
      code.multiply(b.wide(), to, home);
    } else if (register != null) {
      code.multiply(b.wide(), to, RBX, 8 * register.slot());
    } else {
      compute(b.b(), TEMPORARY[used], used + 1);
      code.multiply(b.wide(), to, TEMPORARY[used]);
    }
  }

  private void shift(int operation, Binary b, int to, int used) {
    compute(b.a(), to, used);
    Formula count = b.b();
    while (count instanceof Unary u && u.operation() == UnaryOperation.LOW_WORD) {
      count = u.a();
    }
    if (count instanceof Constant c) {
      code.shift(operation, b.wide(), to, (int) c.value() & (b.wide() ? 63 : 31));
    } else {
      compute(count, RCX, TEMPORARY.length);
      code.shiftByCl(operation, b.wide(), to);
    }
  }

  /** The first into rax, the second into rcx. */
  private void operands(Binary b) {
    compute(b.b(), RCX, TEMPORARY.length);
    compute(b.a(), RAX, TEMPORARY.length);
  }

  private void divide(Binary b, int to) {
    boolean quotient = b.operation() == Operation.DIVIDE;
    Label minus = new Label();
    Label end = new Label();
    operands(b);
    // The processor traps when the quotient is too large.
    code.aluConstant(X64Assembler.CMP, b.wide(), RCX, -1);
    code.jumpIf(X64Assembler.EQUAL, minus);
    code.extendAccumulator(b.wide());
    code.accumulate(X64Assembler.IDIV, b.wide(), RCX);
    code.move(true, to, quotient ? RAX : RDX);
    code.jump(end);
    code.bind(minus);
    if (quotient) {
      code.negate(b.wide(), RAX);
      code.move(true, to, RAX);
    } else {
      code.move(to, 0);
    }
    code.bind(end);
  }

  private void select(Select s, int to, int used) {
    int condition = compare(s.condition(), used);
    if (s.yes().equals(new Constant(1)) && s.no().equals(new Constant(0))) {
      code.set(condition, to);
      return;
    }
    Label yes = new Label();
    Label end = new Label();
    code.jumpIf(condition, yes);
    compute(s.no(), to, used);
    code.jump(end);
    code.bind(yes);
    compute(s.yes(), to, used);
    code.bind(end);
  }

  /** Emits a comparison; the result is the condition that holds after it if {@code condition} does. */
  int compare(Condition condition, int used) {
    boolean wide = condition.wide();
    Register first = register(condition.a(), wide);
    int a = first == null ? -1 : homes.applyAsInt(first.slot());
    int next = used;
    if (a < 0) {
      a = TEMPORARY[next++];
      compute(condition.a(), a, next);
    }
    Register second = register(condition.b(), wide);
    int b = second == null ? -1 : homes.applyAsInt(second.slot());
    if (condition.b() instanceof Constant c && isSmall(c.value())) {
      if (c.value() == 0) {
        code.test(wide, a, a);
      } else {
        code.aluConstant(X64Assembler.CMP, wide, a, (int) c.value());
      }
    } else if (b >= 0) {
      code.alu(X64Assembler.CMP, wide, a, b);
    } else if (second != null) {
      code.alu(X64Assembler.CMP, wide, a, RBX, 8 * second.slot());
    } else {
      compute(condition.b(), TEMPORARY[next], next + 1);
      code.alu(X64Assembler.CMP, wide, a, TEMPORARY[next]);
    }
    return number(condition.relation());
  }

  private static int number(Relation relation) {
    return switch (relation) {
      case EQUAL -> X64Assembler.EQUAL;
      case NOT_EQUAL -> X64Assembler.NOT_EQUAL;
      case LESS -> X64Assembler.LESS;
      case GREATER_EQUAL -> X64Assembler.GREATER_EQUAL;
      case GREATER -> X64Assembler.GREATER;
      case LESS_EQUAL -> X64Assembler.LESS_EQUAL;
      case BELOW -> X64Assembler.BELOW;
      case ABOVE_EQUAL -> X64Assembler.ABOVE_EQUAL;
      case ABOVE -> X64Assembler.ABOVE;
      case BELOW_EQUAL -> X64Assembler.BELOW_EQUAL;
    };
  }
}
