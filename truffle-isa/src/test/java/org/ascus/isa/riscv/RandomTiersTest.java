package org.ascus.isa.riscv;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.ascus.isa.cpu.VCpu;
import org.ascus.isa.riscv.Acceleration.Tier;
import org.ascus.machine.cpu.Cpu;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Random programs reach the same state at the same instruction counts in every tier, on one hart and on two. System
 * properties: {@code ascus.random.programs} for more of them, {@code ascus.random.seed} for other ones.
 */
class RandomTiersTest {
  private static final long SEED = Long.getLong("ascus.random.seed", 1);
  private static final int PROGRAMS = Integer.getInteger("ascus.random.programs", 12);
  private static final int NEVER = Integer.MAX_VALUE;
  private static final Acceleration COMPACT = new Acceleration(Tier.BYTECODE, 2, NEVER, false);
  private static final Acceleration HOST = new Acceleration(Tier.HOST_CODE, 2, NEVER, false);
  private static final Acceleration BEST = new Acceleration(Tier.BYTECODE, 2, 1, false);
  private static final Acceleration TRUFFLE = new Acceleration(Tier.TRUFFLE, 100, NEVER, false);

  /** Instructions for the programs to get everything ready. */
  private static final int START = 60_000;

  private static final int STEPS = 40;
  private static final int LONGEST_STEP = 30_000;

  static LongStream seeds() {
    return LongStream.range(SEED, SEED + PROGRAMS);
  }

  /** Graal needs a second for what takes HotSpot's compilers a hundredth. */
  static LongStream someSeeds() {
    return LongStream.range(SEED, SEED + (PROGRAMS + 5) / 6);
  }

  @ParameterizedTest
  @MethodSource("seeds")
  void compactRegionsAreExact(long seed) {
    reachTheSameStates(seed, COMPACT);
  }

  @ParameterizedTest
  @MethodSource("seeds")
  void hostCodeIsExact(long seed) {
    reachTheSameStates("plain seed " + seed, RandomProgram.plainSource(seed), 1 + (int) (seed & 1), seed, HOST);
  }

  @ParameterizedTest
  @MethodSource("seeds")
  void hostCodeAndClassesTogetherAreExact(long seed) {
    reachTheSameStates(seed, HOST);
  }

  @ParameterizedTest
  @MethodSource("seeds")
  void bestRegionsAreExact(long seed) {
    reachTheSameStates(seed, BEST);
  }

  @ParameterizedTest
  @MethodSource("someSeeds")
  void truffleRegionsAreExact(long seed) {
    reachTheSameStates(seed, TRUFFLE);
  }

  @ParameterizedTest
  @MethodSource("classes")
  void callsWithoutLoopsDoNotOverrunTheBudget(Acceleration acceleration) {
    reachTheSameStates("calls", callChain(), 1, 3, acceleration);
  }

  static Stream<Acceleration> classes() {
    return Stream.of(COMPACT, HOST, BEST);
  }

  /** Each function calls the next one, twice as deep as regions call each other, with long blocks around the calls. */
  private static String callChain() {
    int depth = 2 * VCpu.MAX_CALL_DEPTH;
    StringBuilder out = new StringBuilder("li sp, 0x80200000\nforever: call f0\nj forever\n");
    for (int i = 0; i < depth; i++) {
      out.append("f" + i + ":\naddi sp, sp, -8\nsd ra, 0(sp)\n" + "addi a0, a0, 1\n".repeat(55));
      out.append("call f" + (i + 1) + "\n" + "addi a1, a1, 1\n".repeat(55) + "ld ra, 0(sp)\naddi sp, sp, 8\nret\n");
    }
    return out + "f" + depth + ": ret\n";
  }

  private static void reachTheSameStates(long seed, Acceleration acceleration) {
    reachTheSameStates("seed " + seed, RandomProgram.source(seed), 1 + (int) (seed & 1), seed, acceleration);
  }

  private static void reachTheSameStates(String name, String program, int harts, long seed, Acceleration acceleration) {
    Random lengths = new Random(seed);
    try (TestMachine interpreted = machine(program, harts, Acceleration.interpreter());
        TestMachine compiled = machine(program, harts, acceleration)) {
      for (int i = 0; i < STEPS; i++) {
        int instructions = i == 0 ? START : 1 + lengths.nextInt(LONGEST_STEP);
        interpreted.run(instructions);
        compiled.run(instructions);
        assertThat(describe(compiled)).as("%s, step %d", name, i).isEqualTo(describe(interpreted));
        assertThat(compiled.stateHash()).as("memory, %s, step %d", name, i).isEqualTo(interpreted.stateHash());
      }
    }
  }

  private static String describe(TestMachine machine) {
    return machine.machine.cpus().stream().map(Cpu::describe).collect(Collectors.joining());
  }

  private static TestMachine machine(String program, int harts, Acceleration acceleration) {
    return new TestMachine(RiscvConfig.max(), acceleration, harts, true, program);
  }
}
