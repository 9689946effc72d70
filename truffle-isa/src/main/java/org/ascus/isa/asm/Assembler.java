package org.ascus.isa.asm;

import java.util.Optional;
import org.ascus.isa.table.Instruction;
import org.ascus.isa.table.InstructionTable;
import org.ascus.isa.table.Shape;

/**
 * Assembles source text in two passes.
 *
 * <p>One statement a line or several with {@code ;} between; comments {@code #}, {@code //}, {@code /* *}{@code /}.
 * Labels, also numeric ones used as 1b and 1f; directives .byte .half .word .dword (.2byte .4byte .8byte .short .quad),
 * .ascii .asciz .string, .space .zero, .align and .p2align (powers of two), .balign, .org (an address), .equ .set,
 * .macro with \arguments and \@, .rept; .globl, .global, .text, .option, .type and .size are accepted and ignored.
 * Nothing is ever compressed; c.* mnemonics are accepted. Values that decide sizes (of .org, .space, .align and li)
 * may use symbols defined above only.
 */
public final class Assembler {
  private final InstructionTable table;
  private final Dialect dialect;

  /** An assembler for the instructions of {@code table}. */
  public Assembler(InstructionTable table, Dialect dialect) {
    this.table = table;
    this.dialect = dialect;
  }

  /**
   * Assembles {@code source} for execution at the guest address {@code origin}.
   *
   * @throws AssemblyException for the first statement that is wrong
   */
  public Program assemble(String source, long origin) {
    return new Assembly(this, Statement.read(source), origin).run();
  }

  Dialect dialect() {
    return dialect;
  }

  /** A table line by mnemonic, and the ordering bits that an atomic's mnemonic ends with. */
  record Match(Instruction line, int ordering) {}

  Optional<Match> find(String mnemonic) {
    Optional<Instruction> line = table.find(mnemonic);
    if (line.isPresent()) {
      return Optional.of(new Match(line.get(), 0));
    }
    int dot = mnemonic.lastIndexOf('.');
    if (dot < 0) {
      return Optional.empty();
    }
    int ordering =
        switch (mnemonic.substring(dot)) {
          case ".aq" -> 2;
          case ".rl" -> 1;
          case ".aqrl" -> 3;
          default -> 0;
        };
    return ordering == 0
        ? Optional.empty()
        : table
            .find(mnemonic.substring(0, dot))
            .filter(i -> i.shape() == Shape.AMO)
            .map(i -> new Match(i, ordering));
  }
}
