package org.ascus.isa.riscv;

import java.util.Set;
import java.util.TreeSet;
import org.ascus.isa.cpu.CodeSpace;
import org.ascus.isa.cpu.Translator;
import org.ascus.isa.decode.Decoder;
import org.ascus.machine.cpu.CpuFactory;
import org.ascus.machine.run.Machine;

/** Makes RISC-V harts. */
public record RiscvCpus(RiscvConfig config, Acceleration acceleration) implements CpuFactory {
  /** The harts of one machine share decoded and compiled code; the machine may run by instruction count already. */
  @Override
  public void addCpus(Machine machine, int count, long resetVector) {
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

  @Override
  public String deviceTreeIsa() {
    return config.deviceTreeIsa();
  }

  @Override
  public String deviceTreeMmu() {
    return config.deviceTreeMmu();
  }
}
