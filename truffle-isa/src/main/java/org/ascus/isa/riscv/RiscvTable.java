package org.ascus.isa.riscv;

import org.ascus.isa.table.InstructionTable;

/** The RISC-V instruction table, {@code riscv.isa}. */
public final class RiscvTable {
  private static final InstructionTable TABLE = InstructionTable.ofResource(RiscvTable.class, "riscv.isa");

  private RiscvTable() {}

  /** All instructions known, whatever extensions a hart has. */
  public static InstructionTable get() {
    return TABLE;
  }
}
