package org.ascus.tests.differential;

import static org.assertj.core.api.Assertions.fail;

import java.nio.file.Path;
import java.util.List;
import org.ascus.isa.riscv.Acceleration;
import org.ascus.isa.riscv.RiscvConfig;
import org.ascus.tests.support.Host;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Random instruction sequences leave the same state on QEMU and here. System properties: {@code
 * ascus.differential.sequences} for a longer run, {@code ascus.differential.compiled} for more of them on compiled
 * code, {@code ascus.differential.seed} for other ones.
 */
@Timeout(900)
class QemuDifferentialTest {
  /** What QEMU 7.2 has and we have not, and the other way round, is off. */
  private static final String QEMU_CPU = "rv64,zba=on,zbb=on,zbc=on,zbs=on,h=false";

  private static final RiscvConfig CONFIG =
      RiscvConfig.parse("rv64,zicond=off,zicbom=off,zicboz=off,svinval=off");

  private static final long SEED = Long.getLong("ascus.differential.seed", 20_240_607);
  private static final int SEQUENCES = Integer.getInteger("ascus.differential.sequences", 3000);
  private static final int COMPILED = Integer.getInteger("ascus.differential.compiled", 30);
  private static final int MOST_REPORTED = 5;

  private static final int SECONDS = 120 + SEQUENCES / 500;

  /** How often each runs on compiled code: the first times make its regions hot, then ready. */
  private static final int REPEATS = 40;

  @TempDir private Path folder;
  private Path qemu;

  @BeforeEach
  void findQemu() {
    qemu = Host.requireProgram("qemu-system-riscv64", "qemu-system-misc");
  }

  @Test
  void interpreterAgreesWithQemu() throws Exception {
    compare(Acceleration.interpreter(), SEQUENCES, 1);
  }

  @ParameterizedTest
  @EnumSource(names = {"HOST_CODE", "BYTECODE", "TRUFFLE"})
  void compiledCodeAgreesWithQemu(Acceleration.Tier tier) throws Exception {
    int count = tier == Acceleration.Tier.TRUFFLE ? COMPILED : 10 * COMPILED;
    compare(new Acceleration(tier, 2, false), count, REPEATS);
  }

  private void compare(Acceleration acceleration, int count, int repeats) throws Exception {
    SequenceImage image = new SequenceImage(new SequenceGenerator(SEED, CONFIG), SEED, count);
    byte[] program = image.bytes(0, count, repeats, false);
    List<String> theirs = Runs.qemu(qemu, QEMU_CPU, 1, program, folder, SECONDS);
    List<String> ours = Runs.ascus(CONFIG, acceleration, program, SECONDS);
    checkEnded("QEMU", theirs, image);
    checkEnded("here", ours, image);
    StringBuilder report = new StringBuilder();
    int different = 0;
    for (int i = 0; i < count; i++) {
      if (!ours.get(i).equals(theirs.get(i)) && ++different <= MOST_REPORTED) {
        report.append(explain(image, i, acceleration, repeats));
      }
    }
    if (different > 0) {
      fail(different + " of " + count + " sequences differ, seed " + SEED + "\n" + report);
    }
  }

  private static void checkEnded(String where, List<String> lines, SequenceImage image) {
    if (lines.size() != image.count()) {
      fail(where + ": stuck in sequence " + lines.size() + "\n" + image.listing(lines.size()));
    }
  }

  /** Runs one sequence again and lists what differs. */
  private String explain(SequenceImage image, int index, Acceleration acceleration, int repeats) throws Exception {
    byte[] program = image.bytes(index, 1, repeats, true);
    List<String> theirs = Runs.qemu(qemu, QEMU_CPU, 1, program, folder, SECONDS);
    List<String> ours = Runs.ascus(CONFIG, acceleration, program, SECONDS);
    StringBuilder report = new StringBuilder("sequence " + index + "\n").append(image.listing(index));
    for (int i = 0; i < Math.min(theirs.size(), ours.size()); i++) {
      String label = SequenceImage.label(i);
      boolean context = label.startsWith("trap") && !ours.get(i).equals("0000000000000000");
      if (!ours.get(i).equals(theirs.get(i))) {
        report.append(String.format("  %s: QEMU %s, here %s%n", label, theirs.get(i), ours.get(i)));
      } else if (context) {
        report.append(String.format("  %s: both %s%n", label, ours.get(i)));
      }
    }
    return report.toString();
  }
}
