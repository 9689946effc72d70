package org.ascus.tests.differential;

import static org.assertj.core.api.Assertions.fail;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.ascus.isa.riscv.Acceleration;
import org.ascus.isa.riscv.RiscvConfig;
import org.ascus.isa.riscv.RiscvDialect;
import org.ascus.tests.support.Host;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Random steps through M, S and U mode (traps and their delegation, page tables, PMP, CSRs, interrupts that software
 * raises) leave the same state on QEMU and here. System properties: {@code ascus.privileged.trials}, {@code
 * ascus.privileged.compiled} for longer runs, {@code ascus.privileged.seed} for other ones.
 */
@Timeout(1800)
class PrivilegedDifferentialTest {
  /** QEMU 7.2 has Svadu's behaviour without its name. */
  private static final String QEMU_CPU = "rv64,zba=on,zbb=on,zbc=on,zbs=on,h=false,svinval=on,pmu-num=29";

  /** With one hart QEMU makes an AMO of a load and a store, and its faults those of a load. The other hart sleeps. */
  private static final int QEMU_HARTS = 2;

  private static final String CPU = "rv64,zicond=off,zicbom=off,zicboz=off";

  /** Every other batch has these. */
  private static final String EXTENSIONS = ",svnapot=%1$s,svpbmt=%1$s";

  private static final long SEED = Long.getLong("ascus.privileged.seed", 20_250_607);
  private static final int TRIALS = Integer.getInteger("ascus.privileged.trials", 2000);
  private static final int COMPILED = Integer.getInteger("ascus.privileged.compiled", 30);
  private static final int BATCH = 250;
  private static final int REPEATS = 60;
  private static final int MOST_REPORTED = Integer.getInteger("ascus.privileged.reports", 3);
  private static final int MOST_DIFFERENCES = 8;
  private static final int SECONDS = 60;

  @TempDir private Path folder;
  private Path qemu;

  @BeforeEach
  void findQemu() {
    qemu = Host.requireProgram("qemu-system-riscv64", "qemu-system-misc");
  }

  @Test
  void interpreterAgreesWithQemu() throws Exception {
    compare(Acceleration.interpreter(), TRIALS, BATCH, 1);
  }

  @ParameterizedTest
  @EnumSource(names = {"HOST_CODE", "BYTECODE", "TRUFFLE"})
  void compiledCodeAgreesWithQemu(Acceleration.Tier tier) throws Exception {
    compare(new Acceleration(tier, 2, false), COMPILED, 30, REPEATS);
  }

  private void compare(Acceleration acceleration, int count, int batch, int repeats) throws Exception {
    StringBuilder report = new StringBuilder();
    int different = 0;
    for (int done = 0; done < count; done += batch) {
      long seed = SEED + done / batch;
      boolean extended = seed % 2 == 0;
      PrivilegedImage image = new PrivilegedImage(new Random(seed), Math.min(batch, count - done), extended);
      byte[] program = image.bytes(0, image.count(), repeats, false);
      List<String> theirs = qemu(extended, program);
      List<String> ours = ascus(extended, acceleration, program);
      checkEnded("QEMU", theirs, image, seed);
      checkEnded("here", ours, image, seed);
      for (int i = 0; i < image.count(); i++) {
        if (!ours.get(i).equals(theirs.get(i)) && ++different <= MOST_REPORTED) {
          report.append("seed ").append(seed).append(explain(image, i, extended, acceleration, repeats));
        }
      }
    }
    if (different > 0) {
      fail(different + " of " + count + " trials differ\n" + report);
    }
  }

  private List<String> qemu(boolean extended, byte[] program) throws Exception {
    String cpu = QEMU_CPU + EXTENSIONS.formatted(extended ? "on" : "off");
    return Runs.qemu(qemu, cpu, QEMU_HARTS, program, folder, SECONDS);
  }

  private static List<String> ascus(boolean extended, Acceleration acceleration, byte[] program) throws Exception {
    RiscvConfig config = RiscvConfig.parse(CPU + EXTENSIONS.formatted(extended ? "on" : "off"));
    return Runs.ascus(config, acceleration, program, SECONDS);
  }

  private static void checkEnded(String where, List<String> lines, PrivilegedImage image, long seed) {
    if (lines.size() != image.count()) {
      fail(where + ", seed " + seed + ": stuck in trial " + lines.size() + "\n" + image.listing(lines.size()));
    }
  }

  /** Runs one trial again; tells what traps both took until then, and the first things that differ. */
  private String explain(
      PrivilegedImage image, int index, boolean extended, Acceleration acceleration, int repeats) throws Exception {
    byte[] program = image.bytes(index, 1, repeats, true);
    List<String> theirs = qemu(extended, program);
    List<String> ours = ascus(extended, acceleration, program);
    StringBuilder report = new StringBuilder(" trial " + index + "\n");
    int differences = 0;
    for (int i = 0; i < Math.min(theirs.size(), ours.size()) && differences < MOST_DIFFERENCES; i++) {
      String label = image.label(index, i);
      String code = label.endsWith("epc") ? disassemble(program, ours.get(i)) : "";
      if (!ours.get(i).equals(theirs.get(i))) {
        differences++;
        report.append("  %s: QEMU %s, here %s %s%n".formatted(label, theirs.get(i), ours.get(i), code));
      } else if (label.startsWith("trap") && !ours.get(i).equals("0000000000000000")) {
        report.append("  %s: both %s %s%n".formatted(label, ours.get(i), code));
      }
    }
    return report.append(image.listing(index)).toString();
  }

  /** The instruction at an address of the program, by physical or by U-mode address. */
  private static String disassemble(byte[] program, String address) {
    long pc = Long.parseUnsignedLong(address, 16);
    long offset = pc >= PrivilegedMemory.SAFE ? pc - PrivilegedMemory.SAFE : pc - 0x4000_0000L;
    if (offset < 0 || offset > program.length - 4) {
      return "";
    }
    int bits = ByteBuffer.wrap(program).order(ByteOrder.LITTLE_ENDIAN).getInt((int) offset);
    return RiscvDialect.disassembler().disassemble(pc, bits);
  }
}
