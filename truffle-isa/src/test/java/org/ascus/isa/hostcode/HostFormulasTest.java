package org.ascus.isa.hostcode;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.lang.foreign.MemorySegment;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.ascus.isa.code.Formula;
import org.ascus.isa.code.Semantics;
import org.ascus.isa.cpu.Slots;
import org.ascus.isa.fp.FpStatus;
import org.ascus.isa.fp.RoundingMode;
import org.ascus.isa.riscv.semantics.RvFloat;
import org.ascus.isa.riscv.semantics.RvInteger;
import org.ascus.machine.bus.host.ExecutableMemory;
import org.ascus.machine.bus.host.HostMemory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Machine code that is made of a semantic method computes what the method returns. */
class HostFormulasTest {
  private static final int A = 5;
  private static final int B = 6;
  private static final long[] OPERANDS =
      LongStream.concat(
              LongStream.of(
                  0, 1, 2, -1, -2, 31, 32, 63, 64, 255, 256, 0x7f, 0x80, 0x7fff, 0x8000, 0x7fffffffL, 0x80000000L,
                  0xffffffffL, -0x80000000L, Long.MAX_VALUE, Long.MIN_VALUE, 0x0123456789abcdefL),
              new Random(1).longs(10))
          .toArray();

  /** Of both formats, boxed and not: zeroes, small, great and special ones, and integers near the limits of types. */
  private static final long[] FLOATS =
      Stream.of(
              0.0, -0.0, 1.0, -1.0, 1.5, 0x1p-1022, 0x1p-1074, -0x1p-1060, Double.MAX_VALUE, -Double.MAX_VALUE,
              Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY, 0x1p31, -0x1p31, 0x1p31 - 0.5, -0x1p31 - 0.5,
              0x1p63, -0x1p63, 0x1p64, 0x1p62 + 0x1p10, 0.5, 2.5, 1e-320, 0x1.fffffffffffffp-1, 1.1, -3.7e300)
          .map(Double::doubleToRawLongBits)
          .flatMap(
              d -> Stream.of(d, -1L << 32 | Float.floatToRawIntBits((float) Double.longBitsToDouble(d)) & 0xffffffffL))
          .collect(
              Collectors.collectingAndThen(
                  Collectors.toList(),
                  found -> {
                    // Quiet and signalling: not numbers.
                    found.addAll(List.of(0x7ff8000000000000L, 0x7ff0000000000001L, 0xfff8000000000123L, -1L << 22));
                    found.addAll(List.of(-1L << 32 | 0x7f800001L, 0xfff4000000000000L, 0x7fffffffffffffffL));
                    return found.stream().mapToLong(Long::longValue).toArray();
                  }));

  private static Stream<Method> methods() {
    return Arrays.stream(RvInteger.class.getDeclaredMethods()).filter(m -> Modifier.isPublic(m.getModifiers()));
  }

  static Stream<Method> known() {
    return methods().filter(m -> Semantics.of(m).filter(HostFormulas::fits).isPresent());
  }

  private static Stream<Method> floatMethods() {
    return Arrays.stream(RvFloat.class.getDeclaredMethods())
        .filter(m -> Modifier.isPublic(m.getModifiers()) && !List.of("box", "unbox").contains(m.getName()));
  }

  static Stream<Method> knownFloats() {
    return floatMethods().filter(m -> Semantics.of(m).filter(HostFormulas::fits).isPresent());
  }

  @Test
  void allButRareFloatingPointInstructionsAreKnown() {
    assertThat(floatMethods().filter(m -> knownFloats().noneMatch(m::equals)).map(Method::getName))
        .isSubsetOf(
            "fmin_s", "fmin_d", "fmax_s", "fmax_d", "fclass_s", "fclass_d", "fcvt_wu_s", "fcvt_wu_d", "fcvt_lu_s",
            "fcvt_lu_d", "fmadd_s", "fmadd_d", "fmsub_s", "fmsub_d", "fnmadd_s", "fnmadd_d", "fnmsub_s", "fnmsub_d");
  }

  /** Results and exceptions are what the semantic method says, whose own test knows other judges. */
  @ParameterizedTest
  @MethodSource("knownFloats")
  void computesWithFloatsWhatTheMethodDoes(Method method) throws Exception {
    Optional<ExecutableMemory> memory = HostRegionMaker.memory();
    assumeTrue(memory.isPresent(), "there is no machine code for this host");
    boolean toInteger = method.getName().matches("fcvt_[wl].*");
    for (int rounding : toInteger ? List.of(RoundingMode.RNE, RoundingMode.RTZ) : List.of(RoundingMode.RNE)) {
      for (boolean resident : List.of(false, true)) {
        Floats floats = new Floats(memory.get(), method, rounding, resident);
        for (long a : FLOATS) {
          for (long b : FLOATS) {
            floats.check(a, b, b ^ a << 7);
          }
        }
        Random random = new Random(2);
        for (int i = 0; i < 5_000; i++) {
          long a = random.nextLong();
          floats.check(a, near(random, a), near(random, a));
          floats.check(-1L << 32 | a, -1L << 32 | near(random, a), -1L << 32 | near(random, a));
        }
      }
    }
  }

  /** With an exponent that is about that of {@code a}. */
  private static long near(Random random, long a) {
    return random.nextInt(4) == 0 ? random.nextLong() : a ^ random.nextLong() >>> random.nextInt(64);
  }

  /** The code of a method of {@link RvFloat}. */
  private static final class Floats {
    private static final int C = 7;
    private static final int[] HOMES = {X64Assembler.R8, X64Assembler.RSI, X64Assembler.R9};

    private final ExecutableMemory memory;
    private final Method method;
    private final int rounding;
    private final long[] registers = new long[Slots.COUNT];
    private final MemorySegment segment = MemorySegment.ofArray(registers);

    Floats(ExecutableMemory memory, Method method, int rounding, boolean resident) {
      this.memory = memory;
      this.method = method;
      this.rounding = rounding;
      X64Assembler code = new X64Assembler();
      HostFormulas formulas =
          new HostFormulas(
              code, slot -> resident ? HOMES[slot - A] : -1,
              (register, offset) -> code.lea(register, X64Assembler.R12, offset), new int[] {X64Assembler.RBP});
      code.push(X64Assembler.RBX);
      code.move(true, X64Assembler.RBX, X64Assembler.RSI);
      code.storeConstant(HostFloating.NO_EXCEPTIONS, X64Assembler.RBX, 8 * Slots.EXCEPTIONS);
      code.loadExceptions(X64Assembler.RBX, 8 * Slots.EXCEPTIONS);
      for (int i = 0; resident && i < HOMES.length; i++) {
        code.load(HOMES[i], X64Assembler.RBX, 8 * (A + i), 3, false);
      }
      // Where its first operand is, if that is in a register.
      int to = resident ? HOMES[0] : X64Assembler.R10;
      Formula formula = Semantics.of(method).orElseThrow().with(this::argument).simplified();
      formulas.compute(resident ? HostFormulas.inPlace(formula, A).orElseThrow() : formula, to, 0);
      code.move(true, X64Assembler.RAX, to);
      code.storeExceptions(X64Assembler.RBX, 8 * Slots.EXCEPTIONS);
      code.pop(X64Assembler.RBX);
      code.ret();
      byte[] bytes = code.bytes(memory.address());
      HostMemory.copyFromArray(bytes, 0, memory.address(), bytes.length);
    }

    private Formula argument(int number) {
      Class<?>[] types = method.getParameterTypes();
      boolean status = types[0] == FpStatus.class;
      return types[number] == int.class
          ? new Formula.Constant(rounding)
          : new Formula.Register(A + number - (status ? 1 : 0));
    }

    void check(long... operands) throws Exception {
      System.arraycopy(operands, 0, registers, A, operands.length);
      FpStatus status = new FpStatus();
      Object[] arguments = new Object[method.getParameterCount()];
      for (int i = 0; i < arguments.length; i++) {
        Class<?> type = method.getParameterTypes()[i];
        arguments[i] =
            type == FpStatus.class ? status
                : type == int.class ? (Object) rounding
                : operands[i - (arguments[0] == status ? 1 : 0)];
      }
      long expected = (long) method.invoke(null, arguments);
      assertThat(memory.call(0, segment, segment, 0, 0, 0))
          .as("%s of %x, %x and %x", method.getName(), operands[0], operands[1], operands[2])
          .isEqualTo(expected);
      assertThat(HostFloating.flags(registers[Slots.EXCEPTIONS]))
          .as("exceptions of %s of %x, %x and %x", method.getName(), operands[0], operands[1], operands[2])
          .isEqualTo(status.flags);
    }
  }

  @Test
  void allButCarrylessProductsAreKnown() {
    assertThat(methods().filter(m -> known().noneMatch(m::equals)).map(Method::getName))
        .isSubsetOf("clmul", "clmulh", "clmulr", "clz", "clzw", "ctz", "ctzw", "cpop", "cpopw");
  }

  @ParameterizedTest
  @MethodSource("known")
  void computesWhatTheMethodDoes(Method method) throws Exception {
    Optional<ExecutableMemory> memory = HostRegionMaker.memory();
    assumeTrue(memory.isPresent(), "there is no machine code for this host");
    // Operands in memory, in host registers, and constants.
    for (int[] homes : List.of(new int[] {-1, -1}, new int[] {X64Assembler.R8, X64Assembler.RSI})) {
      X64Assembler code = new X64Assembler();
      function(code, formula(method, new Formula.Register(B)), homes, X64Assembler.R9);
      run(memory.get(), code, method, OPERANDS);
    }
    for (long constant : OPERANDS) {
      X64Assembler code = new X64Assembler();
      function(code, formula(method, new Formula.Constant(constant)), new int[] {-1, -1}, X64Assembler.R9);
      run(memory.get(), code, method, constant);
    }
  }

  @ParameterizedTest
  @MethodSource("known")
  void computesWhereAnOperandIs(Method method) throws Exception {
    Optional<ExecutableMemory> memory = HostRegionMaker.memory();
    assumeTrue(memory.isPresent(), "there is no machine code for this host");
    int[] homes = {X64Assembler.R13, X64Assembler.R14};
    Formula formula = formula(method, new Formula.Register(B));
    for (int operand : List.of(A, B)) {
      Optional<Formula> inPlace = HostFormulas.inPlace(formula, operand);
      if (inPlace.isPresent()) {
        X64Assembler code = new X64Assembler();
        function(code, inPlace.get(), homes, homes[operand - A]);
        run(memory.get(), code, method, OPERANDS);
      }
    }
  }

  @Test
  void mostSumsAndProductsAreComputedWhereTheSecondOperandIs() throws Exception {
    for (String name : List.of("add", "addw", "mul", "mulw", "and", "or", "xor", "mulhu", "divw")) {
      Method method = RvInteger.class.getMethod(name, long.class, long.class);
      assertThat(HostFormulas.inPlace(formula(method, new Formula.Register(B)), B)).as(name).isPresent();
    }
    for (String name : List.of("sub", "sll", "srlw")) {
      Method method = RvInteger.class.getMethod(name, long.class, long.class);
      assertThat(HostFormulas.inPlace(formula(method, new Formula.Register(B)), A)).as(name).isPresent();
      assertThat(HostFormulas.inPlace(formula(method, new Formula.Register(B)), B)).as(name).isEmpty();
    }
  }

  private static Formula formula(Method method, Formula second) {
    return Semantics.of(method).orElseThrow().with(i -> i == 0 ? new Formula.Register(A) : second).simplified();
  }

  /** Computes {@code formula} in host register {@code to}. */
  private static void function(X64Assembler code, Formula formula, int[] homes, int to) {
    HostFormulas formulas =
        new HostFormulas(
            code, slot -> slot == A ? homes[0] : homes[1],
            (register, offset) -> code.lea(register, X64Assembler.R12, offset), new int[] {X64Assembler.RBP});
    code.push(X64Assembler.R13);
    code.push(X64Assembler.R14);
    code.push(X64Assembler.RBX);
    code.move(true, X64Assembler.RBX, X64Assembler.RSI);
    if (homes[0] >= 0) {
      code.load(homes[0], X64Assembler.RBX, 8 * A, 3, false);
      code.load(homes[1], X64Assembler.RBX, 8 * B, 3, false);
    }
    formulas.compute(formula, to, 0);
    code.move(true, X64Assembler.RAX, to);
    code.pop(X64Assembler.RBX);
    code.pop(X64Assembler.R14);
    code.pop(X64Assembler.R13);
    code.ret();
  }

  private static void run(ExecutableMemory memory, X64Assembler code, Method method, long... seconds)
      throws Exception {
    byte[] bytes = code.bytes(memory.address());
    HostMemory.copyFromArray(bytes, 0, memory.address(), bytes.length);
    long[] registers = new long[8];
    MemorySegment segment = MemorySegment.ofArray(registers);
    for (long a : OPERANDS) {
      for (long b : seconds) {
        registers[A] = a;
        registers[B] = b;
        Object expected = method.getParameterCount() == 1 ? method.invoke(null, a) : method.invoke(null, a, b);
        long number = expected instanceof Boolean truth ? truth ? 1 : 0 : (long) expected;
        assertThat(memory.call(0, segment, segment, 0, 0, 0))
            .as("%s of %x and %x", method.getName(), a, b)
            .isEqualTo(number);
      }
    }
  }
}
