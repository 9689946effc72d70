package org.ascus.isa.cpu;

/** Where control may enter compiled code: what a {@link Block} has, as long as there is nothing better. */
public final class EntryPoint {
  public final CompiledCode code;

  /** See {@link CompiledCode#run}. */
  public final int place;

  /** From the code's first block, in bytes. */
  public final int offset;

  /** Cleared for good once its block has it no more. */
  volatile boolean live = true;

  public EntryPoint(CompiledCode code, int place, int offset) {
    this.code = code;
    this.place = place;
    this.offset = offset;
  }

  /** See {@link CompiledCode#matches}, for a CPU that is here. */
  public boolean matches(VCpu cpu) {
    return code.matches(cpu, cpu.pc - offset);
  }
}
