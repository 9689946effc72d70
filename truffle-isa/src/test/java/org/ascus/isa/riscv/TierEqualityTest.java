package org.ascus.isa.riscv;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Random programs reach the same state at the same instruction count, whatever ran them. */
class TierEqualityTest {
  private static final String[] REGISTER_OPS = {
    "add", "sub", "xor", "or", "and", "sll", "srl", "sra", "slt", "sltu", "addw", "subw", "mul", "mulh", "mulhu",
    "mulhsu",
    "div", "divu", "rem", "remu", "divw", "remuw", "sh1add", "sh3add.uw", "andn", "max", "minu", "rol", "rorw", "clmul",
    "clmulh", "bset", "bext", "czero.eqz", "czero.nez"
  };
  private static final String[] FLOAT_OPS = {
    "fadd.d", "fsub.d", "fmul.d", "fdiv.d", "fadd.s", "fmul.s", "fmin.d", "fsgnjx.d"
  };
  private static final String[] AMOS = {"amoadd.d", "amoswap.w", "amoxor.d", "amomin.w", "amomaxu.d"};
  private static final String[] BRANCHES = {"beq", "bne", "blt", "bge", "bltu", "bgeu"};

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6})
  void randomProgramsReachTheSameState(long seed) {
    reachesTheSameState(seed, TestMachine.EAGER_HOST_CODE);
    reachesTheSameState(seed, TestMachine.EAGER_BYTECODE);
    reachesTheSameState(seed, TestMachine.EAGER);
  }

  private static void reachesTheSameState(long seed, Acceleration acceleration) {
    String source = program(new Random(seed));
    Random lengths = new Random(seed);
    try (TestMachine interpreted = new TestMachine(Acceleration.interpreter(), source);
        TestMachine compiled = new TestMachine(acceleration, source)) {
      for (int i = 0; i < 6; i++) {
        int instructions = 1000 + lengths.nextInt(9000);
        interpreted.run(instructions);
        compiled.run(instructions);
        assertThat(compiled.hart().describe()).as("seed %d, step %d", seed, i).isEqualTo(interpreted.hart().describe());
        assertThat(compiled.stateHash()).as("seed %d, step %d", seed, i).isEqualTo(interpreted.stateHash());
      }
    }
  }

  /** An endless loop over random blocks with forward branches, calls, memory accesses and the odd trap. */
  private static String program(Random random) {
    StringBuilder out = new StringBuilder();
    out.append("la t0, handler\ncsrw mtvec, t0\nli t0, 0x6000\ncsrs mstatus, t0\nli s0, 0x80100000\n");
    for (int r = 10; r < 18; r++) {
      out.append("li x").append(r).append(", ").append(random.nextLong()).append('\n');
      out.append("fcvt.d.l f").append(r).append(", x").append(r).append('\n');
    }
    out.append("forever:\n");
    for (int block = 0; block < 12; block++) {
      out.append("b").append(block).append(":\n");
      int length = 2 + random.nextInt(6);
      for (int i = 0; i < length; i++) {
        instruction(out, random);
      }
      if (random.nextInt(3) > 0 && block < 10) {
        out.append(pick(random, BRANCHES)).append(" ").append(x(random)).append(", ").append(x(random)).append(", b")
            .append(block + 1 + random.nextInt(2)).append('\n');
      } else if (random.nextInt(3) == 0) {
        out.append("call f").append(random.nextInt(2)).append('\n');
      }
    }
    out.append("j forever\n");
    for (int f = 0; f < 2; f++) {
      out.append(".align 2\nf").append(f).append(":\n");
      instruction(out, random);
      instruction(out, random);
      out.append("ret\n");
    }
    out.append(".align 2\nhandler:\ncsrr t1, mepc\naddi t1, t1, 4\ncsrw mepc, t1\nmret\n");
    return out.toString();
  }

  private static void instruction(StringBuilder out, Random random) {
    int offset = random.nextInt(512) * 8;
    String line =
        switch (random.nextInt(12)) {
          case 0 -> "ld " + x(random) + ", " + offset % 2040 + "(s0)";
          case 1 -> "sd " + x(random) + ", " + offset % 2040 + "(s0)";
          case 2 -> "lbu " + x(random) + ", " + random.nextInt(2000) + "(s0)";
          case 3 -> "sw " + x(random) + ", " + random.nextInt(2000) + "(s0)";
          case 4 ->
              "addi t2, s0, " + offset % 2040 + "\n"
                  + pick(random, AMOS) + " " + x(random) + ", " + x(random) + ", (t2)";
          case 5 -> pick(random, FLOAT_OPS) + " " + f(random) + ", " + f(random) + ", " + f(random);
          case 6 -> "fmv.x.d " + x(random) + ", " + f(random);
          case 7 ->
              random.nextInt(8) == 0
                  ? "ecall"
                  : "addi " + x(random) + ", " + x(random) + ", " + (random.nextInt(4096) - 2048);
          case 8 ->
              random.nextInt(4) == 0
                  ? "csrr " + x(random) + ", minstret"
                  : "li " + x(random) + ", " + random.nextLong();
          default -> pick(random, REGISTER_OPS) + " " + x(random) + ", " + x(random) + ", " + x(random);
        };
    out.append(line).append('\n');
  }

  private static String x(Random random) {
    return "x" + (10 + random.nextInt(8));
  }

  private static String f(Random random) {
    return "f" + (10 + random.nextInt(8));
  }

  private static String pick(Random random, String[] from) {
    return from[random.nextInt(from.length)];
  }
}
