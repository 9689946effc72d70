package org.ascus.isa.riscv;

import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.ascus.isa.bytecode.BytecodeTranslator;
import org.ascus.isa.cpu.CodeSpace;
import org.ascus.isa.cpu.Translator;
import org.ascus.isa.decode.Decoder;
import org.ascus.isa.hostcode.HostRegionMaker;
import org.ascus.isa.profile.CodeProfile;
import org.ascus.isa.region.RegionIsa;
import org.ascus.isa.region.TieredTranslator;
import org.ascus.machine.bus.host.ExecutableMemory;
import org.ascus.machine.cpu.CpuFactory;
import org.ascus.machine.run.Machine;

/**
 * Makes RISC-V harts.
 *
 * @param profile what is known of their code from earlier runs; it learns
 */
public record RiscvCpus(RiscvConfig config, Acceleration acceleration, CodeProfile profile) implements CpuFactory {
  static final long MAX_INSTRUCTIONS = 600_000;

  /** As {@link #MAX_INSTRUCTIONS}, for machine code, of which some fifty bytes are made for each. */
  static final long MAX_HOST_INSTRUCTIONS = 2_000_000;

  /** Slices of the budget, each of 50,000 instructions, that must have ended at a block for the second tier. */
  private static final int PROMOTION_SAMPLES = 2_000;

  /** Nothing is known of their code. */
  public RiscvCpus(RiscvConfig config, Acceleration acceleration) {
    this(config, acceleration, CodeProfile.none());
  }

  /** The harts of one machine share decoded and compiled code; the machine may run by instruction count already. */
  @Override
  public void addCpus(Machine machine, int count, long resetVector) {
    CodeSpace codeSpace = new CodeSpace(profile);
    Set<String> extensions = new TreeSet<>(config.extensions());
    extensions.add("i");
    extensions.add("s");
    Decoder decoder = new Decoder(RiscvTable.get(), extensions);
    Optional<ExecutableMemory> hostMemory =
        acceleration.tier() == Acceleration.Tier.HOST_CODE || acceleration.tier() == Acceleration.Tier.TIERED
            ? HostRegionMaker.memory()
            : Optional.empty();
    int threshold = acceleration.threshold(hostMemory.isPresent());
    Translator translator = translator(codeSpace, hostMemory);
    boolean sleeps = !machine.sharesThread();
    for (int i = 0; i < count; i++) {
      machine.addCpu(
          new RiscvHart(
              i, config, machine, codeSpace, decoder, translator, threshold, sleeps, resetVector));
    }
  }

  private Translator translator(CodeSpace codeSpace, Optional<ExecutableMemory> hostMemory) {
    return switch (acceleration.tier()) {
      case INTERPRETER -> Translator.NONE;
      case BYTECODE, HOST_CODE -> bytecode(codeSpace, hostMemory);
      case TRUFFLE -> RiscvLanguage.translator(codeSpace, acceleration);
      case TIERED ->
          !BytecodeTranslator.hasBestCode() && Acceleration.hasCompiler()
              ? new TieredTranslator(bytecode(codeSpace, hostMemory), late(codeSpace), PROMOTION_SAMPLES)
              : bytecode(codeSpace, hostMemory);
    };
  }

  private Translator late(CodeSpace codeSpace) {
    return new LateTranslator(
        () -> RiscvLanguage.translator(codeSpace, acceleration), acceleration.background());
  }

  private Translator bytecode(CodeSpace codeSpace, Optional<ExecutableMemory> hostMemory) {
    RegionIsa regions = new RiscvRegions();
    return new BytecodeTranslator(
        new RiscvCode(regions), regions, codeSpace, hostMemory.isPresent() ? MAX_HOST_INSTRUCTIONS : MAX_INSTRUCTIONS,
        acceleration.samples(), acceleration.background(), hostMemory);
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
