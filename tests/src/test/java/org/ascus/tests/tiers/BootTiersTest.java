package org.ascus.tests.tiers;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.ascus.isa.riscv.Acceleration;
import org.ascus.isa.riscv.Acceleration.Tier;
import org.ascus.tests.support.Host;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/**
 * A kernel's boot, by instruction count: each tier has the same state as the interpreter all along. System properties,
 * which the profile {@code thorough} sets: {@code ascus.tiers.instructions} for more of the boot, {@code
 * ascus.tiers.truffle} and {@code ascus.tiers.smp} for more of it in the Truffle tier and on two harts.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class BootTiersTest {
  private static final long INSTRUCTIONS = Long.getLong("ascus.tiers.instructions", 200_000_000);
  private static final long TRUFFLE_INSTRUCTIONS = Long.getLong("ascus.tiers.truffle", 50_000_000);
  private static final long SMP_INSTRUCTIONS = Long.getLong("ascus.tiers.smp", 60_000_000);
  private static final long STEP = 5_000_000;
  private static final int NEVER = Integer.MAX_VALUE;

  private static final Acceleration COMPACT = new Acceleration(Tier.BYTECODE, 4, NEVER, false);
  private static final Acceleration HOST = new Acceleration(Tier.HOST_CODE, 4, NEVER, false);
  private static final Acceleration BEST = new Acceleration(Tier.BYTECODE, 50, 1, false);
  private static final Acceleration TRUFFLE = new Acceleration(Tier.TRUFFLE, 1000, NEVER, false);

  private final Map<Integer, TierComparison> boots = new HashMap<>();

  @Test
  void compactRegionsAreExact() throws Exception {
    assertThat(count("bytecode regions made", check(1, COMPACT, INSTRUCTIONS))).isGreaterThan(1000);
  }

  @Test
  void hostCodeIsExact() throws Exception {
    assertThat(count("bytecode regions made", check(1, HOST, INSTRUCTIONS))).isGreaterThan(1000);
  }

  @Test
  void bestRegionsAreExact() throws Exception {
    assertThat(count("bytecode best", check(1, BEST, INSTRUCTIONS))).isGreaterThan(30);
  }

  @Test
  void truffleRegionsAreExact() throws Exception {
    assertThat(count("truffle regions compiled", check(1, TRUFFLE, TRUFFLE_INSTRUCTIONS))).isGreaterThan(30);
  }

  @Test
  void tiersThatChangeInTheBackgroundAreExact() throws Exception {
    check(1, Acceleration.truffle(), INSTRUCTIONS);
  }

  @Test
  void compactRegionsAreExactOnTwoHarts() throws Exception {
    assertThat(count("bytecode regions made", check(2, COMPACT, SMP_INSTRUCTIONS))).isGreaterThan(500);
  }

  @Test
  void hostCodeIsExactOnTwoHarts() throws Exception {
    assertThat(count("bytecode regions made", check(2, HOST, SMP_INSTRUCTIONS))).isGreaterThan(500);
  }

  @Test
  void bestRegionsAreExactOnTwoHarts() throws Exception {
    assertThat(count("bytecode best", check(2, BEST, SMP_INSTRUCTIONS))).isGreaterThan(10);
  }

  private String check(int harts, Acceleration acceleration, long instructions) throws Exception {
    Path guest = Host.requireRiscv64Guest();
    if (!boots.containsKey(harts)) {
      long most = harts == 1 ? INSTRUCTIONS : SMP_INSTRUCTIONS;
      boots.put(harts, new TierComparison(tier -> new BootMachine(guest, harts, tier), most, STEP));
    }
    String translation = boots.get(harts).check(acceleration, instructions);
    if (acceleration.tier() == Tier.BYTECODE || acceleration.tier() == Tier.HOST_CODE) {
      // No storm of compilations that fail or are thrown away.
      int made = count("bytecode regions made", translation);
      assertThat(count("bytecode not compiled", translation)).as(translation).isLessThan(10 + made / 50);
      assertThat(count("bytecode best again", translation)).as(translation).isLessThan(20 + made / 2);
      assertThat(count("bytecode best given up", translation)).as(translation).isLessThan(10 + made / 50);
    }
    return translation;
  }

  private static int count(String what, String translation) {
    Matcher matcher = Pattern.compile(what + " +(\\d+)").matcher(translation);
    assertThat(matcher.find()).as("'%s' in:\n%s", what, translation).isTrue();
    return Integer.parseInt(matcher.group(1));
  }
}
