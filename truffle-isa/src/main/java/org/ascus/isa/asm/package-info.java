/**
 * Assembler and disassembler, driven by an {@link org.ascus.isa.table.InstructionTable} for what is in its lines and by
 * a {@link org.ascus.isa.asm.Dialect} for the rest of an ISA's assembly language. No object files, sections or
 * relocations: the output is one block of bytes at a known address.
 *
 * <p>The operand column of a table names: {@code rd rs1 rs2 rs3} registers, {@code imm} and {@code shamt} constants,
 * {@code upper} the constant of lui in units of 4096, {@code target} an address relative to the pc, {@code csr} a
 * system register, {@code zimm} the constant in the rs1 field, {@code rm} a rounding mode that may be left out (then
 * dynamic; {@code rm0}: then 0), {@code pred succ} fence sets. Anything else stands for itself.
 */
package org.ascus.isa.asm;
