package org.ascus.isa.riscv;

import java.util.Set;
import java.util.TreeSet;
import org.ascus.isa.cpu.CodeSpace;
import org.ascus.isa.cpu.Translator;
import org.ascus.isa.decode.Decoder;
import org.ascus.machine.run.Machine;

/** Makes the harts of a machine. */
public final class RiscvCpus {
  /** Where QEMU's virt board starts its harts. */
  public static final long RESET_VECTOR = 0x1000;

  private RiscvCpus() {}

  /** Adds {@code count} harts to {@code machine}, which may run by instruction count already. */
  public static void addTo(Machine machine, RiscvConfig config, int count, Acceleration acceleration, long resetVector) {
    CodeSpace codeSpace = new CodeSpace();
    Set<String> extensions = new TreeSet<>(config.extensions());
    extensions.add("i");
    extensions.add("s");
    Decoder decoder = new Decoder(RiscvTable.get(), extensions);
    Translator translator =
        acceleration.translate() ? RiscvLanguage.translator(codeSpace, acceleration) : Translator.NONE;
    boolean sleeps = !machine.clock().isInstructionTime();
    for (int i = 0; i < count; i++) {
      machine.addCpu(
          new RiscvHart(
              i, config, machine, codeSpace, decoder, translator, acceleration.threshold(), sleeps, resetVector));
    }
  }
}
