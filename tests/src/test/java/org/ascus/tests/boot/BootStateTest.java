package org.ascus.tests.boot;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.Arrays;
import org.ascus.polyglot.Accelerator;
import org.ascus.polyglot.Vm;
import org.ascus.polyglot.VmException;
import org.ascus.tests.support.Host;
import org.junit.jupiter.api.Test;

/** A kernel's boot, by instruction count: every accelerator has the same state at the same count. */
class BootStateTest {
  private static final long[] STEPS = {3_000_000, 30_000_000, 50_000_000, 70_000_000};

  @Test
  void acceleratorsAgreeOnTheStateOfABootAtEveryInstructionCount() throws VmException {
    Path guest = Host.requireRiscv64Guest();
    try (Vm interpreted = boot(guest, Accelerator.INTERPRETER);
        Vm compiled = boot(guest, Accelerator.TRUFFLE)) {
      for (long step : STEPS) {
        assertThat(interpreted.runFor(step)).isEqualTo(step);
        assertThat(compiled.runFor(step)).isEqualTo(step);
        assertThat(compiled.machine().cpus().getFirst().describe())
            .isEqualTo(interpreted.machine().cpus().getFirst().describe());
        assertThat(Arrays.hashCode(compiled.save())).isEqualTo(Arrays.hashCode(interpreted.save()));
      }
      assertThat(compiled.cpu(0).register("pc")).isEqualTo(interpreted.cpu(0).register("pc"));
    }
  }

  private static Vm boot(Path guest, Accelerator accelerator) throws VmException {
    return Vm.builder()
        .memory(256L << 20)
        .kernel(guest.resolve("Image"))
        .initrd(guest.resolve("initramfs.cpio.gz"))
        .append("console=ttyS0 guest.run=\"true\"")
        .accelerator(accelerator)
        .icount(0)
        .build();
  }
}
