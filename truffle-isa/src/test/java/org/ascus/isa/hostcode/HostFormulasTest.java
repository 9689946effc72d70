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
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.ascus.isa.code.Formula;
import org.ascus.isa.code.Semantics;
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

  private static Stream<Method> methods() {
    return Arrays.stream(RvInteger.class.getDeclaredMethods()).filter(m -> Modifier.isPublic(m.getModifiers()));
  }

  static Stream<Method> known() {
    return methods().filter(m -> Semantics.of(m).filter(HostFormulas::fits).isPresent());
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
