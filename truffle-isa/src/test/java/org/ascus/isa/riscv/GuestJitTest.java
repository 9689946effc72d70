package org.ascus.isa.riscv;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.management.ManagementFactory;
import java.lang.management.MemoryPoolMXBean;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.ascus.isa.riscv.Acceleration.Tier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Guests that make code, run it until it is hot and put other code in its place, or change their ways, for long. */
class GuestJitTest {
  /** Places for code. */
  private static final int PLACES = 16;

  /** How often code is made until the host has what it needs for it. */
  private static final int WARM_UP = 400;

  private static final int REST = 1200;

  /** Regions that may wait to be forgotten, and what else may come and go in the host's virtual machine. */
  private static final int CLASSES = 500;

  private static final long CODE_BYTES = 8 << 20;

  /** What waits to be used again is some megabytes. */
  private static final int HOST_CODE_BYTES = 12 << 20;

  private static final String PROGRAM =
      """
      .equ COUNT, 0x80100000
      li s0, 0x80400000
      li s1, 0
      li s2, 0x9e3779b97f4a7c15
      li s5, COUNT
      generation:
        slli t0, s1, 60
        srli t0, t0, 50
        add s3, s0, t0
        mv t0, s3
        li t1, 30
      # addi a0, a0, a random number
      emit:
        mul s2, s2, s2
        addi s2, s2, 5
        srli t2, s2, 40
        slli t2, t2, 20
        li t3, 0x50513
        or t2, t2, t3
        sw t2, 0(t0)
        addi t0, t0, 4
        addi t1, t1, -1
        bgtz t1, emit
        li t2, 0x8067
        sw t2, 0(t0)
        fence.i
        li s4, 200
      use:
        jalr ra, 0(s3)
        addi s4, s4, -1
        bgtz s4, use
        addi s1, s1, 1
        sd s1, 0(s5)
        j generation
      """;

  @ParameterizedTest
  @EnumSource(names = {"HOST_CODE", "BYTECODE"})
  void codeThatIsGoneTakesNothingOfTheHost(Tier tier) {
    Acceleration acceleration = new Acceleration(tier, 4, Integer.MAX_VALUE, false);
    try (TestMachine machine = new TestMachine(acceleration, PROGRAM)) {
      runTo(machine, WARM_UP);
      int classes = classes();
      long code = codeBytes();
      runTo(machine, WARM_UP + REST);
      assertThat(count("regions made", machine)).isGreaterThan(WARM_UP + REST);
      assertThat(classes()).as("classes").isLessThan(classes + CLASSES);
      assertThat(count("host code bytes", machine)).isLessThan(HOST_CODE_BYTES);
      assertThat(codeBytes()).as("bytes of compiled code and of classes").isLessThan(code + CODE_BYTES);
    }
  }

  /** A loop with eight ways through it, of which it takes another one after some millions of instructions. */
  private static String ways() {
    StringBuilder out = new StringBuilder("li s0, 0x80100000\nloop:\naddi a0, a0, 1\n");
    out.append("srli t0, a0, 18\nandi t0, t0, 7\n");
    for (int i = 0; i < 8; i++) {
      out.append("li t1, " + i + "\nbeq t0, t1, way" + i + "\n");
    }
    for (int i = 0; i < 8; i++) {
      out.append("way" + i + ":\naddi a1, a1, " + i + "\nsd a1, " + 8 * i + "(s0)\nj loop\n");
    }
    return out.toString();
  }

  @Test
  void aGuestThatChangesItsWaysIsNotCompiledAgainForEver() {
    Acceleration acceleration = new Acceleration(Tier.BYTECODE, 100, 1, false);
    try (TestMachine machine = new TestMachine(acceleration, ways())) {
      machine.run(120_000_000);
      // It has been through all of them five times; with a region or a compilation each slice there would be thousands.
      assertThat(count("regions made", machine)).isLessThan(60);
      assertThat(count("best again", machine)).isLessThan(30);
    }
  }

  private static void runTo(TestMachine machine, long generations) {
    while (machine.x("s1") < generations) {
      machine.run(100_000);
    }
  }

  private static int count(String what, TestMachine machine) {
    String translation = machine.hart().describeTranslation();
    Matcher matcher = Pattern.compile(what + " +(\\d+)").matcher(translation);
    assertThat(matcher.find()).as("'%s' in:\n%s", what, translation).isTrue();
    return Integer.parseInt(matcher.group(1));
  }

  private static int classes() {
    System.gc();
    return ManagementFactory.getClassLoadingMXBean().getLoadedClassCount();
  }

  private static long codeBytes() {
    return ManagementFactory.getMemoryPoolMXBeans().stream()
        .filter(pool -> pool.getName().contains("CodeHeap") || pool.getName().contains("Metaspace"))
        .map(MemoryPoolMXBean::getUsage)
        .mapToLong(usage -> usage.getUsed())
        .sum();
  }
}
